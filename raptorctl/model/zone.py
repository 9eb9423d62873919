"""Names of zones, and which of them has the PTR record of an address."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address
from typing import Final

_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_OCTET: Final = re.compile(r"0|[1-9][0-9]{0,2}", re.ASCII)
_NIBBLE: Final = re.compile(r"[0-9a-f]", re.ASCII)
_PART: Final = re.compile(r"([0-9]{1,3})([/-])([0-9]{1,3})", re.ASCII)
_LONGEST: Final = 190
"""Characters; a machine's label and three dots more fit into 255 bytes (RFC 1035 2.3.4)."""
_BITS: Final = 32


def plain(text: str) -> str:
    """Return a zone's name in one form: case means nothing (RFC 4343), nor does a final dot."""
    return text.lower().removesuffix(".")


def is_zone(text: str) -> bool:
    """Whether machines can have names in a zone that is called so; `text` is plain."""
    return len(text) < _LONGEST and all(map(_LABEL.fullmatch, text.split(".")))


def is_reverse_zone(text: str) -> bool:
    """Whether addresses can be in it: RFC 1035 3.5, RFC 3596 2.5, RFC 2317; `text` is plain."""
    labels = text.split(".")
    match labels[-2:]:
        case ["in-addr", "arpa"]:
            return _octets(labels[:-2]) or _classless(text) is not None
        case ["ip6", "arpa"]:
            return len(labels) <= 34 and all(map(_NIBBLE.fullmatch, labels[:-2]))
        case _:
            return False


def pointer_name(address: IPv4Address | IPv6Address, zones: Iterable[str]) -> str | None:
    """Return the absolute name of the address's PTR record, or None: no zone has it.

    A classless zone goes first: the zone above has but a CNAME into it (RFC 2317 section 4).
    """
    name, found = address.reverse_pointer, list(map(plain, zones))
    last, _, block = name.partition(".")
    for zone in found:
        part = _classless(zone)
        if part and block == zone.partition(".")[2] and int(last) in part:
            return f"{last}.{zone}."
    inside = any(name == zone or name.endswith(f".{zone}") for zone in found)
    return f"{name}." if inside else None


def _octets(labels: list[str]) -> bool:
    return len(labels) <= 4 and all(
        _OCTET.fullmatch(label) and int(label) < 256 for label in labels
    )


def _classless(zone: str) -> range | None:
    """Return the last octets of a zone such as `0/25.100.51.198.in-addr.arpa`, or `0-127.…`."""
    label, _, block = zone.partition(".")
    octets = block.removesuffix(".in-addr.arpa").split(".")
    said = _PART.fullmatch(label)
    if said is None or len(octets) != 3 or not _octets(octets):
        return None
    first, last = int(said[1]), int(said[3])
    # `64-26` can be no range, and is a common spelling of `64/26`.
    if said[2] == "/" or last < first:
        return _block(first, last)
    return range(first, last + 1) if last < 256 else None


def _block(first: int, prefix: int) -> range | None:
    size = 2 ** (_BITS - prefix) if 24 <= prefix <= _BITS else 0
    return range(first, first + size) if size and first % size == 0 and first < 256 else None
