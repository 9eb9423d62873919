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
CLUSTER: Final = 8 * KIB
"""Bytes; the most that mkfs.vfat chooses below 16 GiB."""
ROOT: Final = PurePosixPath("/")
SLOT: Final = 32
"""Bytes of an entry of a folder, of which a long name takes one for 13 letters (the same, 6, 7)."""
LETTERS: Final = 13
USUAL: Final = 512
"""Entries of the root, which does not grow, but in FAT32."""
MOST: Final = 32768
"""Of those that mkfs.vfat makes."""
SECTOR: Final = 512 // SLOT


def make(disk: Path, empty: Empty, entries: Sequence[Staged] = ()) -> None:
    """Format a whole raw disk.

    Args:
        disk: the disk.
        empty: what it says of the label.
        entries: what will be in it, should its root have to hold more names than usual.
    """
    words = ["-n", empty.label] if empty.label else []
    if (slots := _slots(entries).get(ROOT, 0)) > USUAL:
        words += ["-r", str(min(slots - slots % -SECTOR, MOST))]
    tool(disk.parent, "mkfs.vfat", *words, disk.name)


def fitting(folder: Path, entries: Sequence[Staged]) -> Size:
    """Bytes of a file system that holds so many files and folders, and some more."""
    sizes = [(folder / e.source).stat().st_size for e in entries if e.kind == "file"]
    sizes += [slots * SLOT for slots in _slots(entries).values()]
    whole = sum(Size(size).rounded_up(CLUSTER) for size in sizes)
    return Size(max(LEAST, whole + whole // 8 + MIB)).rounded_up(MIB)


def _slots(entries: Sequence[Staged]) -> dict[PurePosixPath, int]:
    """How much each folder holds: of each name its letters, and what it is the name of."""
    paths = [PurePosixPath(entry.path) for entry in entries]
    everything = {each for path in paths for each in (path, *path.parents)} - {ROOT}
    slots = {ROOT: 1}  # the label
    for path in everything:
        letters = len(path.name.encode("utf-16-le")) // 2
        slots[path.parent] = slots.get(path.parent, 2) + 1 + -(-letters // LETTERS)
    folders = {PurePosixPath(entry.path) for entry in entries if entry.kind == "folder"}
    return dict.fromkeys(folders, 2) | slots


def put(disk: Path, start: int, entries: Sequence[Staged]) -> None:
    """Put files into the file system that begins at `start` bytes of a raw disk.

    It knows no owner and no permissions; links are refused.

    Raises:
        HostError: there is no room, a name that it cannot have, or a folder where a file should go.
    """
    there = _There(disk.parent, ("-i", f"{disk.name}@@{start}"))
    for entry in entries:
        path = PurePosixPath(entry.path)
        if entry.kind == "link" or any(map(_UNFIT.search, path.parts[1:])):
            what = "a link" if entry.kind == "link" else "such a name"
            raise HostError(f"{shown(entry.path)}: VFAT has nothing like {what}")
        if "[" in entry.path:
            raise HostError(f"{shown(entry.path)}: on VFAT no name may have [, mtools' pattern")
        there.make(path if entry.kind == "folder" else path.parent)
        if entry.kind == "file":
            there.write(entry.source, path)
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


class _There:
    """What is in the file system, as far as it was looked at; upper and lower case are one."""

    def __init__(self, folder: Path, image: tuple[str, ...]) -> None:
        self._folder, self._image = folder, image
        self._known: dict[str, dict[str, bool]] = {}

    def names(self, path: PurePosixPath) -> dict[str, bool]:
        """Of what is in a folder, whether it is one itself."""
        if (key := str(path).lower()) not in self._known:
            listed = tool(self._folder, "mdir", "-b", *self._image, f"::{path}", ok=(0, 1))
            self._known[key] = {
                PurePosixPath(line.removeprefix("::")).name.lower(): line.endswith("/")
                for line in listed.splitlines()
            }
        return self._known[key]

    def make(self, path: PurePosixPath) -> None:
        """Have a folder there, and those that it is in."""
        for each in (*reversed(path.parents[:-1]), path):
            if str(each) == "/":
                continue
            names = self.names(each.parent)
            if not names.get(each.name.lower(), True):
                raise HostError(f"{shown(str(each))} is a file there, and should be a folder")
            if each.name.lower() not in names:
                tool(self._folder, "mmd", *self._image, f"::{each}")
                names[each.name.lower()] = True

    def write(self, source: str, path: PurePosixPath) -> None:
        """Have a file there; mcopy would write it into a folder of that name."""
        names = self.names(path.parent)
        if names.get(path.name.lower()):
            raise HostError(f"{shown(str(path))} is a folder there: name the file in it")
        try:
            tool(self._folder, "mcopy", "-o", *self._image, source, f"::{path}")
        except CommandError as error:
            full = "No directory slots" in error.stderr
            raise HostError(
                f"{shown(str(path))} could not be written: {error.reason.line}",
                details=error.details,
                resolution="put it into a folder: VFAT has no more names in its root"
                if full
                else "",
            ) from error
        names[path.name.lower()] = False
