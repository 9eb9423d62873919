"""Zones in memory."""

from collections.abc import Iterable

from raptorctl.errors import ConflictError
from raptorctl.model.record import Record


class FakeZones:
    def __init__(self) -> None:
        self.records: set[Record] = set()

    def lookup(self, queries: Iterable[tuple[str, str]]) -> tuple[Record, ...]:
        asked = set(queries)
        return tuple(sorted(r for r in self.records if (r.name, r.type) in asked))

    def add(self, zone: str, records: Iterable[Record]) -> None:
        wanted = set(records)
        names = {r.name for r in wanted}
        there = {r for r in self.records if r.name in names}
        if there and there != wanted:
            raise ConflictError(f"{min(there).name} has records already")
        self.records |= wanted

    def remove(self, zone: str, records: Iterable[Record]) -> None:
        self.records -= set(records)

    def replace(
        self, zone: str, old: Iterable[Record], new: Iterable[Record], guard: Iterable[Record]
    ) -> None:
        old, new, guard = set(old), set(new), set(guard)
        if new <= self.records and not old & self.records:
            return
        if set(self.lookup({(r.name, r.type) for r in guard})) != guard:
            raise ConflictError(f"{min(guard).name} is not as it was")
        self.records = (self.records - old) | new
