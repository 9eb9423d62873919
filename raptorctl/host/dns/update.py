"""DNS: records asked of, added to and removed from the authoritative server (RFC 2136, TSIG)."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import dns.name
import dns.rdatatype
import dns.rrset
from dns.rcode import Rcode

from raptorctl.errors import UnknownOutcomeError
from raptorctl.host.dns.change import Addition, DnsChange, Removal, Replacement, harmless
from raptorctl.host.dns.held import Holdings
from raptorctl.host.dns.key import TsigKey, read_key
from raptorctl.host.dns.record import to_name, to_records, to_type
from raptorctl.host.dns.talk import Connection, DeclinedError, DnsDownError, SilentError
from raptorctl.model.record import Record
from raptorctl.model.settings import Dns

TRIES: Final = 3
PAUSE: Final = 0.5
"""Seconds before another try after silence: named may be restarting."""

# RFC 2136 section 2.4: a prerequisite did not hold, and nothing was changed.
_PREREQUISITE: Final = frozenset({Rcode.YXDOMAIN, Rcode.YXRRSET, Rcode.NXRRSET, Rcode.NXDOMAIN})


@dataclass(frozen=True)
class ZoneCheck:
    """What `probe` found about one zone.

    Args:
        zone: absolute.
        problem: one sentence; empty when the zone takes our updates.
        resolution: what to do about it.
    """

    zone: str
    problem: str = ""
    resolution: str = ""


class DnsServer:
    """The server of the settings, by TCP only. Implements `raptorctl.drivers.dns.Zones`.

    Every method raises DnsDownError when nobody answers, KeyRefusedError when the server does not
    take our key, DeclinedError when it says no, and SettingsError or MissingError for the key file,
    which is read at the first need.

    Args:
        settings: where it is, and which key signs.
    """

    def __init__(self, settings: Dns) -> None:
        self._settings = settings

    def __repr__(self) -> str:
        return f"DnsServer({self._settings.server!r}, port={self._settings.port})"

    def lookup(self, queries: Iterable[tuple[str, str]]) -> tuple[Record, ...]:
        """Return what the server holds for (name, type) pairs, sorted, over one connection.

        A name that is a CNAME yields that CNAME, whatever type was asked. What a wildcard answers
        is not held. Of a name without records of these types, what others it has is told: it is in
        use. What above a name takes it out of our zone comes with its own name: a DNAME,
        the NS of a delegation, the SOA of a zone that the settings do not name.

        Raises:
            InputError: not a name or type of ours.
            DeclinedError: the server is not authoritative for a name.
        """
        asked: dict[dns.name.Name, list[dns.rdatatype.RdataType]] = {}
        for name, kind in dict.fromkeys(queries):
            asked.setdefault(to_name(name), []).append(to_type(kind))
        if not asked:
            return ()
        with self._connect() as server:
            holdings = Holdings(server, self._zones)
            answers = [holdings.at(name, kinds) for name, kinds in asked.items()]
        return tuple(sorted({record for rrsets in answers for record in to_records(rrsets)}))

    def add(self, zone: str, records: Iterable[Record]) -> None:
        """Add records to names that nobody uses; one UPDATE. Already so is success.

        Raises:
            InputError: a record outside the zone.
            ConflictError: a name is in use; nothing was changed.
            UnknownOutcomeError: no answer, and none to the question what came of it.
        """
        self._act(Addition(zone, frozenset(records), self._settings.ttl))

    def remove(self, zone: str, records: Iterable[Record]) -> None:
        """Delete exactly these records; one UPDATE. Already gone is success.

        Where the records have a TXT, its name is ours only while the server has that TXT;
        otherwise whatever is at the name is somebody else's and stays.

        Raises:
            InputError: a record outside the zone.
            UnknownOutcomeError: no answer, and none to the question what came of it.
        """
        self._act(Removal(zone, frozenset(records)))

    def replace(
        self, zone: str, old: Iterable[Record], new: Iterable[Record], guard: Iterable[Record]
    ) -> None:
        """Put records in the place of others; one UPDATE. Already so is success.

        Args:
            zone: absolute.
            old: what goes.
            new: what comes.
            guard: whole RRsets that say whose the names are, and must be there as they are.

        Raises:
            InputError: a record outside the zone.
            DeclinedError: the guard does not hold; nothing was changed.
            UnknownOutcomeError: no answer, and none to the question what came of it.
        """
        parts = (frozenset(old), frozenset(new), frozenset(guard))
        self._act(Replacement(zone, *parts, self._settings.ttl))

    def probe(self) -> tuple[ZoneCheck, ...]:
        """Check every zone of the settings without changing anything.

        The server must be authoritative for it and let our key update it.
        """
        with self._connect() as server:
            return tuple(_check(server, f"{zone.rstrip('.')}.") for zone in self._zones)

    @property
    def _zones(self) -> tuple[str, ...]:
        return self._settings.zone, *self._settings.reverse_zones

    @cached_property
    def _key(self) -> TsigKey:
        return read_key(self._settings.key_file)

    def _connect(self) -> Connection:
        return Connection(self._settings, self._key)

    def _act(self, change: DnsChange) -> None:
        """Send until the outcome is known: with its prerequisites a change can be sent twice."""
        problem: Exception | None = None
        for attempt in range(TRIES if change.names else 0):
            if isinstance(problem, DnsDownError):
                time.sleep(PAUSE)
            try:
                problem = self._send(change)
            except DnsDownError as error:
                if attempt == 0 and not isinstance(error, SilentError):
                    raise
                problem = error
            if problem is None:
                return
        if problem is not None:
            raise _unknown(change, problem) if isinstance(problem, DnsDownError) else problem

    def _send(self, change: DnsChange) -> DeclinedError | None:
        """Send once. Returns None when it is done, or the prerequisite that did not hold."""
        message = change.message()
        try:
            with self._connect() as server:
                rcode = server.update(message)
                if rcode == Rcode.NOERROR:
                    return None
                declined = server.declined(rcode, message)
        except SilentError as silent:
            self._ask_after(change, silent)
            return None
        if rcode not in _PREREQUISITE:
            raise declined
        return None if change.settled(self._everything_at(change.names)) else declined

    def _ask_after(self, change: DnsChange, silent: SilentError) -> None:
        """Return when the server says that the change has been made.

        Raises:
            SilentError: it says that it has not, or nothing.
        """
        try:
            settled = change.settled(self._everything_at(change.names))
        except DnsDownError:
            settled = False
        if not settled:
            raise silent

    def _everything_at(self, names: Iterable[str]) -> list[dns.rrset.RRset]:
        # ANY may be answered in part (RFC 8482), so our own types are asked for by name.
        kinds = [dns.rdatatype.from_text(kind) for kind in ("A", "AAAA", "PTR", "TXT", "ANY")]
        with self._connect() as server:
            holdings = Holdings(server, self._zones)
            answers = [holdings.at(to_name(name), kinds) for name in names]
        return [rrset for rrsets in answers for rrset in rrsets]


def _check(server: Connection, zone: str) -> ZoneCheck:
    message = harmless(zone)
    try:
        if not server.query(to_name(zone), dns.rdatatype.SOA):
            return ZoneCheck(zone, f"named at {server.where} has no zone {zone}", "add the zone")
        rcode = server.update(message)
        if rcode not in _PREREQUISITE:
            raise server.declined(rcode, message)
    except DeclinedError as error:
        return ZoneCheck(zone, error.brief, error.resolution)
    return ZoneCheck(zone)


def _unknown(change: DnsChange, problem: DnsDownError) -> UnknownOutcomeError:
    return UnknownOutcomeError(
        f"it is not known whether {', '.join(change.names)} was changed: {problem.brief}",
        details=problem.details,
        resolution=problem.resolution,
    )
