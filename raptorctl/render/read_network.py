"""A libvirt network's XML to the noun: https://libvirt.org/formatnetwork.html."""

from contextlib import suppress
from ipaddress import IPv4Interface

from lxml import etree
from lxml.etree import _Element

from raptorctl.errors import InputError
from raptorctl.model.network import DhcpHost, LibvirtNetwork


def read_network(live: str, config: str | None) -> LibvirtNetwork:
    """Read a network as it runs and as it is defined.

    Args:
        live: as it runs, or as it would, where it does not.
        config: as it is defined; None for one that has no definition.

    Raises:
        InputError: it is no network's XML.
    """
    root = _parsed(live)
    subnet, given = next(
        ((ip, node) for node in root.iterfind("ip") if (ip := _ipv4(node))), (None, None)
    )
    bridge = root.find("bridge")
    return LibvirtNetwork(
        bridge="" if bridge is None else bridge.get("name", ""),
        subnet=subnet,
        dhcp=given is not None and given.find("dhcp") is not None,
        live=_hosts(root),
        config=None if config is None else _hosts(_parsed(config)),
    )


def host_xml(host: DhcpHost) -> str:
    """The `<host>` that reserves an address."""
    element = etree.Element("host", mac=host.mac, ip=host.address)
    if host.name:
        element.set("name", host.name)
    return etree.tostring(element, encoding="unicode")


def _parsed(text: str) -> _Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise InputError(f"a network's definition is not XML: {error}") from error
    if root.tag != "network":
        raise InputError("a network's definition is a <network>")
    return root


def _ipv4(node: _Element) -> IPv4Interface | None:
    width = node.get("prefix") or node.get("netmask")
    if node.get("family", "ipv4") == "ipv4" and width:
        with suppress(ValueError):
            return IPv4Interface(f"{node.get('address')}/{width}")
    return None


def _hosts(root: _Element) -> tuple[DhcpHost, ...]:
    found = root.iterfind("ip/dhcp/host")
    return tuple(
        DhcpHost(host.get("mac", "").lower(), host.get("ip", ""), host.get("name", ""))
        for host in found
        if host.get("mac")
    )
