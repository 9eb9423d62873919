"""libvirt's networks: which are active, and what their DHCP keeps for whom.

What runs and what is defined are changed each by itself (virNetworkUpdate, its flags): after a
crash, or where somebody else has changed one of them, only the other lacks it.
"""

from contextlib import suppress
from typing import Any, Final

import libvirt

from raptorctl.errors import HostError, InputError
from raptorctl.host.domain.hypervisor import Hypervisor
from raptorctl.model.network import DhcpHost, LibvirtNetwork

_ADD: Final = libvirt.VIR_NETWORK_UPDATE_COMMAND_ADD_LAST
_DELETE: Final = libvirt.VIR_NETWORK_UPDATE_COMMAND_DELETE
_HOST: Final = libvirt.VIR_NETWORK_SECTION_IP_DHCP_HOST
_LIVE: Final = libvirt.VIR_NETWORK_UPDATE_AFFECT_LIVE
_CONFIG: Final = libvirt.VIR_NETWORK_UPDATE_AFFECT_CONFIG


class LibvirtNetworks(Hypervisor):
    """`raptorctl.drivers.network.Networks`; see `Hypervisor` for what it raises."""

    def networks(self) -> dict[str, LibvirtNetwork]:
        """Return those that are active, by name; one that cannot be read is left out."""
        found: dict[str, LibvirtNetwork] = {}
        with self._calling("list its networks") as connection:
            for network in connection.listAllNetworks(libvirt.VIR_CONNECT_LIST_NETWORKS_ACTIVE):
                with suppress(InputError):
                    found[network.name()] = _read(network)
        return found

    def reserve(self, network: str, host: DhcpHost) -> None:
        """Have DHCP keep an address for a MAC, now and for good; what is so already stays.

        Raises:
            HostError: there is no such network, or it keeps the address for another MAC.
        """
        with self._calling(f"reserve {host.address} in network {network}") as connection:
            found = _find(connection, network)
            if found is None:
                raise HostError(f"there is no network {network}")
            for flag in _sides(found):
                kept = _kept(found, flag, host.mac)
                if kept != [host]:
                    _remove(found, flag, kept)
                    found.update(_ADD, _HOST, -1, _element(host), flag)

    def release(self, network: str, mac: str) -> None:
        """Keep no address for a MAC any more, now and for good; without such a network, nothing."""
        with self._calling(f"release the address of {mac} in {network}") as connection:
            found = _find(connection, network)
            for flag in _sides(found) if found else ():
                _remove(found, flag, _kept(found, flag, mac))

    def reserved(self, network: str, host: DhcpHost) -> bool | None:
        """Whether that is kept so, now and for good; None where there is no such network."""
        with self._calling(f"look into network {network}") as connection:
            found = _find(connection, network)
            return _read(found).keeps(host) if found else None

    def released(self, network: str, mac: str) -> bool:
        """Whether no address is kept for that MAC, now or for good."""
        with self._calling(f"look into network {network}") as connection:
            found = _find(connection, network)
            return found is None or all(host.mac != mac for host in _read(found).hosts)


def _find(connection: Any, name: str) -> Any:
    try:
        return connection.networkLookupByName(name)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_NETWORK:
            raise
        return None


def _element(host: DhcpHost) -> str:
    from raptorctl.render.read_network import host_xml  # lxml, which `list` does without

    return host_xml(host)


def _read(network: Any) -> LibvirtNetwork:
    from raptorctl.render.read_network import read_network

    config = _xml(network, _CONFIG) if network.isPersistent() else None
    return read_network(network.XMLDesc(0), config)


def _sides(network: Any) -> tuple[int, ...]:
    """What of it can be changed: as it runs, as it is defined."""
    found = (_LIVE, network.isActive()), (_CONFIG, network.isPersistent())
    return tuple(flag for flag, there in found if there)


def _xml(network: Any, flag: int) -> str:
    if flag == _CONFIG:
        with suppress(libvirt.libvirtError):  # the test driver does not tell the two apart
            return str(network.XMLDesc(libvirt.VIR_NETWORK_XML_INACTIVE))
    return str(network.XMLDesc(0))


def _kept(network: Any, flag: int, mac: str) -> list[DhcpHost]:
    from raptorctl.render.read_network import read_network

    hosts = read_network(_xml(network, flag), None).live
    return [host for host in hosts if host.mac == mac]


def _remove(network: Any, flag: int, hosts: list[DhcpHost]) -> None:
    for host in hosts:
        network.update(_DELETE, _HOST, -1, _element(host), flag)
