"""A download that is not whole yet, and what must be known to go on with it another time."""

import json
import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from raptorctl.drivers.tick import Tick
from raptorctl.errors import RefusedError
from raptorctl.host.image.ahead import LAG, Ahead
from raptorctl.host.image.transfer import hashed_stream
from raptorctl.host.system.durable import replace_file
from raptorctl.model.error_code import Code
from raptorctl.model.sizes import Size

MODE: Final = 0o600


class Partial:
    """A file that grows, and beside it what it is of.

    Args:
        path: without the ending; two files begin with it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.with_suffix(".part")
        self._about = path.with_suffix(".json")
        self._url, self.validator, self.total = self._read()
        self._ahead: Ahead | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave()

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def is_whole(self) -> bool:
        """Whether as much is there as the server once said."""
        return self.total is not None and self.size == self.total

    def resumable(self, url: str) -> int:
        """At which byte to go on; 0 for the beginning, when nothing says it is the same thing."""
        fits = url == self._url and self.validator and self.total is not None
        return self.size if fits and self.size <= (self.total or 0) else 0

    def begin(self, url: str, validator: str, total: int | None) -> None:
        """Begin anew.

        Raises:
            RefusedError: there is no room for it.
        """
        self.clear()
        _checked_room(self.path.parent, total or 0)
        self._url, self.validator, self.total = url, validator, total
        text = json.dumps({"url": url, "validator": validator, "total": total})
        replace_file(self._about, text.encode(), MODE)
        self.write(b"")  # a body may be empty, and is a file all the same

    def write(self, chunk: bytes) -> None:
        """Append bytes.

        Raises:
            RefusedError: the disk is full; what is there is kept.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            with open(os.open(self.path, flags, MODE), "ab") as file:  # noqa: PTH123 - a descriptor
                file.write(chunk)
            if (size := self.size) >= LAG:
                self._ahead = self._ahead or Ahead(self.path)
                self._ahead.grown(size)
        except OSError as error:
            raise RefusedError(f"cannot write {self.path.parent}: {error.strerror}") from error

    def sha256(self, stream: BinaryIO, tick: Tick) -> str:
        """Return the SHA-256 of all of it, most of which is known by now.

        Args:
            stream: the file, opened; left at its beginning.
            tick: told how far it is.

        Raises:
            OSError: it cannot be read.
        """
        return (self._ahead.sha256 if self._ahead else hashed_stream)(stream, tick)

    def settle(self) -> None:
        """Wait until all of it is on the disk.

        Raises:
            OSError: it is not.
        """
        if self._ahead:
            self._ahead.settle()
            return
        with self.path.open("rb") as file:
            os.fsync(file.fileno())

    def clear(self) -> None:
        """Remove all of it."""
        self._leave()
        self.path.unlink(missing_ok=True)
        self._about.unlink(missing_ok=True)
        self._url, self.validator, self.total = "", "", None

    def _leave(self) -> None:
        if self._ahead:
            self._ahead.close()
            self._ahead = None

    def _read(self) -> tuple[str, str, int | None]:
        try:
            about = json.loads(self._about.read_bytes())
            total = about["total"]
            return (
                str(about["url"]),
                str(about["validator"]),
                total if total is None else int(total),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return "", "", None  # nothing to go on with: it begins anew


def _checked_room(folder: Path, size: int) -> None:
    status = os.statvfs(folder)
    free = Size(status.f_bavail * status.f_frsize)
    if size > free:
        raise RefusedError(
            f"{folder} has room for {free}, and {Size(size)} would come",
            code=Code.STORAGE_FULL,
            subject=str(folder),
        )
