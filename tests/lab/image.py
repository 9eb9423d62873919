"""The lab's root file system, from Debian packages alone, and the QEMU that runs it.

The package list is the role's own plus what only a lab needs, so that converging finds everything
installed and the lab needs no network.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.lab import cache
from tests.lab.process import as_root, tool

SUITE = "trixie"
ROLE_DEFAULTS = cache.CHECKOUT / "ansible/roles/raptor_host/defaults/main.yml"
FILES = cache.CHECKOUT / "tests/lab/files"
"""Copied over the root file system: network, sshd and unit settings that make it boot fast."""

LAB_PACKAGES = (
    # A machine that boots and can be logged in to.
    "systemd-sysv linux-image-cloud-amd64 initramfs-tools busybox kmod udev dbus libpam-systemd "
    "openssh-server sudo apparmor iproute2 e2fsprogs ca-certificates "
    # What the tests look at it with, and what the benchmarks compare with (virt-install).
    "python3-apt procps psmisc iputils-ping strace socat expect jq less file acl fdisk virtinst "
    "cloud-image-utils ssl-cert"
).split()

NOT_IN_A_LAB = (
    "apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer "
    "logrotate.timer e2scrub_reap.service getty@tty1.service systemd-networkd-wait-online.service "
    "nginx.service"
).split()
"""A lab lives for minutes: housekeeping only takes emulated seconds away from the tests. nginx is
there for the page, which has a unit of its own."""

ROOT_SIZE = "12G"
QEMU_PARTS = (
    "usr/bin/qemu-system-x86_64",
    "usr/bin/qemu-img",
    "usr/lib/x86_64-linux-gnu",
    "usr/share/qemu",
    "usr/share/seabios",
)


@dataclass(frozen=True)
class Image:
    """A finished image directory."""

    path: Path

    @property
    def digest(self) -> str:
        """The digest of what the image was made from."""
        return self.path.name.removeprefix("image-")

    @property
    def root(self) -> Path:
        """The root disk, raw; only ever used as a backing file."""
        return self.path / "root.img"

    @property
    def kernel(self) -> Path:
        """The kernel for QEMU's direct boot."""
        return self.path / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """The initial RAM disk for QEMU's direct boot."""
        return self.path / "initrd.img"

    @property
    def qemu(self) -> Path:
        """The part of the root file system that QEMU needs."""
        return self.path / "qemu"

    @property
    def host_key(self) -> str:
        """The lab's ssh host key, public half."""
        return (self.path / "ssh_host_ed25519_key.pub").read_text()


def key_pair() -> Path:
    """Return the private key that logs in to labs, made on first use."""
    key = cache.directory() / "ssh" / "id_ed25519"
    if not key.exists():
        key.parent.mkdir(mode=0o700, exist_ok=True)
        kind = ("-q", "-t", "ed25519", "-N", "", "-C", "raptorctl-lab")
        tool("ssh-keygen", *kind, "-f", key, timeout=30)
    return key


def public_key() -> str:
    """Return the public half of `key_pair`."""
    return key_pair().with_suffix(".pub").read_text()


def packages() -> list[str]:
    """Return the role's packages and the lab's, each once."""
    role = yaml.safe_load(ROLE_DEFAULTS.read_text())
    return sorted({*role["raptor_packages"], *role["raptor_web_packages"], *LAB_PACKAGES})


def ensure() -> Image:
    """Return the image for the current inputs, built if it is not there."""
    own = Path(__file__).read_bytes()
    name = cache.digest(own, " ".join(packages()), public_key(), cache.tree_digest(FILES))
    return Image(cache.made("image", name, f"building the Debian {SUITE} image", 8, _build))


def _build(scratch: Path) -> None:
    rootfs = scratch / "rootfs"
    _bootstrap(rootfs)
    _personalise(rootfs)
    _keep_for_qemu(rootfs, scratch)
    disk = scratch / "root.img"
    tool(*as_root("mkfs.ext4", "-q", "-L", "lab-root", "-d", rootfs, disk, ROOT_SIZE), timeout=300)
    tool(*as_root("chown", "-R", f"{os.getuid()}:{os.getgid()}", disk), timeout=30)
    cache.remove(rootfs)


def _bootstrap(rootfs: Path) -> None:
    """Install the packages with mmdebstrap; they come from this machine's own Debian mirror."""
    options = ("--variant=minbase", "--mode=root", f"--include={','.join(packages())}")
    tool(*as_root("mmdebstrap", *options, SUITE, rootfs, *mirror()), timeout=1800)


def mirror() -> list[str]:
    """Return apt source lines for the suite, or nothing: mmdebstrap knows Debian's own mirror.

    $RAPTORCTL_LAB_MIRROR (a URI) wins; otherwise a Debian machine's apt settings are followed, as
    whoever set them up had a reason. Security updates come along (libvirt's are wanted).
    """
    own = os.environ.get("RAPTORCTL_LAB_MIRROR")
    if own:
        return [_source_line(own, SUITE)]
    wanted = {"Debian": SUITE, "Debian-Security": f"{SUITE}-security"}
    uris = {label: uri for label, uri in _apt_sources() if label in wanted}
    if "Debian" not in uris:
        return []
    return [_source_line(uri, wanted[label]) for label, uri in uris.items()]


def _source_line(uri: str, suite: str) -> str:
    keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
    return f"deb [signed-by={keyring}] {uri} {suite} main"


def _apt_sources() -> list[tuple[str, str]]:
    """Return (label, URI) of each package index apt uses (apt-get(8), indextargets)."""
    form = "$(ORIGIN)|$(LABEL)|$(CODENAME)|$(REPO_URI)"
    command = ["apt-get", "indextargets", "--format", form, "Created-By: Packages"]
    listing = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    rows = [line.split("|") for line in listing.stdout.splitlines()]
    return [(row[1], row[3]) for row in rows if len(row) == 4 and row[0] == "Debian"]


def _personalise(rootfs: Path) -> None:
    """Let our key in as root, lay the lab's own settings over Debian's, and skip what costs time."""
    tool(*as_root("cp", "-rT", "--no-preserve=ownership", FILES, rootfs), timeout=60)
    keys = rootfs / "root/.ssh/authorized_keys"
    tool(*as_root("install", "-D", "-m", "600", key_pair().with_suffix(".pub"), keys), timeout=30)
    tool(*as_root("chmod", "700", rootfs / "root/.ssh"), timeout=30)
    systemctl = ("systemctl", "-q", f"--root={rootfs}")
    tool(*as_root(*systemctl, "enable", "systemd-networkd.service"), timeout=30)
    tool(*as_root(*systemctl, "mask", *NOT_IN_A_LAB), timeout=30)
    # systemd rebuilds its caches on the first boot unless told that it did (systemd.unit(5),
    # ConditionNeedsUpdate): half a minute under emulation.
    tool(*as_root("touch", rootfs / "etc/.updated", rootfs / "var/.updated"), timeout=30)


def _keep_for_qemu(rootfs: Path, scratch: Path) -> None:
    """Keep kernel, initrd and the QEMU inside the image: an older one on this machine won't do.

    Under QEMU 7.2 (Debian 12) the lab's kernel panics sooner or later; under 10.0 it does not.
    """
    qemu = scratch / "qemu"
    qemu.mkdir()
    tool(*as_root("cp", "-a", "--parents", *QEMU_PARTS, qemu), timeout=120, cwd=rootfs)
    for source, target in (
        (next(rootfs.glob("boot/vmlinuz-*")), "vmlinuz"),
        (next(rootfs.glob("boot/initrd.img-*")), "initrd.img"),
        (rootfs / "etc/ssh/ssh_host_ed25519_key.pub", "ssh_host_ed25519_key.pub"),
    ):
        tool(*as_root("install", "-m", "644", source, scratch / target), timeout=60)
