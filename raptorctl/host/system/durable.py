"""Writes that survive a power cut: first the data, then the directory that names it (fsync(2))."""

import errno
import fcntl
import os
import struct
from contextlib import suppress
from pathlib import Path
from typing import Final

FS_IOC_GETFLAGS: Final = 0x80086601
FS_IOC_SETFLAGS: Final = 0x40086602
FS_APPEND_FL: Final = 0x20
"""ioctl_iflags(2)."""


def sync_directory(path: Path) -> None:
    """Make names created in, renamed into or removed from a directory durable.

    Raises:
        OSError: they may not be.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def append_line(path: Path, line: str, *, keep: bool = False) -> None:
    """Append one line to a log, and wait until it is on the disk.

    Args:
        path: the log.
        line: without its line break.
        keep: have the kernel refuse all but appending, where the filesystem can.

    Raises:
        OSError: it may not be.
    """
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o640)
    try:
        if keep:
            _only_append(descriptor)
        # A line that a full disk has cut ends here, and spoils no other.
        start = "\n" if _is_torn(descriptor) else ""
        write_whole(descriptor, f"{start}{line}\n".encode())
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(descriptor: int, data: bytes, at: int | None = None) -> None:
    """Write all of it; at the descriptor's own place unless `at` says where.

    Raises:
        OSError: ENOSPC where the disk takes only a part, which write(2) does not call an error.
    """
    count = os.write(descriptor, data) if at is None else os.pwrite(descriptor, data, at)
    if count != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _is_torn(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


def _only_append(descriptor: int) -> None:
    """Set `chattr +a`. Not every filesystem has it (tmpfs, NFS): the log is kept all the same."""
    with suppress(OSError):
        held = fcntl.ioctl(descriptor, FS_IOC_GETFLAGS, bytes(8))
        flags = struct.unpack("l", held)[0]
        if not flags & FS_APPEND_FL:
            fcntl.ioctl(descriptor, FS_IOC_SETFLAGS, struct.pack("l", flags | FS_APPEND_FL))


def replace_file(path: Path, content: bytes, mode: int) -> None:
    """Put a file with this content in place of another, or of none, whole or not at all.

    Nobody else may do so for the same path at the same time: a lock sees to it.

    Args:
        path: its directory is made, with mode 0755, when missing.
        content: all of it.
        mode: its permissions, whatever the umask.

    Raises:
        OSError: it could not be written; what was there is untouched.
    """
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    work = unfinished(path)
    work.unlink(missing_ok=True)
    descriptor = os.open(work, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        work.replace(path)
    except BaseException:
        work.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def remove_file(path: Path) -> None:
    """Remove a file, if it is there, and what is left of a `replace_file` of it that was cut off.

    Raises:
        OSError: it cannot be removed, e.g. as it is a directory.
    """
    for each in (path, unfinished(path)):
        if os.path.lexists(each):
            each.unlink(missing_ok=True)
            sync_directory(path.parent)


def unfinished(path: Path) -> Path:
    """Where a file is written before it takes its place.

    No reader of the directory takes it for one of its own: sshd, sudo and polkit skip or never ask
    for a name that begins with a dot.
    """
    return path.with_name(f".{path.name}.new")
