"""Writes that survive a power cut: first the data, then the directory that names it (fsync(2))."""

import os
from pathlib import Path


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


def append_line(path: Path, line: str) -> None:
    """Append one line to a log, whole or not at all, and wait until it is on the disk.

    Raises:
        OSError: it may not be.
    """
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o640)
    try:
        os.write(descriptor, f"{line}\n".encode())
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
