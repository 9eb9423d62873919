"""What a build writes outside of its folder: beside its place first, then put there at once."""

import errno
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

from raptorctl.drivers.tick import Tick
from raptorctl.errors import HostError
from raptorctl.host.build.disks import convert
from raptorctl.host.build.stage import Staged, refuse_through
from raptorctl.host.system.durable import remove_file, replace_file, sync_directory
from raptorctl.host.system.writeback import Writeback
from raptorctl.model.build import DiskFormat
from raptorctl.model.build_record import BuildRecord, WrittenFile
from raptorctl.model.codec import ShapeError, decode, encode
from raptorctl.model.names import shown
from raptorctl.model.sizes import Size

TREE: Final = ".tree"
"""What follows a disk's name where its files are laid out, should it go to a folder."""

NOWHERE: Final = {errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP}
"""Why nothing can ever have been at a path."""


def export(disk: Path, form: DiskFormat, target: Path, tick: Tick, *, last: bool) -> None:
    """Write a disk to a file; see `raptorctl.drivers.build.Builder`."""
    with _told(target):
        _folders(target.parent)
        target.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with open(os.open(target, flags, 0o644), "wb") as file:  # noqa: PTH123 - a descriptor
            if not (last and form is DiskFormat.RAW and _taken(disk, target, file)):
                _converted(disk, form, target, file, tick)
        sync_directory(target.parent)


def _taken(disk: Path, target: Path, made: BinaryIO) -> bool:
    """Have the disk itself as the output, if it is on the same file system; durably."""
    mode = os.fstat(made.fileno()).st_mode & 0o777
    if os.stat(disk).st_uid != os.geteuid():  # noqa: PTH116 - whoever it is could write to it
        return False
    try:
        disk.rename(target)
    except OSError:  # another file system: it is copied there
        return False
    with target.open("rb") as file:
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
    return True


def _converted(disk: Path, form: DiskFormat, target: Path, made: BinaryIO, tick: Tick) -> None:
    """Write it into the file that is there, durably."""
    with closing(Writeback(made.fileno())) as file:

        def written(done: int, total: int) -> None:
            file.grown(done)
            tick(done, total)

        convert(("-f", "raw", str(disk)), form, target, disk.stat().st_size, written)
        file.settle()


def export_folder(disk: Path, target: Path) -> None:
    """Copy the files that were put into a disk; see `raptorctl.drivers.build.Builder`."""
    with _told(target):
        _folders(target.parent)
        if target.exists():
            shutil.rmtree(target)
        shutil.copytree(disk.with_suffix(TREE), target, symlinks=True)
        for at, _, files in os.walk(target):
            for name in files:
                path = Path(at, name)
                if not path.is_symlink():
                    with path.open("rb") as file:
                        os.fsync(file.fileno())
            sync_directory(Path(at))
        target.chmod(0o755)
        sync_directory(target.parent)


def unexport(target: Path, made: Sequence[str]) -> None:
    """Remove what was exported, and folders that were made for it, innermost first."""
    _remove(target)
    for folder in made:
        with suppress(OSError):  # something else is in it by now
            Path(folder).rmdir()


def published(staged: Path, target: Path) -> bool:
    """Whether what was exported is in its place."""
    return not os.path.lexists(staged) and os.path.lexists(target)


def publish(staged: Path, target: Path, before: Path) -> None:
    """Put what was exported into its place. A file that was there keeps a second name.

    Which file is ours is written down first: another may be there by the time that it is withdrawn.
    """
    with _told(target):
        _folders(target.parent)
        if os.path.lexists(target) and _is_folder(target) != _is_folder(staged):
            raise HostError(f"{target} came to be something else meanwhile")
        replace_file(_own(before), str(os.lstat(staged).st_ino).encode(), 0o600)
        if os.path.lexists(target) and not os.path.lexists(before):
            try:
                before.hardlink_to(target)
            except OSError:  # a folder, or a file system without links: gone for a moment
                target.rename(before)
        staged.rename(target)
        sync_directory(target.parent)


def withdraw(staged: Path, target: Path, before: Path) -> None:
    """Take it out of its place again, and bring back what was there. May be done again."""
    if _is_ours(target, before):
        target.rename(staged)
    if os.path.lexists(before):
        if os.path.lexists(target):  # the same file under two names: rename(2) would do nothing
            _remove(before)
        else:
            before.rename(target)
    if target.parent.is_dir():
        sync_directory(target.parent)
    remove_file(_own(before))


def settle(before: Path) -> None:
    """Remove what was there before, for good."""
    if os.path.lexists(before):
        _remove(before)
        sync_directory(before.parent)
    remove_file(_own(before))


def _own(before: Path) -> Path:
    return before.with_name(f"{before.name}.own")


def _is_ours(target: Path, before: Path) -> bool:
    try:
        return int(_own(before).read_text()) == os.lstat(target).st_ino
    except (OSError, ValueError):
        return False


def read_record(path: Path) -> BuildRecord | None:
    """Return what is kept of the last time, if it can be read."""
    try:
        return decode(BuildRecord, json.loads(path.read_bytes()))
    except (OSError, ValueError, ShapeError):
        return None


def record(path: Path) -> BuildRecord | None:
    """Return what is kept of the last time; None where a file is not as it was written."""
    found = read_record(path)
    fits = found and all(_now(file.path) == file for file in found.files)
    return found if fits else None


def keep_record(path: Path, made: BuildRecord) -> None:
    """Keep what was done, with what the files that were written are like now."""
    files = tuple(filter(None, (_now(file.path) for file in made.files)))
    kept = replace(made, files=files)
    _folders(path.parent)
    replace_file(path, (json.dumps(encode(kept), indent=2) + "\n").encode(), 0o644)


def _now(path: str) -> WrittenFile | None:
    try:
        state = os.stat(path)  # noqa: PTH116
        tree = _tree(path) if stat.S_ISDIR(state.st_mode) else ""
    except OSError:
        return None
    return WrittenFile(path, Size(state.st_size), state.st_mtime_ns, tree)


def _tree(path: str) -> str:
    """What all that is in a folder is like: its own time tells of names alone."""
    whole = hashlib.sha256()
    for at, folders, names in os.walk(path):
        folders.sort()
        for name in sorted([*folders, *names]):
            each = Path(at, name)
            state = each.lstat()
            size = 0 if stat.S_ISDIR(state.st_mode) else state.st_size
            said = f"{each}\0{state.st_mode:o}\0{size}\0{state.st_mtime_ns}\0"
            whole.update(os.fsencode(said))
    return whole.hexdigest()


def lay_out(folder: Path, entries: Sequence[Staged], tree: Path) -> None:
    """Lay files of a build's folder out as they are to be below `tree`, and nowhere else.

    Args:
        folder: the build's.
        entries: in the order in which they are laid out.
        tree: made anew.

    Raises:
        InputError: one would go through a link of another, which may lead anywhere.
        HostError: one has a name that no file can have here.
    """
    refuse_through(entries, "link")
    if tree.exists():
        shutil.rmtree(tree)
    tree.mkdir(mode=0o700)
    for entry in entries:
        try:
            _laid(folder / entry.source, entry, tree)
        except OSError as error:
            what = f"{shown(entry.path)} cannot be laid out: {error.strerror}"
            raise HostError(what) from error


def _laid(source: Path, entry: Staged, tree: Path) -> None:
    """Lay one thing out. No link is followed, wherever one might have come from."""
    path = tree
    for name in PurePosixPath(entry.path).parts[1:-1]:
        path /= name
        _real_folder(path)
    path /= PurePosixPath(entry.path).name
    if entry.kind == "folder":
        _real_folder(path)
    elif entry.kind == "link":
        path.symlink_to(entry.source)
    else:
        new = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        old = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        with (
            open(os.open(source, old), "rb") as stream,  # noqa: PTH123 - a descriptor
            open(os.open(path, new, 0o600), "wb") as copy,  # noqa: PTH123
        ):
            shutil.copyfileobj(stream, copy, 1 << 20)
            os.fchmod(copy.fileno(), entry.mode & 0o777)


def _real_folder(path: Path) -> None:
    if path.is_symlink():
        raise OSError(errno.ELOOP, f"{path.name} is a link")
    path.mkdir(exist_ok=True)


def _folders(folder: Path) -> None:
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir()


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _remove(path: Path) -> None:
    try:
        if _is_folder(path):
            shutil.rmtree(path)
        else:
            remove_file(path)
    except OSError as error:
        if error.errno not in NOWHERE:
            raise


@contextmanager
def _told(target: Path) -> Iterator[None]:
    """Say of an error of the system's which output it was about."""
    try:
        yield
    except OSError as error:
        raise HostError(f"{target.parent} cannot be written to: {error.strerror}") from error
