"""What steps in guests said: one file per machine, appended to, root's."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final, Self

from raptorctl.errors import HostError
from raptorctl.model.stamp import stamp

MOST: Final = 16 << 20
"""Bytes of one step that are kept: a guest is its tenant's, the disk is the host's."""


class StepLog:
    """The log of one machine's steps, open while they run.

    Args:
        path: the file; its folder is made where it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._room = MOST

    def __enter__(self) -> Self:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            self._file = os.fdopen(os.open(self._path, flags, 0o600), "ab", buffering=0)
        except OSError as error:
            why = "it is a symbolic link" if self._path.is_symlink() else error.strerror
            raise HostError(f"{self._path} cannot be written: {why}") from error
        return self

    def __exit__(self, *_error: object) -> None:
        if self._file:
            self._file.close()

    def head(self, text: str) -> None:
        """Begin a step, or end it: a line of our own, with the time in UTC."""
        self._write(f"== {stamp(datetime.now(UTC))} {text}\n".encode())
        self._room = MOST

    def said(self, data: bytes) -> None:
        """Write what a step said, up to a limit.

        Raises:
            HostError: the disk is full.
        """
        if self._room > 0:
            self._write(data[: self._room])
            self._room -= len(data)
            if self._room <= 0:
                self._write(b"\n== the rest of what it said is not kept\n")

    def _write(self, data: bytes) -> None:
        """Append.

        Raises:
            HostError: the disk is full.
        """
        try:
            if self._file:
                self._file.write(data)
        except OSError as error:
            raise HostError(f"{self._path} cannot be written: {error.strerror}") from error
