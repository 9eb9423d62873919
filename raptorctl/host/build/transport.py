"""The disk by which shares, scripts and files come into a build's machine, and shares come back."""

import os
import shutil
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from raptorctl.errors import HostError
from raptorctl.host.build import ext4, output
from raptorctl.host.build.room import tool
from raptorctl.host.build.stage import Staged, staged
from raptorctl.host.system.caller import open_given
from raptorctl.model.build import BuildFile, BuildShare, BuildStep
from raptorctl.model.build_room import BuildRoom
from raptorctl.model.names import shown
from raptorctl.model.sizes import GIB, MIB, Size
from raptorctl.render.build_machine import LABEL

TREE: Final = "transport"
DISK: Final = "transport.raw"
BACK: Final = "back"
SPARE: Final = 64 * MIB
"""Bytes for the file system itself, and for what is written down on it."""
ROOM: Final = 4 * GIB
"""Bytes more where steps may write into a share; holes until they do."""


def made(room: BuildRoom) -> tuple[Path, tuple[Staged, ...]]:
    """Make the disk; return it, and which files are still to be put into their places.

    Raises:
        InputError: a share or script is not there, or not the caller's to read.
    """
    folder, tree = Path(room.folder), Path(room.folder) / TREE
    files = laid_out(room)
    for number, share in enumerate(room.shares):
        if not share.files:
            _share(folder, tree / "shares" / str(number), share, room)
    disk = folder / DISK
    size = _size(tree) + SPARE + (ROOM if any(share.writable for share in room.shares) else 0)
    with disk.open("wb") as file:
        file.truncate(Size(size).rounded_up(MIB))
    disk.chmod(0o600)
    tool(folder, "mke2fs", "-q", "-F", "-t", "ext4", "-m", "0", "-L", LABEL, "-d", TREE, disk.name)
    return disk, files


def laid_out(room: BuildRoom) -> tuple[Staged, ...]:
    """Lay scripts, files and shares that are made of files out, without the folders of this side.

    Raises:
        InputError: a file is not there, or not the caller's to read.
    """
    folder, tree = Path(room.folder), Path(room.folder) / TREE
    tree.mkdir(mode=0o700, exist_ok=True)
    for name in ("shares", "steps", "files"):
        (tree / name).mkdir(parents=True, exist_ok=True)
    for number, share in enumerate(room.shares):
        if share.files:
            _share(folder, tree / "shares" / str(number), share, room)
    for number, step in enumerate(room.steps):
        if not step.command:
            script = tree / "steps" / str(number)
            script.write_bytes(_script(step))
            script.chmod(0o755)
    files = staged(folder, room.files, room.variables)
    return tuple(_file(folder, tree, entry) for entry in files)


def rows(files: Sequence[Staged]) -> list[dict[str, str]]:
    """Files as `raptorctl.render.build_machine.placed` takes them."""
    return [
        {"path": file.path, "kind": file.kind, "source": file.source, "mode": f"{file.mode:o}",
         "owner": f"{file.owner[0]}:{file.owner[1]}"} for file in files
    ]  # fmt: skip


def brought_back(room: BuildRoom) -> None:
    """Copy what steps have written into writable shares to where these are from.

    What is gone there stays here. The disk was a guest's, so it is read in a folder where nothing
    else is: debugfs takes a name such as `../disk0.raw` as it stands. Only files and folders come
    back.

    Raises:
        HostError: something cannot be written, or the disk is damaged.
    """
    shares = [(n, s.path) for n, s in enumerate(room.shares) if s.writable and s.path]
    disk = Path(room.folder) / DISK
    if shares:
        ext4.check(disk)
    for number, path in shares:
        back = disk.with_name(BACK)
        if back.exists():
            shutil.rmtree(back)
        back.mkdir(mode=0o700)
        (back / DISK).hardlink_to(disk)
        tool(back, "debugfs", "-R", f"rdump /shares/{number} .", DISK)
        if (back / str(number)).is_symlink():
            raise HostError(f"{shown(path)} came back as a link", resolution="nothing was exported")
        _returned(back / str(number), Path(path))


def _share(folder: Path, place: Path, share: BuildShare, room: BuildRoom) -> None:
    files = share.files or (BuildFile("/", copy=share.path),)
    entries = staged(folder, files, room.variables)
    output.lay_out(folder, [entry for entry in entries if entry.path != "/"], place)


def _script(step: BuildStep) -> bytes:
    if step.run:
        with open_given(step.run) as stream:
            return stream.read()
    head = "" if step.inline.startswith("#!") else "#!/bin/sh -e\n"
    return f"{head}{step.inline}\n".encode()


def _file(folder: Path, tree: Path, entry: Staged) -> Staged:
    """A file that is brought, as the guest finds it."""
    if entry.kind != "file":
        return entry
    source = folder / entry.source
    (tree / "files" / source.name).hardlink_to(source)
    return Staged(entry.path, entry.kind, f"files/{source.name}", entry.mode, entry.owner)


def _size(tree: Path) -> int:
    """Bytes that a tree takes, a block for each name and a little more for what leads to it."""
    sizes = (os.lstat(Path(at, name)).st_size for at, folders, names in os.walk(tree)
             for name in (*folders, *names))  # fmt: skip
    return sum(size + 8192 for size in sizes) * 9 // 8


def _returned(source: Path, target: Path) -> None:
    """Copy a tree over another. Links are left out, and on this side none is followed."""
    for at, folders, names in os.walk(source):
        place = target / Path(at).relative_to(source)
        for name in (*folders, *names):
            found, to = Path(at, name), place / name
            mode = os.lstat(found).st_mode
            try:
                if stat.S_ISDIR(mode):
                    _made_folder(to)
                elif stat.S_ISREG(mode):
                    _copied(found, to)
            except OSError as error:
                raise HostError(f"{shown(str(to))} cannot be written: {error.strerror}") from error


def _made_folder(to: Path) -> None:
    """A step may have a folder where a link of this side was, which leads out of the share."""
    if to.is_symlink():
        raise HostError(f"{shown(str(to))} is a link here, and a step made a folder of it")
    to.mkdir(exist_ok=True)


def _copied(found: Path, to: Path) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(to, flags, os.lstat(found).st_mode & 0o777)
    with os.fdopen(descriptor, "wb") as copy, found.open("rb") as stream:
        shutil.copyfileobj(stream, copy, 1 << 20)
