"""The kernel's routing tables, as /proc/net prints them."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import Final

UP: Final = 0x1
ELSEWHERE: Final = 0x2 | 0x200 | 0x80000000
"""RTF_GATEWAY, RTF_REJECT, RTF_LOCAL: by another hop, nowhere, the host itself (route.h)."""
ALL_V4: Final = "FFFFFFFF"
ALL_V6: Final = "80"


def ipv4_hosts(text: str) -> Iterator[tuple[str, str]]:
    """Yield single addresses that are on the link of an interface, and the interface.

    Args:
        text: /proc/net/route, with numbers as a little-endian machine has them in memory.
    """
    for line in text.splitlines()[1:]:
        name, address, _, flags, _, _, _, mask, *_ = line.split()
        if mask == ALL_V4 and int(flags, 16) & (UP | ELSEWHERE) == UP:
            yield str(IPv4Address(bytes.fromhex(address)[::-1])), name


def ipv6_hosts(text: str) -> Iterator[tuple[str, str]]:
    """Yield the same of IPv6.

    Args:
        text: /proc/net/ipv6_route.
    """
    for line in text.splitlines():
        address, bits, *_, flags, name = line.split()
        if bits == ALL_V6 and int(flags, 16) & (UP | ELSEWHERE) == UP:
            yield str(IPv6Address(bytes.fromhex(address))), name
