"""Files into a VFAT file system, without mounting it: by mtools."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from raptorctl.errors import CommandError, HostError
from raptorctl.host.build.room import tool
from raptorctl.host.build.stage import Staged
from raptorctl.model.build import Empty
from raptorctl.model.names import shown
from raptorctl.model.sizes import KIB, MIB, Size

_UNFIT: Final = re.compile(r'[\x00-\x1f"*/:<>?\\|]|[. ]$')
"""What no long name may have (Microsoft FAT specification, 7)."""
LEAST: Final = 2 * MIB
"""Bytes of a file system that is made for its files: as cloud-localds makes it."""
CLUSTER: Final = 4 * KIB


def make(disk: Path, empty: Empty) -> None:
    """Format a whole raw disk."""
    words = ["-n", empty.label] if empty.label else []
    tool(disk.parent, "mkfs.vfat", *words, disk.name)


def fitting(folder: Path, entries: Sequence[Staged]) -> Size:
    """Bytes of a file system that holds so many files, and some more."""
    sizes = ((folder / e.source).stat().st_size if e.kind == "file" else 0 for e in entries)
    whole = sum(size - size % -CLUSTER + CLUSTER for size in sizes)
    return Size(max(LEAST, whole + whole // 8 + MIB)).rounded_up(MIB)


def put(disk: Path, start: int, entries: Sequence[Staged]) -> None:
    """Put files into the file system that begins at `start` bytes of a raw disk.

    It knows no owner and no permissions; links are refused.

    Raises:
        HostError: there is no room, or a name that it cannot have.
    """
    image = ("-i", f"{disk.name}@@{start}")
    for entry in entries:
        path = PurePosixPath(entry.path)
        if entry.kind == "link" or any(map(_UNFIT.search, path.parts[1:])):
            what = "a link" if entry.kind == "link" else "such a name"
            raise HostError(f"{shown(entry.path)}: VFAT has nothing like {what}")
        if "[" in entry.path:
            raise HostError(f"{shown(entry.path)}: on VFAT no name may have [, mtools' pattern")
        _folders(disk.parent, image, path if entry.kind == "folder" else path.parent)
        if entry.kind == "file":
            try:
                tool(disk.parent, "mcopy", "-o", *image, entry.source, f"::{entry.path}")
            except CommandError as error:
                raise HostError(
                    f"{shown(entry.path)} could not be written: {error.reason.line}",
                    details=error.details,
                ) from error
    check(disk, start)


def check(disk: Path, start: int = 0) -> None:
    """Refuse a file system in which anything is wrong, where it is the whole disk.

    Raises:
        HostError: fsck.vfat found something.
    """
    if start:
        return
    try:
        tool(disk.parent, "fsck.vfat", "-n", disk.name)
    except CommandError as error:
        raise HostError(
            f"the file system of {disk.name} is damaged", details=error.details
        ) from error


def _folders(folder: Path, image: tuple[str, ...], path: PurePosixPath) -> None:
    for each in (*reversed(path.parents[:-1]), path):
        if str(each) == "/":
            continue
        there = tool(folder, "mdir", "-b", *image, f"::{each.parent}", ok=(0, 1))
        names = {
            PurePosixPath(line.rstrip("/").removeprefix("::")).name.lower()
            for line in there.splitlines()
        }
        if each.name.lower() not in names:
            tool(folder, "mmd", *image, f"::{each}")
