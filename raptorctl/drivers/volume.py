"""What may be asked of volumes: LVM's, and files of one's own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from raptorctl.drivers.tick import Tick
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

    def snapshot(
        self, origin: Volume, name: str, size: int, tags: Iterable[str], tick: Tick
    ) -> Volume:
        """Take a snapshot, with `size` bytes of room for what changes; of a file, copy it.

        Raises:
            ConflictError: a file was written meanwhile.
            StoppedError: from `tick`, while a file is copied.
        """

    def split(self, snapshot: Volume) -> Volume:
        """Make a snapshot a volume of its own, that holds all it kept; its UUID stays."""


@dataclass(frozen=True)
class RestoreReport:
    """What putting a snapshot's content back came to.

    Args:
        size: bytes compared; 0 of a file, which is copied as a whole.
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
