"""Names. Everything a machine is called anywhere is derived here, from its tenant and its name.

libvirt's polkit driver tells a rule nothing about a domain but its name, so the name carries the
owner: the first hyphen splits it, which is sound because no tenant has one.
"""

import re
from dataclasses import dataclass
from typing import Final

from raptorctl.errors import InputError

TENANT: Final = re.compile(r"[a-z][a-z0-9]{0,15}", re.ASCII)
MACHINE: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", re.ASCII)
MACHINE_LENGTH: Final = 40

# Accounts and prefixes that mean something else on a Linux host, in libvirt or in our own VG.
RESERVED_TENANTS: Final = frozenset(
    "root daemon bin sys sync games man lp mail news uucp proxy backup list irc nobody sshd "
    "polkitd libvirt kvm disk sudo wheel admin systemd messagebus dnsmasq bind named tss ftp "
    "http git guest wipe del raptor raptorctl raptorprobe localhost".split()
)
RESERVED_MACHINES: Final = ("del-", "wipe-")

VOLUME_PREFIX: Final = "guest-"
WIPE_PREFIX: Final = "wipe-"
GROW_PREFIX: Final = "grow-"
SNAPSHOT_PREFIX: Final = "snap-"
SNAPSHOT_LENGTH: Final = 20
DISK_PREFIX: Final = "disk-"
DISK_LENGTH: Final = 20
"""Bytes of a virtio disk's serial, by which the guest finds it (QEMU, VIRTIO_BLK_ID_BYTES)."""
RESERVED_DISKS: Final = re.compile(r"qcow2|raptor-.*", re.ASCII)
"""What ends the name of a file that is a volume, and the seed's serial."""


@dataclass(frozen=True, order=True)
class MachineName:
    """A machine as people ask for it, `alice dev`, and every name that follows from it.

    Args:
        tenant: who owns it.
        machine: what the owner calls it.
    """

    tenant: str
    machine: str

    def __str__(self) -> str:
        return self.domain

    @property
    def domain(self) -> str:
        """The libvirt domain, `alice-dev`; also the DNS label."""
        return f"{self.tenant}-{self.machine}"

    @property
    def volume(self) -> str:
        """The logical volume, `guest-alice-dev`."""
        return f"{VOLUME_PREFIX}{self.domain}"

    @property
    def growth(self) -> str:
        """The logical volume that its own is to grow by, `grow-alice-dev`."""
        return f"{GROW_PREFIX}{self.domain}"

    @property
    def nvram(self) -> str:
        """The file with the machine's UEFI variables, `alice-dev_VARS.fd`."""
        return f"{self.domain}_VARS.fd"

    @property
    def login_key(self) -> str:
        """The file of the private key that its owner logs in by, where they have no other."""
        return f"{self.domain}-login-key"

    @property
    def seed(self) -> str:
        """The file with its seed, `alice-dev-seed.iso`."""
        return f"{self.domain}-seed.iso"

    @property
    def log(self) -> str:
        """The file with what its console said, `alice-dev.log`."""
        return f"{self.domain}.log"

    def snapshot(self, name: str, disk: str = "") -> str:
        """The volume of a snapshot, `snap-alice-dev.before`: no name of ours has a dot.

        That of a further disk is `snap-alice-dev.before.data`.
        """
        return f"{SNAPSHOT_PREFIX}{self.domain}.{name}" + (f".{disk}" if disk else "")

    def disk(self, name: str) -> str:
        """The volume of a further disk, `disk-alice-dev.data`: no name of ours has a dot."""
        return f"{DISK_PREFIX}{self.domain}.{name}"

    def disk_growth(self, name: str) -> str:
        """The logical volume that a further disk is to grow by, `grow-alice-dev.data`."""
        return f"{self.growth}.{name}"

    def fqdn(self, zone: str) -> str:
        """The absolute DNS name in `zone`, with its final dot."""
        return f"{self.domain}.{zone.rstrip('.')}."


def wipe_volume(lv_uuid: str) -> str:
    """The name a volume waits under until it is wiped: free of the machine's, and never reused."""
    return f"{WIPE_PREFIX}{lv_uuid}"


def parse_tenant(text: str) -> str:
    """Check a tenant's name.

    Raises:
        InputError: it breaks the grammar or means something else on a host.
    """
    if not TENANT.fullmatch(text):
        raise InputError(
            f"{shown(text)} is not a tenant's name",
            resolution="use 1 to 16 of a-z and 0-9, a letter first, no hyphen",
        )
    if text in RESERVED_TENANTS:
        raise InputError(f"{shown(text)} is reserved", resolution="choose another tenant's name")
    return text


def parse_machine(tenant: str, machine: str) -> MachineName:
    """Check both halves of a machine's name.

    Raises:
        InputError: either half breaks the grammar.
    """
    tenant = parse_tenant(tenant)
    if not MACHINE.fullmatch(machine) or len(machine) > MACHINE_LENGTH:
        raise InputError(
            f"{shown(machine)} is not a machine's name",
            resolution=f"use at most {MACHINE_LENGTH} of a-z, 0-9 and single hyphens, "
            "a letter first, no hyphen last",
        )
    if machine.startswith(RESERVED_MACHINES):
        raise InputError(f"{shown(machine)} is reserved", resolution="choose another name")
    return MachineName(tenant, machine)


def parse_words(words: list[str]) -> MachineName:
    """Read `alice dev` or `alice-dev`.

    Raises:
        InputError: neither form.
    """
    if len(words) == 1 and "-" in words[0]:
        tenant, _, machine = words[0].partition("-")
        return parse_machine(tenant, machine)
    if len(words) == 2:
        return parse_machine(*words)
    said = " ".join(words)
    raise InputError(f"{shown(said)} does not name a machine", resolution="say `alice dev`")


def split_domain(name: str) -> MachineName | None:
    """Whose machine a domain's name says it is, or None when it follows no rule of ours."""
    tenant, hyphen, machine = name.partition("-")
    if not hyphen or not TENANT.fullmatch(tenant) or not MACHINE.fullmatch(machine):
        return None
    return MachineName(tenant, machine)


def split_volume(name: str) -> MachineName | None:
    """Whose volume `guest-alice-dev` is, by its name."""
    if not name.startswith(VOLUME_PREFIX):
        return None
    return split_domain(name.removeprefix(VOLUME_PREFIX))


def parse_snapshot(text: str) -> str:
    """Check a snapshot's name.

    Raises:
        InputError: it breaks the grammar.
    """
    if not MACHINE.fullmatch(text) or len(text) > SNAPSHOT_LENGTH:
        raise InputError(
            f"{shown(text)} is not a snapshot's name",
            resolution=f"use at most {SNAPSHOT_LENGTH} of a-z, 0-9 and single hyphens, "
            "a letter first, no hyphen last",
        )
    return text


def parse_snapshot_words(words: list[str]) -> tuple[MachineName, str | None]:
    """Read `alice dev before` or `alice-dev before`, or a machine alone.

    Raises:
        InputError: neither form.
    """
    count = 1 if "-" in words[0] else 2  # no tenant has a hyphen
    if len(words) > count + 1:
        said = " ".join(words)
        raise InputError(f"{shown(said)} names no snapshot", resolution="say `alice dev before`")
    name = parse_words(words[:count])
    return name, parse_snapshot(words[count]) if len(words) > count else None


def split_snapshot(name: str) -> tuple[MachineName, str, str] | None:
    """Whose snapshot `snap-alice-dev.before.data` is, which, of which disk; "" for the first."""
    machine, dot, rest = name.removeprefix(SNAPSHOT_PREFIX).partition(".")
    owner = split_domain(machine) if dot and name.startswith(SNAPSHOT_PREFIX) else None
    snapshot, dot, disk = rest.partition(".")
    fits = MACHINE.fullmatch(snapshot) and (MACHINE.fullmatch(disk) if dot else True)
    return (owner, snapshot, disk) if owner and fits else None


def parse_disk(text: str) -> str:
    """Check the name of a further disk.

    Raises:
        InputError: it breaks the grammar, or means something else.
    """
    if not MACHINE.fullmatch(text) or len(text) > DISK_LENGTH:
        raise InputError(
            f"{shown(text)} is not a disk's name",
            resolution=f"use at most {DISK_LENGTH} of a-z, 0-9 and single hyphens, "
            "a letter first, no hyphen last",
        )
    if RESERVED_DISKS.fullmatch(text):
        raise InputError(f"{shown(text)} is reserved", resolution="choose another name")
    return text


def parse_disk_words(words: list[str]) -> tuple[MachineName, str]:
    """Read `alice dev data`, `alice-dev data`, or `alice dev.data`.

    Raises:
        InputError: none of these forms.
    """
    flat = [*words[:-1], *words[-1].split(".")] if words else []
    count = 1 if flat and "-" in flat[0] else 2  # no tenant has a hyphen
    if len(flat) != count + 1:
        said = " ".join(words)
        raise InputError(f"{shown(said)} names no disk", resolution="say `alice dev data`")
    return parse_words(flat[:count]), parse_disk(flat[count])


def parse_share_words(words: list[str]) -> tuple[MachineName, str]:
    """Read `alice dev bob` or `alice-dev bob`: a machine, and another tenant.

    Raises:
        InputError: neither form.
    """
    count = 1 if "-" in words[0] else 2  # no tenant has a hyphen
    if len(words) != count + 1:
        said = " ".join(words)
        raise InputError(
            f"{shown(said)} names no machine and tenant", resolution="say `alice dev bob`"
        )
    return parse_words(words[:count]), parse_tenant(words[count])


def split_disk(name: str) -> tuple[MachineName, str] | None:
    """Whose further disk `disk-alice-dev.data` is, and which, by its name."""
    machine, dot, disk = name.removeprefix(DISK_PREFIX).partition(".")
    owner = split_domain(machine) if dot and name.startswith(DISK_PREFIX) else None
    return (owner, disk) if owner and MACHINE.fullmatch(disk) else None


def disk_part(name: str) -> str:
    """What the further disk is called that a volume is, or is a snapshot of; else ""."""
    if of := split_snapshot(name):
        return of[2]
    said = split_disk(name)
    return said[1] if said else ""


def shown(text: str) -> str:
    """Quote untrusted text so that it fits a line and moves no cursor."""
    safe = ascii(text)
    return safe if len(safe) <= 60 else f"{safe[:56]}...'"
