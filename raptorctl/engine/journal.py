"""Journals: what a job is about to do, written durably before it does it.

One file per job, one JSON object per line. Each line has a sequence number and a CRC-32 of the rest
of itself, and is on the disk (fdatasync) before the act it announces. Space for the job's end is
taken at its beginning, so that a full disk cannot keep a rollback from being recorded; until the
job ends, the file has a tail of NUL bytes. A line without its end was never written.

Whoever works on a job holds a lock on its journal (flock(2), gone with the process), so that a job
at work and one that was cut off can be told apart.
"""

import fcntl
import json
import os
import zlib
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from raptorctl.errors import JournalError, RefusedError
from raptorctl.host.system.durable import sync_directory, write_whole
from raptorctl.model.error_code import Code

RESERVE: Final = 64 << 10  # bytes beyond the plan itself
VERSION: Final = 1
SECTOR: Final = 512  # bytes that a disk writes whole or not at all


@dataclass(frozen=True)
class Entry:
    """One line.

    Args:
        seq: counts from 0.
        at: UTC, ISO 8601, milliseconds.
        type: `BEGIN`, `INTENT`, `DONE`, ...
        data: everything else.
    """

    seq: int
    at: str
    type: str
    data: Mapping[str, Any]


class Journal:
    """A job's journal, open for writing.

    Args:
        path: the file.
        descriptor: open for reading and writing.
        offset: where the next line goes.
        seq: its number.
    """

    def __init__(self, path: Path, descriptor: int, offset: int = 0, seq: int = 0) -> None:
        self.path = path
        self._descriptor = descriptor
        self._offset = offset
        self._seq = seq

    @classmethod
    def create(cls, path: Path, plan: Mapping[str, Any], ended: Path) -> Self:
        """Start a journal whose first line is the plan. Nothing has been touched before this.

        Args:
            path: the file.
            plan: the job's.
            ended: where it goes once the job has ended.

        Raises:
            RefusedError: it cannot be made durable, or there is such a job.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        line = _line(Entry(0, now(), "BEGIN", {"version": VERSION, "plan": plan}))
        try:
            with ExitStack() as failing:
                descriptor = os.open(path, flags, 0o600)
                failing.callback(os.close, descriptor)
                failing.callback(path.unlink, missing_ok=True)
                _refuse_ended(ended / path.name)  # now that the name is taken: open ones move there
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                os.posix_fallocate(descriptor, 0, len(line) + RESERVE)
                journal = cls(path, descriptor)
                journal.write("BEGIN", version=VERSION, plan=plan)
                sync_directory(path.parent)
                failing.pop_all()
        except FileExistsError as error:
            raise _taken(path) from error
        except OSError as error:
            raise RefusedError(
                f"cannot write journal {path}: {error.strerror}", resolution="nothing was touched"
            ) from error
        return journal

    @classmethod
    def reopen(cls, path: Path) -> Self:
        """Continue a journal after its last whole line.

        Raises:
            JournalError: a line before the last is damaged.
            RefusedError: somebody is at work on it.
        """
        if is_held(path):
            raise RefusedError(
                f"the job of {path} is still at work", code=Code.BUSY, subject=path.name
            )
        entries, end, damage = read_journal(path)
        if damage:
            raise JournalError(f"journal {path} is damaged: {damage}")
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        _blank_after(descriptor, end)
        if end:
            os.pwrite(descriptor, b"\n", end - 1)  # should just that byte have been cut off
        return cls(path, descriptor, end, len(entries))

    def write(self, kind: str, **data: Any) -> None:
        """Append one line and wait until it is on the disk.

        Raises:
            OSError: it is not.
        """
        line = _line(Entry(self._seq, now(), kind, data))
        write_whole(self._descriptor, line, self._offset)
        os.fdatasync(self._descriptor)
        self._offset += len(line)
        self._seq += 1

    def finish(self, kind: str) -> None:
        """Write the last line, and give back the space that was kept for it.

        Raises:
            OSError: the last line may or may not be on the disk.
        """
        self.write(kind)
        os.ftruncate(self._descriptor, self._offset)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)


def _refuse_ended(path: Path) -> None:
    """Refuse a name that was a job's: what belongs to one bears it, and would seem the other's."""
    if path.exists():
        raise _taken(path)


def _taken(path: Path) -> RefusedError:
    return RefusedError(
        f"there is a job {path.stem} already, which began in the same second",
        resolution="nothing was touched; try it again",
    )


def is_held(path: Path) -> bool:
    """Whether a living process is at work on a journal."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def settle(path: Path, directory: Path) -> None:
    """Move a journal to `directory`, durably."""
    path.replace(directory / path.name)
    sync_directory(directory)
    sync_directory(path.parent)


def read_journal(path: Path) -> tuple[tuple[Entry, ...], int, str]:
    """Read the lines that can be trusted.

    Returns:
        The entries, the offset after the last one, and what is wrong behind it ("" when nothing is:
        a last line without its end was never written).
    """
    entries: list[Entry] = []
    end = 0
    *lines, tail = path.read_bytes().rstrip(b"\0").split(b"\n")
    for number, line in enumerate(lines):
        entry = _entry(line)
        if entry is None or entry.seq != len(entries):
            last = number == len(lines) - 1 and not tail
            torn = entry is None and last and _is_torn(line, end)
            return tuple(entries), end, "" if torn else _damage(number, entry)
        entries.append(entry)
        end += len(line) + 1
    return _with_tail(entries, end, tail)


def _with_tail(entries: list[Entry], end: int, tail: bytes) -> tuple[tuple[Entry, ...], int, str]:
    """Judge what follows the last line's end: usually nothing.

    The beginning of a line was never written; a whole one that lacks its end says what it says, as
    a line is written after what it tells of, and an INTENT is only ever a "maybe".
    """
    entry = _entry(tail)
    if entry and entry.seq == len(entries):
        return (*entries, entry), end + len(tail) + 1, ""
    if _entry(tail[:-1]):
        return tuple(entries), end, f"line {len(entries) + 1} has another end than a line's"
    return tuple(entries), end, ""


def now() -> str:
    """The time in UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _line(entry: Entry) -> bytes:
    body = _dump({"seq": entry.seq, "at": entry.at, "type": entry.type, **entry.data})
    return f'{{"crc":"{zlib.crc32(body):08x}",{body[1:].decode()}\n'.encode()


def _entry(line: bytes) -> Entry | None:
    try:
        fields = json.loads(line)
        crc = fields.pop("crc")
        if crc != f"{zlib.crc32(_dump(fields)):08x}":
            return None
        return Entry(fields.pop("seq"), fields.pop("at"), fields.pop("type"), fields)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _dump(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()


def _damage(number: int, entry: Entry | None) -> str:
    if entry is None:
        return f"line {number + 1} fails its checksum"
    return f"line {number + 1} has sequence number {entry.seq}"


def _is_torn(line: bytes, offset: int) -> bool:
    """Whether a write was cut off: whole sectors of it are missing, and the others are whole.

    A line that is there from end to end, and wrong, was written and has changed since.
    """
    cuts = [0, *range(SECTOR - offset % SECTOR, len(line), SECTOR), len(line)]
    pieces = [line[start:stop] for start, stop in pairwise(cuts)]
    missing = [piece.strip(b"\0") == b"" for piece in pieces]
    return any(missing) and all(gone or 0 not in p for gone, p in zip(missing, pieces, strict=True))


def _blank_after(descriptor: int, end: int) -> None:
    # In place, as giving the space back to get it anew would fail on a full disk.
    size = os.fstat(descriptor).st_size
    os.pwrite(descriptor, bytes(size - end), end)
    with suppress(OSError):
        os.posix_fallocate(descriptor, 0, end + RESERVE)
    os.fdatasync(descriptor)
