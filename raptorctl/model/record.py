"""DNS records, as values that can be compared."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from raptorctl.model.names import MachineName

OWNER_MARK: Final = "heritage=raptorctl"
TAKING: Final = frozenset({"DNAME", "NS", "SOA"})
"""These say that names below are elsewhere (RFC 6672 section 2.4, RFC 1034 section 4.2)."""


@dataclass(frozen=True, order=True)
class Record:
    """One resource record.

    Args:
        name: absolute, lower case, with its final dot.
        type: `A`, `AAAA`, `PTR` or `TXT`; what others have may be of any type.
        value: an address in its shortest form, an absolute name, or a text.
    """

    name: str
    type: str
    value: str


@dataclass(frozen=True)
class ZoneRecords:
    """Records that one UPDATE message can carry: all in one zone (RFC 2136 section 2.3).

    Args:
        zone: absolute, with its final dot.
        records: what is wanted there.
    """

    zone: str
    records: tuple[Record, ...]


def owner_text(name: MachineName, job: str) -> str:
    """What the ownership TXT says. The whole text is compared, never only its name."""
    return f"{OWNER_MARK} tenant={name.tenant} machine={name.machine} job={job}"


def forward_records(
    fqdn: str, addresses: Iterable[IPv4Address | IPv6Address], owner: str
) -> tuple[Record, ...]:
    """A and AAAA records, and the TXT that says whose they are."""
    found = [Record(fqdn, "A" if a.version == 4 else "AAAA", str(a)) for a in addresses]
    return (*found, Record(fqdn, "TXT", owner))


def pointer(address: IPv4Address | IPv6Address, fqdn: str) -> Record:
    """Build the PTR record of an address (RFC 1035 section 3.5, RFC 3596 section 2.5)."""
    return Record(f"{address.reverse_pointer}.", "PTR", fqdn)


def readable(name: str) -> str:
    """Return a record's name as a person reads it: a reverse name as the address it stands for."""
    labels = name.rstrip(".").split(".")
    # RFC 2317: `1.0/25.100.51.198.in-addr.arpa` stands for 198.51.100.1.
    if labels[-2:] == ["in-addr", "arpa"] and len(labels) == 7:
        del labels[1]
    nibbles = "".join(reversed(labels[:-2]))
    if labels[-2:] == ["ip6", "arpa"] and len(nibbles) == 32:
        return str(IPv6Address(int(nibbles, 16)))
    if labels[-2:] == ["in-addr", "arpa"] and len(labels) == 6:
        return ".".join(reversed(labels[:-2]))
    return name.rstrip(".")


def in_the_way(name: str, records: Iterable[Record]) -> Record | None:
    """Return a record that keeps ours from `name`: one at it, or one above that takes it away."""
    for record in records:
        above = record.type in TAKING and name.endswith(f".{record.name}")
        if record.name == name or above:
            return record
    return None


def zone_of(name: str, zones: Iterable[str]) -> str | None:
    """Return the closest enclosing zone of a name, absolute, or None."""
    absolute = (f"{zone.rstrip('.')}." for zone in zones)
    fitting = [zone for zone in absolute if name == zone or name.endswith(f".{zone}")]
    return max(fitting, key=len, default=None)
