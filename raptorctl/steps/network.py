"""Addresses that a libvirt network's DHCP keeps for a machine."""

from dataclasses import dataclass

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.errors import HostError
from raptorctl.model.network import DhcpHost
from raptorctl.model.override import override
from raptorctl.steps.step import Observed, Step


@dataclass(frozen=True)
class AddressStep(Step):
    """What is done with an address of a network.

    Args:
        network: libvirt's name of it.
        host: the MAC, its address and the machine's name.
    """

    network: str
    host: DhcpHost

    @override
    def leftover(self) -> str:
        return f"address {self.host.address} of network {self.network}, reserved"


class ReserveAddress(AddressStep):
    """Have a network keep an address for a machine's MAC, which is nobody else's."""

    kind = "network.reserve"

    @property
    @override
    def title(self) -> str:
        return f"reserve {self.host.address} in network {self.network} for {self.host.mac}"

    def is_done(self, host: Host) -> bool:
        """The network keeps it, as it runs and as it is defined."""
        return bool(host.domains.reserved(self.network, self.host))

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Reserve it, and look."""
        host.domains.reserve(self.network, self.host)
        if not self.is_done(host):
            raise HostError(f"network {self.network} did not keep {self.host.address}")
        return {"address": self.host.address}

    def undo(self, host: Host, tick: Tick) -> None:
        """Release it."""
        host.domains.release(self.network, self.host.mac)


class ReleaseAddress(AddressStep):
    """Keep an address for a machine no longer; without its network, nothing is kept."""

    kind = "network.release"

    @property
    @override
    def title(self) -> str:
        return f"release {self.host.address} of network {self.network}"

    def is_done(self, host: Host) -> bool:
        """Nothing is kept for the MAC, now or for good."""
        return host.domains.released(self.network, self.host.mac)

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Release it, and look."""
        host.domains.release(self.network, self.host.mac)
        if not self.is_done(host):
            raise HostError(f"network {self.network} still keeps {self.host.address}")
        return {}

    def undo(self, host: Host, tick: Tick) -> None:
        """Reserve it again, where its network is still there."""
        if host.domains.reserved(self.network, self.host) is False:
            host.domains.reserve(self.network, self.host)
