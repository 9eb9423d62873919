"""Writes that survive a power cut: first the data, then the directory that names it (fsync(2))."""

import os
import tempfile
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


def replace_file(path: Path, content: bytes, mode: int) -> None:
    """Put a file with this content in place of another, or of none, whole or not at all.

    Args:
        path: its directory is made, with mode 0755, when missing.
        content: all of it.
        mode: its permissions, whatever the umask.

    Raises:
        OSError: it could not be written; what was there is untouched.
    """
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    # A name that no reader of the directory takes for one of its own: sshd, sudo and polkit skip
    # or never ask for a name that begins with a dot.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_directory(path.parent)
