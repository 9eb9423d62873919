"""Slots: one place on the network as a unit."""

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
