"""What steps may ask of a host. `connect` builds the real ones; tests hand in others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from raptorctl.host.disk_drivers import Disks
from raptorctl.host.tick import Tick as Tick  # noqa: PLC0414 - every step takes it from here

if TYPE_CHECKING:
    from raptorctl.host.account_drivers import Accounts
    from raptorctl.host.guest_drivers import Consoles, Guests
    from raptorctl.host.image_drivers import Images, ImageWriter
    from raptorctl.model.access import Question
    from raptorctl.model.cpuset import CpuSet
    from raptorctl.model.domain import Domain, State
    from raptorctl.model.record import Record
    from raptorctl.model.slot import Bridge
    from raptorctl.model.tenant import Account
    from raptorctl.model.volume import Extents, Volume, VolumeGroup


@dataclass(frozen=True)
class WipeReport:
    """What zeroing and reading back a volume came to; the receipt of a removal.

    Args:
        uuid: the volume's.
        size: bytes zeroed.
        method: `BLKZEROOUT` or `O_DIRECT writes`.
        seconds: for zeroing and reading back.
        verified: bytes read back and found zero.
        coverage: `full` or `sampled`.
    """

    uuid: str
    size: int
    method: str
    seconds: float
    verified: int
    coverage: str


class Volumes(Protocol):
    """LVM, one volume group."""

    def group(self) -> VolumeGroup | None:
        """Return the group, or None when it is not there."""

    def look(self) -> tuple[VolumeGroup | None, tuple[Volume, ...]]:
        """Return the group and all its volumes, asked for at once."""

    def list(self) -> tuple[Volume, ...]:
        """Return all volumes of the group, read anew."""

    def seen(self) -> tuple[Volume, ...]:
        """Return all volumes as they were last read; after an act of ours, since then.

        For what is still to do. That something is done, or may be done, is read anew.
        """

    def held(self, volume: Volume) -> bool:
        """Whether a process or the kernel has it open now."""

    def find(self, uuid: str) -> Volume | None:
        """Return the volume with LVM's identifier `uuid`, read anew."""

    def named(self, name: str) -> Volume | None:
        """Return the volume of that name, read anew."""

    def create(self, name: str, size: int, tags: Iterable[str]) -> Volume:
        """Make a volume of `size` bytes, a multiple of the extent; not activated at boot."""

    def retag(
        self, volume: Volume, *, add: Iterable[str], remove: Iterable[str], at_boot: bool
    ) -> Volume:
        """Change tags, and whether it is activated at boot, in one metadata commit; read it back.

        Raises:
            ConflictError: the volume has another name by now.
        """

    def rename(self, volume: Volume, name: str, *, read_back: bool = True) -> Volume:
        """Give the volume another name. Without `read_back`, a `retag` follows and does that."""

    def activate(self, volume: Volume) -> Volume:
        """Make its device node and wait for it; returns it with its device number."""

    def remove(self, volume: Volume, *, discard: bool = True) -> None:
        """Remove the volume, unless it is open, or not as clean, dirty or wiped as it was read.

        Without `discard` its zeroes stay zero.
        """

    def extents(self, volume: Volume) -> Extents:
        """Return where the volume lies."""

    def extend(self, volume: Volume, extents: Extents) -> None:
        """Enlarge a volume by just these extents, which `remove` has freed and nobody had since.

        Raises:
            ConflictError: the group was changed by somebody else in between.
        """

    def shrink(self, volume: Volume, size: int) -> None:
        """Give the end of a volume back, whatever is there; `size` bytes stay."""

    def enlarge(self, volume: Volume, size: int) -> None:
        """Enlarge a file that is a volume, while nobody has it open."""

    def snapshot(self, origin: Volume, name: str, size: int, tags: Iterable[str]) -> Volume:
        """Take a snapshot, with `size` bytes of room for what changes."""

    def split(self, snapshot: Volume) -> Volume:
        """Make a snapshot a volume of its own, that holds all it kept; its UUID stays."""


@dataclass(frozen=True)
class RestoreReport:
    """What putting a snapshot's content back came to.

    Args:
        size: bytes compared.
        differing: bytes that differed, were written, and read back.
        seconds: for all of it.
    """

    size: int
    differing: int
    seconds: float


class Copier(Protocol):
    """Puts snapshots' content back."""

    def restore(self, volume: Volume, snapshot: Volume, tick: Tick) -> RestoreReport:
        """Make a volume hold what its snapshot shows; the snapshot stays as it is.

        Raises:
            WipeError: a device is in use, another one, or fails.
            StoppedError: from `tick`, between two pieces.
        """


class Wiper(Protocol):
    """Makes volumes hold nothing but zeroes, and proves it."""

    def wipe(self, volume: Volume, tick: Tick) -> WipeReport:
        """Zero the whole device and read it back.

        Raises:
            WipeError: an error of the device, or a byte that is not zero.
            StoppedError: from `tick`, between two pieces.
        """

    def is_zero(self, volume: Volume, start: int, tick: Tick) -> bool:
        """Whether all bytes from `start` on are read as zero; not, where they cannot be read."""


class Domains(Disks, Protocol):
    """libvirt's domains."""

    def list(self) -> tuple[Domain, ...]:
        """Return every domain as it is defined, as it runs, and as it was saved."""

    def states(self) -> Mapping[str, State]:
        """Return every domain's state by name, in one call."""

    def find(self, uuid: str) -> Domain | None:
        """Return the domain with that UUID."""

    def named(self, name: str) -> Domain | None:
        """Return the domain of that name; one that we may not see is not there."""

    def define(self, xml: str) -> None:
        """Define a domain from `xml`, validated against libvirt's schema."""

    def undefine(self, uuid: str, *, keep_nvram: bool) -> None:
        """Take the definition away; one that runs goes on, and is gone once it stops."""

    def start(self, uuid: str) -> None:
        """Start it, or resume what was saved; one that runs is left alone."""

    def drop_saved(self, uuid: str) -> None:
        """Give up what was saved of it, so that its next start boots."""

    def set_autostart(self, uuid: str, *, on: bool) -> None:
        """Have it started with the host, or not."""

    def shut_down(self, uuid: str, timeout: float, tick: Tick, *, force: bool = True) -> bool:
        """Ask by ACPI, wait `timeout` seconds, then force. Returns whether force was needed.

        Raises:
            WaitError: it still runs, and is not to be forced.
        """

    def goes_off(self, uuid: str, timeout: float, tick: Tick) -> bool:
        """Wait for one that was asked before, and ask no more. Returns whether it is off.

        Args:
            uuid: of the domain.
            timeout: seconds since it was first asked; some more, if that was just now.
            tick: as of `shut_down`.
        """

    def reboot(self, uuid: str) -> None:
        """Ask it by ACPI to boot anew."""

    def reset(self, uuid: str) -> None:
        """Have it boot anew at once, as by its reset button."""

    def block_size(self, uuid: str, path: str) -> int | None:
        """Return how many bytes the guest sees of a disk; None when it is off."""

    def block_resize(self, uuid: str, path: str, size: int) -> None:
        """Show the guest that a disk of its has grown to `size` bytes."""

    def pin(self, uuid: str, pins: CpuSet, emulator: CpuSet) -> None:
        """Move a running domain's virtual CPUs, in order, and its emulator's threads."""

    def suspend(self, uuid: str) -> None:
        """Stop its virtual CPUs; its memory stays as it is."""

    def resume(self, uuid: str) -> None:
        """Let its virtual CPUs go on."""

    def accelerator(self) -> str:
        """Return `kvm` where the CPU and libvirt offer it, else `qemu`."""

    def most_vcpus(self, machine_type: str, accelerator: str) -> int:
        """Return how many virtual CPUs a machine may have; 0 where libvirt does not say."""


class Zones(Protocol):
    """The DNS server that takes our updates."""

    def lookup(self, queries: Iterable[tuple[str, str]]) -> tuple[Record, ...]:
        """Return all records for (name, type) pairs, asked of the authoritative server itself."""

    def add(self, zone: str, records: Iterable[Record]) -> None:
        """Add records whose names must be free of their types; one UPDATE.

        Raises:
            ConflictError: a name has records already.
        """

    def remove(self, zone: str, records: Iterable[Record]) -> None:
        """Delete exactly these records; others of the same name stay. One UPDATE."""

    def replace(
        self, zone: str, old: Iterable[Record], new: Iterable[Record], guard: Iterable[Record]
    ) -> None:
        """Put `new` in the place of `old` while the RRsets of `guard` are as given. One UPDATE."""


class Files(Protocol):
    """Plain files."""

    def exists(self, path: str) -> bool:
        """Whether a regular file is there."""

    def remove(self, path: str) -> None:
        """Remove it if it is there, durably."""

    def list(self, directory: str) -> tuple[str, ...]:
        """Return the paths of the regular files in a directory; none where it is missing."""

    def read(self, path: str) -> str | None:
        """Return the text of a small file, or None when it is not there."""

    def read_bytes(self, path: str, largest: int) -> bytes | None:
        """Return what is in a file, or None when it is not there.

        Raises:
            HostError: it is no regular file, larger than `largest`, or cannot be read.
        """

    def write(self, path: str, text: str, mode: int) -> None:
        """Put text in a file's place, whole or not at all, durably; root's, with `mode`."""

    def write_bytes(self, path: str, data: bytes, mode: int) -> None:
        """Do the same with bytes."""


class Authority(Protocol):
    """polkit."""

    def actions(self) -> tuple[str, ...]:
        """Return the identifiers of all of libvirt's actions that it knows."""

    def answers(self, account: Account, questions: Iterable[Question]) -> tuple[bool, ...]:
        """Return what it answers to a process of that account, in order."""

    def reload(self) -> None:
        """Have it read its rules anew, and wait until it has."""


class Links(Protocol):
    """Network interfaces."""

    def bridges(self) -> tuple[Bridge, ...]:
        """Return every bridge."""


@dataclass(frozen=True)
class Host:
    """All drivers of one host."""

    volumes: Volumes
    wiper: Wiper
    copier: Copier
    domains: Domains
    zones: Zones
    files: Files
    links: Links
    accounts: Accounts
    authority: Authority
    consoles: Consoles
    images: Images
    image_writer: ImageWriter
    guests: Guests
