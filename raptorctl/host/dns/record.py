"""Records to and from dnspython, never through text that a parser would read."""

import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import Final

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.rdtypes.ANY.PTR import PTR
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA

from raptorctl.errors import InputError
from raptorctl.model.names import shown
from raptorctl.model.record import Record

TYPES: Final = ("A", "AAAA", "PTR", "TXT")

# A slash inside: RFC 2317 section 4.
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_/-]{0,61}[a-z0-9_])?", re.ASCII)
_LONGEST_NAME: Final = 254
"""Characters with the final dot: 255 bytes on the wire (RFC 1035 section 2.3.4)."""
_LONGEST_STRING: Final = 255
"""Bytes of one character-string (RFC 1035 section 3.3)."""
_LONGEST_TEXT: Final = 4000
"""Bytes; far beyond what an ownership record says, far below a message's 65535."""


def to_name(text: str) -> dns.name.Name:
    r"""Return an absolute, lower-case name. No `*`, `@` or `\` gets through to the server.

    Raises:
        InputError: it is something else.
    """
    labels = text.removesuffix(".").split(".")
    fits = text.endswith(".") and len(text) <= _LONGEST_NAME
    if not fits or not all(_LABEL.fullmatch(label) for label in labels):
        raise InputError(f"{shown(text)} is not an absolute DNS name in lower case")
    return dns.name.Name([label.encode("ascii") for label in labels] + [b""])


def to_type(text: str) -> dns.rdatatype.RdataType:
    """Return the type of that name.

    Raises:
        InputError: not one of `A`, `AAAA`, `PTR`, `TXT`.
    """
    if text not in TYPES:
        raise InputError(f"{shown(text)} is not a record type that raptorctl keeps")
    return dns.rdatatype.from_text(text)


def to_rdata(record: Record) -> dns.rdata.Rdata:
    """Return what the record says, as the server stores it.

    Raises:
        InputError: the value does not fit the type.
    """
    wire = _wire(record)
    return dns.rdata.from_wire(dns.rdataclass.IN, to_type(record.type), wire, 0, len(wire))


def to_records(rrsets: Iterable[dns.rrset.RRset]) -> Iterator[Record]:
    """Return what a server answered, in the form that ours have and can be compared with."""
    for rrset in rrsets:
        name = rrset.name.canonicalize().to_text()
        for rdata in rrset:
            yield Record(name, dns.rdatatype.to_text(rdata.rdtype), _value(rdata))


def inside(zone: str, records: Iterable[Record]) -> frozenset[Record]:
    """Return the records, in one form, once each is known to lie below `zone`, not at its top.

    Raises:
        InputError: a record of another zone, or one that no server could store.
    """
    top = to_name(zone)
    for record in (kept := frozenset(map(_normal, records))):
        name = to_name(record.name)
        if name == top or not name.is_subdomain(top):
            raise InputError(f"{record.name} does not lie in zone {zone}")
    return kept


def _normal(record: Record) -> Record:
    return Record(to_name(record.name).to_text(), record.type, _value(to_rdata(record)))


def _wire(record: Record) -> bytes:
    match record.type:
        case "A":
            return _address(record.value, 4)
        case "AAAA":
            return _address(record.value, 6)
        case "PTR":
            return to_name(record.value).to_wire() or b""
        case _:
            return _strings(record.value)


def _address(text: str, version: int) -> bytes:
    try:
        address = ip_address(text)
    except ValueError:
        address = None
    # A scope (fe80::1%eth0) is no part of a record.
    if address is None or address.version != version or "%" in text:
        raise InputError(f"{shown(text)} is not an IPv{version} address")
    return address.packed


def _strings(text: str) -> bytes:
    if not text.isprintable() or len(content := text.encode()) > _LONGEST_TEXT:
        raise InputError(f"{shown(text)} is not a text for a TXT record")
    pieces = range(0, max(len(content), 1), _LONGEST_STRING)
    strings = (content[at : at + _LONGEST_STRING] for at in pieces)
    return b"".join(bytes([len(string)]) + string for string in strings)


def _value(rdata: dns.rdata.Rdata) -> str:
    match rdata:
        case A(address=address) | AAAA(address=address):
            return str(ip_address(address))
        case PTR(target=target):
            return str(target.canonicalize().to_text())
        case TXT(strings=strings):
            # Somebody else's may be any bytes. Ours never hold a backslash: no confusion.
            return b"".join(strings).decode(errors="backslashreplace")
        case _:
            return rdata.to_text()
