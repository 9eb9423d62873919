"""dnsmasq's configuration, as far as it keeps addresses for machines."""

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address
from typing import Final

from raptorctl.model.network import DhcpHost

_HOST: Final = re.compile(r"\s*dhcp-host\s*=\s*([^#]*)")
_MAC: Final = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", re.ASCII)


def read_dhcp_hosts(text: str) -> tuple[DhcpHost, ...]:
    """Return which IPv4 address is kept for which MAC; other lines, and other kinds, are not ours.

    Args:
        text: dnsmasq's own (dnsmasq(8), dhcp-host).
    """
    found = (_HOST.match(line) for line in text.splitlines())
    return tuple(host for line in found if line for host in _hosts(line[1]))


def _hosts(text: str) -> Iterator[DhcpHost]:
    """Several MACs of one line share its address."""
    words = [word.strip().lower() for word in text.split(",")]
    for address in filter(_is_ipv4, words):
        yield from (DhcpHost(mac, address) for mac in words if _MAC.fullmatch(mac))


def _is_ipv4(word: str) -> bool:
    try:
        IPv4Address(word)
    except AddressValueError:
        return False
    return True
