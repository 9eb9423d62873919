"""DNS records: added and removed, one UPDATE message per zone."""

from dataclasses import dataclass

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.errors import HostError
from raptorctl.model.override import override
from raptorctl.model.record import Record, readable
from raptorctl.steps.step import Observed, Step


@dataclass(frozen=True)
class AddRecords(Step):
    """Add records whose names nobody uses yet.

    Args:
        zone: absolute.
        records: what to add.
    """

    zone: str
    records: tuple[Record, ...]

    kind = "records.add"

    @property
    @override
    def title(self) -> str:
        return f"add {_shown(self.records)}"

    def is_done(self, host: Host) -> bool:
        """All are there."""
        return _present(host, self.records) == set(self.records)

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Add them, and ask the server what it has now."""
        host.zones.add(self.zone, self.records)
        if not self.is_done(host):
            raise HostError(f"the server took the update of {self.zone} but does not answer so")
        return {}

    def undo(self, host: Host, tick: Tick) -> None:
        """Delete exactly these."""
        host.zones.remove(self.zone, self.records)

    @override
    def leftover(self) -> str:
        return _shown(self.records)


@dataclass(frozen=True)
class RemoveRecords(Step):
    """Delete exactly these records; others of the same names stay.

    Args:
        zone: absolute.
        records: what to delete.
    """

    zone: str
    records: tuple[Record, ...]

    kind = "records.remove"
    deferrable = True

    @property
    @override
    def title(self) -> str:
        return f"delete {_shown(self.records)}"

    def is_done(self, host: Host) -> bool:
        """None is there."""
        return not self._left(host)

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Delete them, and ask the server what it has now."""
        host.zones.remove(self.zone, self.records)
        if left := self._left(host):
            raise HostError(f"the server still answers {_shown(tuple(sorted(left)))}")
        return {}

    def undo(self, host: Host, tick: Tick) -> None:
        """Add again what is missing, beside what others have at the same names."""
        missing = set(self.records) - _present(host, self.records)
        if missing:
            host.zones.replace(self.zone, (), sorted(missing), ())

    @override
    def leftover(self) -> str:
        return _shown(self.records)

    def _left(self, host: Host) -> set[Record]:
        there = _present(host, self.records)
        marks = {record for record in self.records if record.type == "TXT"}
        # Without our ownership TXT, whatever is at the name is somebody else's, and stays.
        return there if not marks or marks & there else set()


@dataclass(frozen=True)
class ReplaceRecords(Step):
    """Put records right at names that are ours, in one message: all of it or nothing.

    Args:
        zone: absolute.
        old: what goes.
        new: what comes.
        guard: whole RRsets that say whose the names are; as long as they are there, we act.
    """

    zone: str
    old: tuple[Record, ...]
    new: tuple[Record, ...]
    guard: tuple[Record, ...]

    kind = "records.replace"

    @property
    @override
    def title(self) -> str:
        said = [f"delete {_shown(self.old)}"] if self.old else []
        return ", ".join(said + ([f"add {_shown(self.new)}"] if self.new else []))

    def is_done(self, host: Host) -> bool:
        """What was to come is there, and what was to go is not."""
        there = _present(host, (*self.old, *self.new))
        return set(self.new) <= there and not set(self.old) & there

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Replace them, and ask the server what it has now."""
        host.zones.replace(self.zone, self.old, self.new, self.guard)
        if not self.is_done(host):
            raise HostError(f"the server took the update of {self.zone} but does not answer so")
        return {}

    def undo(self, host: Host, tick: Tick) -> None:
        """Put what was there in their place again."""
        sets = {(record.name, record.type) for record in self.guard}
        changed = set(self.guard) - set(self.old)
        changed |= {record for record in self.new if (record.name, record.type) in sets}
        host.zones.replace(self.zone, self.new, self.old, sorted(changed))

    @override
    def leftover(self) -> str:
        return _shown(self.old + self.new)


def _present(host: Host, records: tuple[Record, ...]) -> set[Record]:
    asked = dict.fromkeys((record.name, record.type) for record in records)
    return set(host.zones.lookup(asked)) & set(records)


def _shown(records: tuple[Record, ...]) -> str:
    """`A AAAA TXT alice-dev.raptor.example`, one clause per name."""
    types: dict[str, list[str]] = {}
    for record in records:
        types.setdefault(record.name, []).append(record.type)
    return ", ".join(f"{' '.join(kinds)} {readable(name)}" for name, kinds in types.items())
