"""A file that somebody names as an image's source."""

import os
import stat
from typing import BinaryIO, cast

from raptorctl.errors import InputError


def opened(path: str) -> BinaryIO:
    """Open a file that somebody names, unbuffered, and no link, device or FIFO.

    Raises:
        InputError: it is none.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        source = cast("BinaryIO", open(os.open(path, flags), "rb", buffering=0))  # noqa: PTH123, SIM115 - a descriptor
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(source.fileno()).st_mode):
        source.close()
        raise InputError(f"{path} is not a regular file")
    return source


def file_version(source: BinaryIO) -> str:
    """What tells one state of a file from the next."""
    status = os.fstat(source.fileno())
    return f"{status.st_ino} {status.st_size} {status.st_mtime_ns}"
