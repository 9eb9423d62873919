"""Causes that are known, of programs and libraries that we call, each with its own advice. Pure.

The texts are those of LVM 2.03, QEMU 7.2 to 10.0, libvirt 9.0 to 11.3, OpenSSH 9.2 to 10.0,
asyncssh 2.20, shadow 4.13 to 4.17, systemd 252 to 257, cloud-init 22.4 to 25.1 and strerror(3),
in the C locale.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Cause:
    r"""Something that a program fails at.

    Args:
        said: what it says then; a regular expression.
        advice: what a person can do; `\1` stands for the expression's first group.
    """

    said: str
    advice: str


LVM: Final = (
    Cause(
        r"Cannot change VG (\S+) while PVs are missing",
        r"bring its disk back and `vgextend --restoremissing \1 DISK`, or give up what was on it "
        r"with `vgreduce --removemissing \1`",
    ),
    Cause(r"[Vv]olume group \"?([^\s\"]+)\"? is exported", r"vgimport \1"),
    Cause(
        r"Cannot access VG (\S+) with system ID",
        "it belongs to another host: see lvmsystemid(7)",
    ),
    Cause(
        r"[Cc]an't get lock for|Giving up waiting for lock|/run/lock/lvm/\S+: flock failed",
        "another LVM command holds it: try again when that has ended (`fuser -v /run/lock/lvm/*`)",
    ),
    Cause(
        r"lvmlockd|[Gg]lobal lock failed",
        "start lvmlockd, or set global/use_lvmlockd=0 in /etc/lvm/lvm.conf",
    ),
    Cause(
        r"insufficient free space|[Ii]nsufficient suitable allocatable extents",
        "see `vgs` and `pvs -o +pv_attr`; ask for less, or add a disk with vgextend",
    ),
    Cause(
        r"Maximum number of logical volumes \(\d+\) reached in volume group (\S+)",
        r"vgchange --logicalvolume 0 \1",
    ),
    Cause(
        r"duplicate (?:PV )?devices|duplicate PV",
        "two devices show one disk: choose one in devices/filter of /etc/lvm/lvm.conf",
    ),
    Cause(
        r"Failure to communicate with kernel device-mapper driver",
        "modprobe dm_mod; a container has none of its own",
    ),
    Cause(r"Parse error at byte|Failed to load config file", "see `lvmconfig --validate`"),
)
QEMU: Final = (
    Cause(
        r"Failed to (?:get|lock) .*lock|Failed to get \"[a-z ]+\" lock",
        "another program has it open: `fuser -v` tells which",
    ),
    Cause(r"The image size is too large for file format", "ask for less"),
    Cause(r"Image is corrupt|corrupt; cannot be opened", "see `qemu-img check`"),
    Cause(
        r"Unknown (?:driver|protocol) '(\w+)'",
        r"this QEMU was built without \1 (Debian: qemu-block-extra)",
    ),
)
SHADOW: Final = (
    Cause(
        r"cannot lock (/etc/\w+)",
        r"another program changes accounts; if none does, remove \1.lock",
    ),
)
CLOUD_INIT: Final = (Cause(r"[Ss]chema errors?: |YAML", ""),)
SYSTEMD: Final = (
    Cause(
        r"System has not been booted with systemd|Failed to connect to (?:system )?bus",
        "this needs a host that runs systemd",
    ),
    Cause(r"Unit polkit\.service (?:not found|could not be found)", "apt install polkitd"),
)
ANY: Final = (
    Cause(r"No space left on device", "make room: see `df -h`"),
    Cause(r"Disk quota exceeded", "make room within the account's quota: see `quota`"),
    Cause(r"Read-only file system", "it is mounted read-only: see `dmesg` and findmnt(8)"),
    Cause(r"Input/output error", "the disk below fails: see `dmesg`"),
    Cause(r"File too large", "the file system below takes no file of that size"),
    Cause(r"Cannot allocate memory", "free some memory: see `free -h`"),
    Cause(r"Too many open files", "raise the limit: see `ulimit -n`"),
)
"""Errors of the kernel's, whoever meets them."""
LOGIN: Final = (
    Cause(r"[Pp]assphrase must be specified", "put the key into your ssh agent with ssh-add"),
    Cause(r"Invalid (?:private|OpenSSH|PEM|DER)\b.*key", "name a private key with --identity"),
    Cause(
        r"agent refused operation|agent returned|signing failed",
        "unlock the key, or touch its token: `ssh-add -l` lists what the agent has",
    ),
    Cause(
        r"no mutual signature (?:algorithm|supported)",
        "the guest's sshd is too old for that key: name one of ed25519 with --identity",
    ),
    Cause(
        r"Too many authentication failures",
        "the agent offers more keys than the guest tries: name one with --identity",
    ),
    Cause(
        r"(?i)no matching (?:host key|key exchange|cipher|encryption|mac)\b",
        "ssh here and in the guest have none in common: update the older one",
    ),
)
"""Of a login by ssh: of ssh(1), and of asyncssh. What a guest may say names no file here."""
FILES_OF_SSH: Final = (
    Cause(r"^Permissions \d+ for '([^']+)' are too open", r"chmod 600 \1"),
    Cause(r"^Bad owner or permissions on (\S+)", r"make it yours alone: chown it, chmod 600 \1"),
    Cause(r"Bad configuration option|[Uu]nsupported option", "correct that line of ssh's settings"),
    Cause(
        r"^Load key \"([^\"]+)\": incorrect passphrase",
        r"type its passphrase once for all with `ssh-add \1`",
    ),
    Cause(r"^Load key \"[^\"]+\": Permission denied", "name a key of your own with --identity"),
    Cause(
        r"^Load key \"([^\"]+)\": ",
        r"it is not a private key that ssh can read: see `ssh-keygen -y -f \1`",
    ),
)
"""Of ssh(1), about files of this side: only of lines that no guest can have written."""
TLS: Final = (
    Cause(r"certificate has expired", "see whether this host's clock is right: `date`"),
    Cause(r"not yet valid", "see whether this host's clock is right: `date`"),
    Cause(r"[Hh]ostname mismatch|IP address mismatch", "name the server as its certificate does"),
    Cause(
        r"unable to get (?:local )?issuer certificate|self[- ]signed certificate",
        "have this host trust who signed it: update-ca-certificates(8); Debian: ca-certificates",
    ),
)
"""Of a server's certificate, as OpenSSL says it (openssl-verification-options(1))."""
LIBVIRT: Final = (
    Cause(
        r"cannot set CPU affinity|Unable to set .*cpuset|cpuset\.cpus",
        "a CPU that it is pinned to is offline, or machine.slice may not use it: see "
        "`raptorctl doctor`",
    ),
    Cause(
        r"[Cc]annot get interface |[Uu]nable to add bridge |to bridge .*No such device",
        "its bridge does not exist: see `raptorctl doctor`",
    ),
    Cause(
        r"Failed to (?:get|lock) .*lock|Failed to get \"[a-z ]+\" lock",
        "another program has the disk open: `fuser -v` tells which",
    ),
    Cause(
        r"unable to map backing store|hugepages",
        "the host has too few huge pages free: see HugePages_Free in /proc/meminfo",
    ),
    Cause(
        r"cannot set up guest memory|Cannot allocate memory",
        "the host has too little memory free: see `free -h`; stop another machine",
    ),
    Cause(
        r"Could not access KVM|KVM is not available|domaintype=kvm|failed to initialize kvm",
        "see the line `accelerator` of `raptorctl doctor`",
    ),
    Cause(
        r"[Uu]nsupported machine type|does not support machine type|is not supported by emulator",
        "correct libvirt.machine_type in the settings: see `qemu-system-x86_64 -machine help`",
    ),
    Cause(
        r"No more available PCI slots",
        "it has no place left for a disk while it runs: stop it, add the disk, start it",
    ),
    Cause(r"virtlogd-(?:admin-)?sock", "systemctl start virtlogd.socket"),
    Cause(r"virtlockd-(?:admin-)?sock", "systemctl start virtlockd.socket"),
    Cause(
        r"cannot acquire state change lock",
        "another call to libvirt hangs on it: wait, or restart its daemon",
    ),
    Cause(
        r"CheckAuthorization|org\.freedesktop\.PolicyKit|polkit\.subject",
        "systemctl restart polkit",
    ),
    Cause(r"cannot load AppArmor profile", "see `journalctl -k --grep apparmor`"),
    Cause(
        r"'([^']+)': Permission denied",
        r"QEMU may not open \1: see its owner and rights, and those of the directories above it",
    ),
    Cause(r"'([^']+)': No such file or directory", r"\1 does not exist: see `raptorctl doctor`"),
    Cause(r"Unable to open /dev/net/tun", "modprobe tun"),
)
"""Of libvirt's daemons, and of the QEMUs that they start."""
BY_PROGRAM: Final = {
    "lvm": LVM + ANY,
    "qemu-img": QEMU + ANY,
    "useradd": SHADOW + ANY,
    "systemctl": SYSTEMD + ANY,
    "cloud-init": CLOUD_INIT + ANY,
}
