"""What one UPDATE message asks for, and what it means when the server declines. No I/O."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

import dns.name
import dns.rdata
import dns.rdatatype
import dns.rrset
import dns.update

from raptorctl.errors import ConflictError
from raptorctl.host.dns.record import inside, to_name, to_rdata, to_records
from raptorctl.model.names import shown
from raptorctl.model.record import Record

# A signing server puts these beside whatever it holds; they are nobody's.
_DNSSEC: Final = frozenset({"RRSIG", "NSEC", "NSEC3"})


class DnsChange(Protocol):
    """An UPDATE that may be sent again and again with the same end."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names that it touches, sorted."""

    def message(self) -> dns.update.UpdateMessage:
        """Build the message, unsigned."""

    def settled(self, present: list[dns.rrset.RRset]) -> bool:
        """Whether nothing is left to do, given all that the server has at `names`."""


@dataclass
class Addition:
    """Records to add to names that nobody uses.

    Args:
        zone: absolute.
        records: what to add.
        ttl: seconds.

    Raises:
        InputError: a record outside the zone, or one that no server could store.
    """

    zone: str
    records: frozenset[Record]
    ttl: int

    def __post_init__(self) -> None:
        self.records = inside(self.zone, self.records)

    @property
    def names(self) -> tuple[str, ...]:
        """The names that it touches, sorted."""
        return _names(self.records)

    def message(self) -> dns.update.UpdateMessage:
        """Require that no name is in use (RFC 2136 section 2.4.5), then add.

        Asking only for the absence of our types would not do: whoever has an MX or a CNAME there
        owns the name too, and a server ignores an address beside a CNAME without a word (3.4.2.2).
        """
        update = dns.update.UpdateMessage(to_name(self.zone))
        for name in self.names:
            update.absent(to_name(name))
        for record in sorted(self.records):
            update.add(to_name(record.name), self.ttl, to_rdata(record))
        return update

    def settled(self, present: list[dns.rrset.RRset]) -> bool:
        """Whether our records are there already, and nothing else of their types.

        Raises:
            ConflictError: something else is there; it says what.
        """
        there = {record for record in to_records(present) if record.type not in _DNSSEC}
        sets = {(record.name, record.type) for record in self.records}
        if {record for record in there if (record.name, record.type) in sets} == self.records:
            return True
        if there:
            raise _conflict(sorted(there - self.records or there))
        return False


@dataclass
class Removal:
    """Records to delete, where they are ours.

    A name whose ownership TXT is among `records` is touched only while the server has that TXT.
    `settled` learns what else is there, for the next `message`.

    Args:
        zone: absolute.
        records: what to delete.

    Raises:
        InputError: a record outside the zone, or one that no server could store.
    """

    zone: str
    records: frozenset[Record]
    _texts: dict[str, list[dns.rdata.Rdata]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.records = inside(self.zone, self.records)
        self._texts = {}
        for record in sorted(self._marks):
            self._texts.setdefault(record.name, []).append(to_rdata(record))

    @property
    def names(self) -> tuple[str, ...]:
        """The names that it touches, sorted."""
        return _names(self.records)

    @property
    def _marks(self) -> set[Record]:
        return {record for record in self.records if record.type == "TXT"}

    def message(self) -> dns.update.UpdateMessage:
        """Require the TXT sets as they are known, ours among them, then delete what is ours.

        A value-dependent prerequisite compares whole sets (RFC 2136 section 2.4.2), so a TXT that
        somebody put beside ours has to be in it.
        """
        update = dns.update.UpdateMessage(to_name(self.zone))
        for name, texts in sorted(self._texts.items()):
            update.present(to_name(name), *texts)
        for record in sorted(self.records):
            update.delete(to_name(record.name), to_rdata(record))
        return update

    def settled(self, present: list[dns.rrset.RRset]) -> bool:
        """Whether none of our records is left; forgets names that are not, or no longer, ours."""
        there = set(to_records(present))
        foreign = {mark.name for mark in self._marks - there}
        self.records = frozenset(
            record for record in self.records & there if record.name not in foreign
        )
        marked = {mark.name for mark in self._marks}
        texts = (rrset for rrset in present if rrset.rdtype == dns.rdatatype.TXT)
        known = {rrset.name.canonicalize().to_text(): list(rrset) for rrset in texts}
        self._texts = {name: known[name] for name in marked}
        return not self.records


@dataclass
class Replacement:
    """Records that take others' place, while what says whose the name is stays as it was seen.

    Args:
        zone: absolute.
        old: what goes.
        new: what comes.
        guard: whole RRsets that must be there, each as it is (RFC 2136 section 2.4.2).
        ttl: seconds.

    Raises:
        InputError: a record outside the zone, or one that no server could store.
    """

    zone: str
    old: frozenset[Record]
    new: frozenset[Record]
    guard: frozenset[Record]
    ttl: int

    def __post_init__(self) -> None:
        self.old, self.new = inside(self.zone, self.old), inside(self.zone, self.new)
        self.guard = inside(self.zone, self.guard)

    @property
    def names(self) -> tuple[str, ...]:
        """The names that it touches, sorted."""
        return _names(self.old | self.new | self.guard)

    def message(self) -> dns.update.UpdateMessage:
        """Require the guard, delete what goes, add what comes: all of it or nothing."""
        update = dns.update.UpdateMessage(to_name(self.zone))
        sets: dict[tuple[str, str], list[dns.rdata.Rdata]] = {}
        for record in sorted(self.guard):
            sets.setdefault((record.name, record.type), []).append(to_rdata(record))
        for (name, _), rdatas in sets.items():
            update.present(to_name(name), *rdatas)
        for record in sorted(self.old):
            update.delete(to_name(record.name), to_rdata(record))
        for record in sorted(self.new):
            update.add(to_name(record.name), self.ttl, to_rdata(record))
        return update

    def settled(self, present: list[dns.rrset.RRset]) -> bool:
        """Whether what was to come is there, and what was to go is not."""
        there = set(to_records(present))
        return self.new <= there and not self.old & there


def harmless(zone: str) -> dns.update.UpdateMessage:
    """Build an UPDATE that can change nothing, to learn whether the key may update `zone`.

    Its prerequisites contradict each other: the name is in use, and it is not. BIND consults
    update-policy before prerequisites, so it is REFUSED without rights; a server that keeps the
    order of RFC 2136 section 3 shows only that it takes the key and serves the zone. A deletion
    would not do: BIND asks update-policy about a PTR only when there is one to delete.
    """
    name = f"raptorctl-doctor.{zone}"
    # BIND wants a host's name there (check-names), and a classless zone's is none. RFC 6761 6.4.
    pointer = Record(name, "PTR", "raptorctl-doctor.invalid.")
    wanted = [pointer] if zone.endswith(".arpa.") else _each_type(name)
    update = dns.update.UpdateMessage(to_name(zone))
    update.present(to_name(name))
    update.absent(to_name(name))
    for record in wanted:
        update.add(to_name(name), 0, to_rdata(record))
    return update


def _each_type(name: str) -> list[Record]:
    # RFC 5737 and RFC 3849: addresses of nobody.
    values = {"A": "192.0.2.1", "AAAA": "2001:db8::1", "TXT": "raptorctl doctor"}
    return [Record(name, kind, value) for kind, value in values.items()]


def _names(records: Iterable[Record]) -> tuple[str, ...]:
    return tuple(sorted({record.name for record in records}))


def _conflict(records: list[Record]) -> ConflictError:
    first = records[0]
    value = first.value if first.type in {"A", "AAAA", "PTR"} else shown(first.value)
    more = f" and {len(records) - 1} more" if len(records) > 1 else ""
    return ConflictError(
        f"{first.name} is in use in DNS: it has {first.type} {value}{more}",
        details="\n".join(f"{r.name} {r.type} {shown(r.value)}" for r in records),
        resolution="it is not this job's; if it is not needed, remove it with nsupdate",
    )
