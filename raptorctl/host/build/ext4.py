"""Files into an ext4 file system, and its size, without mounting it: by e2fsprogs."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from raptorctl.errors import CommandError, HostError
from raptorctl.host.build.room import tool
from raptorctl.host.build.stage import FOLDER_MODE, Staged
from raptorctl.model.build import Empty
from raptorctl.model.sizes import KIB, Size

_ASKED: Final = re.compile(r'^debugfs: +stat "(.*)"$')
_TYPE: Final = re.compile(r"Type: (\w+)")
_NOISE: Final = re.compile(r"debugfs[: ]|Allocated inode: ")
"""What debugfs says where all is well: each command again, and the inodes that it took."""
_BLOCKS: Final = re.compile(r"Estimated minimum size of the filesystem: (\d+)")
_BLOCK_SIZE: Final = re.compile(r"^Block size: +(\d+)$", re.MULTILINE)
REPAIRED: Final = (0, 1)
"""Exit statuses of e2fsck after which the file system is clean (e2fsck(8))."""


def make(disk: Path, empty: Empty) -> None:
    """Format a whole raw disk."""
    words = ["-q", "-F", "-t", "ext4", "-E", "root_owner=0:0", "-L", empty.label]
    words += ["-U", empty.uuid] if empty.uuid else []
    tool(disk.parent, "mke2fs", *words, disk.name)


def put(disk: Path, start: int, entries: Sequence[Staged]) -> None:
    """Put files into the file system that begins at `start` bytes of a raw disk.

    Parents that are missing are made; files that are there are replaced.

    Raises:
        HostError: there is no room, or something else is where a file should go.
    """
    device = f"{disk.name}?offset={start}"
    tool(disk.parent, "e2fsck", "-fp", device, ok=REPAIRED)
    known = _kinds(disk.parent, device, _asked(entries))
    _script(disk.parent, device, _commands(entries, known), "-w")
    check(disk, start)


def check(disk: Path, start: int = 0) -> None:
    """Refuse a file system in which anything is wrong.

    Raises:
        HostError: e2fsck found something.
    """
    try:
        tool(disk.parent, "e2fsck", "-fn", f"{disk.name}?offset={start}")
    except CommandError as error:
        raise HostError(
            f"the file system of {disk.name} is damaged", details=error.details
        ) from error


def least(disk: Path) -> Size:
    """Bytes that the file system of a whole raw disk can be shrunk to."""
    said = tool(disk.parent, "resize2fs", "-P", disk.name)
    block = _number(_BLOCK_SIZE, tool(disk.parent, "dumpe2fs", "-h", disk.name))
    return Size(_number(_BLOCKS, said) * block)


def resize(disk: Path, size: int) -> None:
    """Have the file system of a whole raw disk get a size; shrunk, the file ends with it.

    Raises:
        HostError: what is in it does not fit.
    """
    tool(disk.parent, "e2fsck", "-fp", disk.name, ok=REPAIRED)
    if size < (needed := least(disk)):
        raise HostError(
            f"the file system needs {needed.enough}, and would get {Size(size)}",
            resolution='say a larger size, or "minimum"',
        )
    tool(disk.parent, "resize2fs", disk.name, f"{size // KIB}K")
    check(disk)


def _number(pattern: re.Pattern[str], said: str) -> int:
    found = pattern.search(said)
    if not found:
        raise HostError("e2fsprogs do not say how large the file system is", details=said)
    return int(found[1])


def _asked(entries: Iterable[Staged]) -> list[str]:
    paths = dict.fromkeys(entry.path for entry in entries)
    parents = (str(parent) for path in paths for parent in PurePosixPath(path).parents)
    return sorted({*paths, *parents} - {"/"})


def _kinds(folder: Path, device: str, paths: Sequence[str]) -> dict[str, str]:
    """What is at each path: debugfs' word for it; "" for nothing."""
    said = _script(folder, device, [f"stat {_quoted(path)}" for path in paths], both=False)
    found: dict[str, str] = {"/": "directory"}
    path = ""
    for line in said.splitlines():
        if asked := _ASKED.match(line):
            path = asked[1].replace('""', '"')
        elif path and path not in found and (kind := _TYPE.search(line)):
            found[path] = kind[1]
    return found


def _commands(entries: Iterable[Staged], known: dict[str, str]) -> Iterator[str]:
    for entry in entries:
        for parent in reversed(PurePosixPath(entry.path).parents):
            if known.get(str(parent), "") not in {"directory", "symlink"}:
                _refuse_taken(str(parent), known, "directory")
                yield from _folder(str(parent), FOLDER_MODE, (0, 0))
                known[str(parent)] = "directory"
        there = known.get(entry.path, "")
        if entry.kind == "folder":
            if there not in {"directory", "symlink"}:
                _refuse_taken(entry.path, known, "directory")
                yield from _folder(entry.path, entry.mode, entry.owner)
                known[entry.path] = "directory"
            else:  # its mode stays, as where a machine puts files: `render.build_machine.placed`
                yield from _owned(entry.path, entry.owner)
            continue
        if there == "directory":
            raise HostError(f"{entry.path} is a folder there: name the file in it")
        yield from _one(entry, replaces=bool(there))
        known[entry.path] = "regular"


def _refuse_taken(path: str, known: dict[str, str], wanted: str) -> None:
    if known.get(path):
        raise HostError(f"{path} is a {known[path]} file there, and should be a {wanted}")


def _folder(path: str, mode: int, owner: tuple[int, int]) -> Iterator[str]:
    yield _entered(path)
    yield f"mkdir {_quoted(_named(path))}"
    yield _moded(path, 0o040000 | mode)
    yield from _owned(path, owner)


def _one(entry: Staged, *, replaces: bool) -> Iterator[str]:
    name = PurePosixPath(entry.path).name
    yield _entered(entry.path)
    if replaces:
        yield f"rm {_quoted(_named(entry.path))}"
    if entry.kind == "link":
        yield f"symlink {_quoted(_named(entry.path))} {_quoted(entry.source)}"
    else:
        yield f"write {_quoted(entry.source)} {_quoted(name)}"
        yield _moded(entry.path, 0o100000 | entry.mode)
    yield from _owned(entry.path, entry.owner)


def _entered(path: str) -> str:
    """Go to where a path is: debugfs follows links on the way of a path, and none at its end."""
    parent = PurePosixPath(path).parent
    return f"cd {_quoted(f'{parent}/.' if parent.name else '/')}"


def _named(path: str) -> str:
    """A name as debugfs takes no number of an inode for it, which is written <12>."""
    return f"./{PurePosixPath(path).name}"


def _moded(path: str, mode: int) -> str:
    return f"set_inode_field {_quoted(path)} mode 0{mode:o}"


def _owned(path: str, owner: tuple[int, int]) -> Iterator[str]:
    """Set an owner; of a link, its own: debugfs follows none at a path's end."""
    for field, value in zip(("uid", "gid"), owner, strict=True):
        yield f"set_inode_field {_quoted(path)} {field} {value}"


def _quoted(path: str) -> str:
    """As libss reads a word: a quote within is two (ss_parse in e2fsprogs)."""
    doubled = path.replace('"', '""')
    return f'"{doubled}"'


def _script(
    folder: Path, device: str, commands: Iterable[str], *options: str, both: bool = True
) -> str:
    """Have debugfs do commands. It ends with 0 whatever happens, so what it says is looked at.

    Raises:
        HostError: it says anything that it does not say where all is well.
    """
    script = folder / "debugfs.commands"
    script.write_text("".join(f"{command}\n" for command in commands))
    try:
        said = tool(folder, "debugfs", *options, "-f", script.name, device, both=both)
    finally:
        script.unlink()
    if both:
        odd = [line for line in said.splitlines() if line.strip() and not _NOISE.match(line)]
        if odd:
            raise HostError(f"debugfs: {odd[0].strip()}", details="\n".join(odd))
    return said
