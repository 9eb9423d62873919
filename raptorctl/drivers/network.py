"""What may be asked of libvirt's networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from raptorctl.model.network import DhcpHost, LibvirtNetwork


class Networks(Protocol):
    """libvirt's networks."""

    def networks(self) -> Mapping[str, LibvirtNetwork]:
        """Return those that are active, by name."""

    def reserve(self, network: str, host: DhcpHost) -> None:
        """Have DHCP keep an address for a MAC, now and for good; what is so already stays.

        Raises:
            HostError: there is no such network, or it keeps the address for another MAC.
        """

    def release(self, network: str, mac: str) -> None:
        """Keep no address for a MAC any more, now and for good; without such a network, nothing."""

    def reserved(self, network: str, host: DhcpHost) -> bool | None:
        """Whether that is kept so, now and for good; None where there is no such network."""

    def released(self, network: str, mac: str) -> bool:
        """Whether no address is kept for that MAC, now or for good."""
