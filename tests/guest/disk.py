"""Disks that a UEFI firmware boots, as files: no loop devices, no mounts."""

from dataclasses import dataclass
from pathlib import Path

from tests.lab.process import as_root, tool

MIB = 1 << 20
BOOT_PATH = "::/EFI/BOOT/BOOTX64.EFI"
"""Where a firmware without any settings looks (UEFI specification 2.10, 3.5.1.1)."""

SYSTEM, ROOT = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"
"""Partition types: EFI system partition, and root for x86-64
(https://uapi-group.org/specifications/specs/discoverable_partitions_specification/)."""


@dataclass(frozen=True)
class Part:
    """A partition and what is in it.

    Args:
        content: a file as large as the partition.
        kind: the type's GUID.
    """

    content: Path
    kind: str

    @property
    def mib(self) -> int:
        """The size in MiB."""
        return self.content.stat().st_size // MIB


def system_partition(program: Path, target: Path, mib: int, *files: Path) -> Part:
    """Make a FAT of `mib` MiB in which the firmware finds `program`, and the program `files`."""
    _empty(target, mib)
    tool("mkfs.fat", "-n", "ESP", target, timeout=60)
    tool("mmd", "-i", target, "::/EFI", "::/EFI/BOOT", timeout=60)
    tool("mcopy", "-i", target, program, BOOT_PATH, timeout=60)
    for file in files:
        tool("mcopy", "-i", target, file, f"::/{file.name}", timeout=60)
    return Part(target, SYSTEM)


def root_partition(tree: Path, target: Path, mib: int) -> Part:
    """Make an ext4 of `mib` MiB that holds `tree`, whose files are root's."""
    _empty(target, mib)
    tool(*as_root("mkfs.ext4", "-q", "-L", "guest-root", "-d", tree, target), timeout=300)
    return Part(target, ROOT)


def assemble(target: Path, *parts: Part) -> None:
    """Write a partition table and the parts, one after the other from 1 MiB on."""
    _empty(target, sum(part.mib for part in parts) + 2)  # the table is at both ends
    table = target.with_suffix(".sfdisk")
    rows = "".join(f"size={part.mib}MiB, type={part.kind}\n" for part in parts)
    table.write_text(f"label: gpt\n{rows}")
    tool("sh", "-c", 'sfdisk -q "$1" <"$2"', "sfdisk", target, table, timeout=60)
    start = 1
    for part in parts:
        places = (f"if={part.content}", f"of={target}", "bs=1M", f"seek={start}")
        tool("dd", *places, "conv=notrunc,sparse", "status=none", timeout=300)
        start += part.mib


def _empty(path: Path, mib: int) -> None:
    with path.open("wb") as file:
        file.truncate(mib * MIB)
