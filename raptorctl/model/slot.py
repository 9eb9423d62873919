"""Slots: one place on the network as a unit."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

HIGHEST: Final = 255  # one byte of the MAC address


@dataclass(frozen=True)
class Slot:
    """A bridge, its MAC and its addresses.

    Args:
        number: N in `br-vmN`.
        ipv4: the address its machine gets, or None.
        ipv6: likewise.
    """

    number: int
    ipv4: IPv4Address | None = None
    ipv6: IPv6Address | None = None

    @property
    def bridge(self) -> str:
        """The bridge's interface name."""
        return f"br-vm{self.number}"

    @property
    def mac(self) -> str:
        """The one MAC address that belongs on the bridge."""
        return f"52:54:00:00:00:{self.number:02x}"

    @property
    def addresses(self) -> tuple[IPv4Address | IPv6Address, ...]:
        """What its machine is reached at."""
        return tuple(address for address in (self.ipv4, self.ipv6) if address)


DHCP_FILE: Final = "/etc/raptor-dhcp.conf"
"""Of the dnsmasq that gives slots their addresses, as the role lays it."""


@dataclass(frozen=True)
class ReservedPlace(Slot):
    """What stands for a slot on a network of libvirt's that keeps an address for the machine.

    Args:
        hardware: the machine's MAC there.
        wire: the network's bridge; "" where libvirt does not tell.
    """

    hardware: str = ""
    wire: str = ""

    @property
    def bridge(self) -> str:
        """The network's."""
        return self.wire

    @property
    def mac(self) -> str:
        """The machine's."""
        return self.hardware


@dataclass(frozen=True)
class Bridge:
    """A bridge as the kernel has it.

    Args:
        name: interface name.
        up: administratively up.
        ports: interfaces attached to it.
    """

    name: str
    up: bool
    ports: tuple[str, ...] = ()


@dataclass(frozen=True)
class Routing:
    """How packets get from and to a slot, as the kernel has it.

    Args:
        routed: addresses of the slot that are routed to its bridge.
        forwards: which of IPv4 and IPv6 the host forwards.
        arp: interfaces that answer ARP for every address routed elsewhere (proxy_arp).
        ndp: interfaces that answer NDP, or ARP, for an address of the slot (ip-neighbour(8)).
    """

    routed: tuple[str, ...] = ()
    forwards: tuple[str, ...] = ()
    arp: tuple[str, ...] = ()
    ndp: tuple[str, ...] = ()

    def lacks(self, slot: Slot) -> Iterator[str]:
        """Say why the slot's addresses do not reach its machine; nothing where they do."""
        for address in slot.addresses:
            if str(address) not in self.routed:
                yield f"{address} is not routed to {slot.bridge}"
        for address in slot.addresses:
            if f"IPv{address.version}" not in self.forwards:
                yield f"IPv{address.version} is not forwarded"
