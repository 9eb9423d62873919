"""What may be asked of the name server."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from raptorctl.model.record import Record


class Zones(Protocol):
    """The DNS server that takes our updates."""

    def lookup(self, queries: Iterable[tuple[str, str]]) -> tuple[Record, ...]:
        """Return all records for (name, type) pairs, asked of the authoritative server itself."""

    def add(self, zone: str, records: Iterable[Record]) -> None:
        """Add records whose names must be free of their types; one UPDATE.

        Raises:
            ConflictError: a name has records already.
        """

    def remove(self, zone: str, records: Iterable[Record]) -> None:
        """Delete exactly these records; others of the same name stay. One UPDATE."""

    def replace(
        self, zone: str, old: Iterable[Record], new: Iterable[Record], guard: Iterable[Record]
    ) -> None:
        """Put `new` in the place of `old` while the RRsets of `guard` are as given. One UPDATE."""
