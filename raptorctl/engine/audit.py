"""The audit log: how every job ended, appended and never changed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from raptorctl.errors import HostError
from raptorctl.host.system import journald
from raptorctl.host.system.durable import append_line
from raptorctl.model.audit import AuditEntry, parse_entry
from raptorctl.model.codec import encode

AUDIT: Final = Path("/var/log/raptorctl/audit.jsonl")


class AuditLog:
    """The log in one file, one JSON object per line.

    Args:
        path: the file.
        official: the host's own, not one that somebody tries things with: append-only
            (chattr(1), +a) where the filesystem can, and journald hears of each line as well.
    """

    def __init__(self, path: Path = AUDIT, *, official: bool = False) -> None:
        self.path = path
        self._official = official

    def append(self, entry: AuditEntry) -> None:
        """Add a line, durably.

        Raises:
            HostError: what was done is done, but the log does not say so; journald has heard of it.
        """
        try:
            append_line(self.path, json.dumps(encode(entry)), keep=self._official)
        except OSError as error:
            what = f"job {entry.job}" if entry.job else f"{entry.verb} {entry.machine}"
            raise HostError(
                f"{what} is {entry.outcome}, but {self.path} does not say so: {error.strerror}"
            ) from error
        finally:
            self._send(entry)

    def _send(self, entry: AuditEntry) -> None:
        if self._official:
            fields = {f"RAPTOR_{name.upper()}": str(value) for name, value in _fields(entry)}
            journald.send(f"{entry.verb} {entry.machine}: {entry.outcome}", fields)

    def read(self) -> tuple[tuple[AuditEntry, ...], tuple[int, ...]]:
        """Return all entries, oldest first, and the numbers of lines that are none.

        Raises:
            HostError: the file is there but cannot be read.
        """
        try:
            text = self.path.read_text(errors="replace") if self.path.exists() else ""
        except OSError as error:
            raise HostError(f"cannot read {self.path}: {error.strerror}") from error
        parsed = [parse_entry(line) for line in text.splitlines()]
        bad = tuple(number for number, entry in enumerate(parsed, start=1) if entry is None)
        return tuple(entry for entry in parsed if entry), bad


def _fields(entry: AuditEntry) -> Iterator[tuple[str, object]]:
    yield from ((name, value) for name, value in vars(entry).items() if isinstance(value, str))
    yield "wiped", sum(int(receipt.get("size", 0)) for receipt in entry.wiped)
