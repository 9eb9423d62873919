"""What is on a disk, as far as a build has to know."""

from dataclasses import dataclass
from typing import Final

from raptorctl.model.sizes import Size

ROOTS: Final = frozenset(
    {
        "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709",
        "B921B045-1DF0-41C3-AF44-4C6F280D3FAE",
        "44479540-F297-41B2-9AF7-D131D5F0458A",
    }
)
"""Types of a GPT's partition that is the root of x86-64, of 64-bit ARM, of x86
(Discoverable Partitions Specification)."""
EDITABLE: Final = frozenset({"ext4", "vfat"})
"""File systems that are written without being mounted."""


@dataclass(frozen=True)
class Area:
    """Where a file system is.

    Args:
        start: of it, bytes from the disk's beginning.
        size: bytes.
        filesystem: `ext4` (ext2 and ext3 as well), `vfat`, `xfs`, `btrfs`, `iso9660`, `lvm`,
            `luks`, `swap`; "" for what nobody knows.
        number: the partition's; 0 for the whole disk.
        type: of a partition, as its table has it.
    """

    start: int
    size: Size
    filesystem: str = ""
    number: int = 0
    type: str = ""


@dataclass(frozen=True)
class DiskLook:
    """What is on a disk.

    Args:
        size: bytes.
        label: the partition table's kind, `gpt` or `dos`; "" for none.
        areas: partitions, by number; without a table the whole disk.
    """

    size: Size
    label: str = ""
    areas: tuple[Area, ...] = ()

    @property
    def root(self) -> Area | None:
        """Where `/` is: a partition of that type, else the largest one, or the whole disk."""
        typed = [area for area in self.areas if area.type.upper() in ROOTS]
        return max(typed or self.areas, key=lambda area: area.size, default=None)

    @property
    def last(self) -> Area | None:
        """What is nearest the disk's end, and may grow."""
        return max(self.areas, key=lambda area: area.start, default=None)

    def partition(self, number: int) -> Area | None:
        """The partition of that number, or None."""
        return next((area for area in self.areas if number and area.number == number), None)


def filesystem_of(head: bytes) -> str:
    """Tell a file system by its magic numbers, where the kernel's own drivers look for them.

    Args:
        head: `HEAD` bytes of it.
    """
    marks = (
        (0x438, b"\x53\xef", "ext4"), (0, b"XFSB", "xfs"), (0x10040, b"_BHRfS_M", "btrfs"),
        (0x8001, b"CD001", "iso9660"), (0x218, b"LVM2 001", "lvm"), (0, b"LUKS\xba\xbe", "luks"),
        (0xFF6, b"SWAPSPACE2", "swap"), (0x36, b"FAT", "vfat"), (0x52, b"FAT32", "vfat"),
        (0, b"hsqs", "squashfs"), (0x400, b"\x10\x20\xf5\xf2", "f2fs"),
    )  # fmt: skip
    return next((name for at, mark, name in marks if head[at : at + len(mark)] == mark), "")


HEAD: Final = 0x10048
"""Bytes of a file system that tell which it is."""
