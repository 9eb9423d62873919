"""libvirt's networks, and the addresses that their DHCP keeps for machines."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface


@dataclass(frozen=True, order=True)
class DhcpHost:
    """An address that a network's DHCP gives to one MAC alone (formatnetwork.html, `dhcp/host`).

    Args:
        mac: in lower case.
        address: IPv4; libvirt reserves IPv6 addresses by DUID, which nobody knows beforehand.
        name: of the host, which the network's DNS answers; or "".
    """

    mac: str
    address: str
    name: str = ""


@dataclass(frozen=True)
class LibvirtNetwork:
    """A network that is active.

    Args:
        bridge: its bridge on the host, or "".
        subnet: the host's own IPv4 address there, with its prefix; None for none.
        dhcp: whether it gives addresses.
        live: what is reserved now.
        config: what will be once it is started anew; None for one that has no definition.
    """

    bridge: str = ""
    subnet: IPv4Interface | None = None
    dhcp: bool = False
    live: tuple[DhcpHost, ...] = ()
    config: tuple[DhcpHost, ...] | None = None

    @property
    def hosts(self) -> tuple[DhcpHost, ...]:
        """What is reserved, now or then."""
        return tuple(dict.fromkeys((*self.live, *(self.config or ()))))

    def keeps(self, host: DhcpHost) -> bool:
        """Whether that is reserved so, now and then, and nothing else for its MAC."""
        forms = (self.live,) if self.config is None else (self.live, self.config)
        return all([one for one in form if one.mac == host.mac] == [host] for form in forms)

    def lacks(self, host: DhcpHost) -> str:
        """Why that cannot be reserved, or ""."""
        if self.subnet is None or not self.dhcp:
            return "gives no IPv4 addresses by DHCP"
        address, inside = IPv4Address(host.address), self.subnet.network
        if address not in inside or address in {inside[0], inside[-1]}:
            return f"has {inside}, and {address} is no host's address there"
        if address == self.subnet.ip:
            return f"has {address} itself"
        others = (one for one in self.hosts if one.address == host.address and one.mac != host.mac)
        if other := next(others, None):
            return f"keeps {address} for {other.name or other.mac}"
        return ""
