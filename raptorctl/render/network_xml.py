"""A domain's network interfaces: the template's for its slot, likes of it for bridges and networks.

https://libvirt.org/formatdomain.html#network-interfaces
"""

from copy import deepcopy
from typing import Final

from lxml import etree
from lxml.etree import _Element

from raptorctl.errors import InputError
from raptorctl.model.domain_spec import DomainSpec
from raptorctl.model.net import Nic
from raptorctl.model.slot import Slot
from raptorctl.render.read_domain import parse_domain
from raptorctl.render.user_network import fill_user_network, remove_networks
from raptorctl.render.xml_text import xml_text

ITS_OWN: Final = ("boot", "address", "alias", "target", "link", "filterref", "bandwidth", "port")
"""What no two interfaces of a domain have alike, or what was meant for the first alone."""


def fill_network(root: _Element, spec: DomainSpec) -> None:
    """Give a domain the interfaces that it is to have, and no other.

    Raises:
        InputError: the template has none to go by.
    """
    first = root.find("devices/interface")
    if first is None and (spec.slot or spec.nics):
        raise InputError("the template has no devices/interface")
    like = etree.Element("interface") if first is None else deepcopy(first)
    if spec.slot is None:
        remove_networks(root)
    elif first is not None:
        _fill(first, ("bridge", spec.slot.bridge), spec.slot.mac)
    if spec.slot is None and spec.mark.ssh:
        fill_user_network(root, spec.uuid, spec.mark.ssh, spec.forwards)
    for nic in spec.nics:
        _add(root, deepcopy(like), nic)


def moved_domain(xml: str, mac: str, slot: Slot) -> str:
    """Have the interface of that MAC be on another slot; everything else stays as it is.

    Args:
        xml: the persistent definition, as libvirt prints it.
        mac: of its place so far.
        slot: where it is to be.

    Raises:
        InputError: it is not a domain's XML, or has no such interface.
    """
    root = parse_domain(xml)
    interface = root.find(f"devices/interface/mac[@address='{mac}']/..")
    if interface is None:
        raise InputError(f"the domain has no interface {mac}")
    _fill(interface, ("bridge", slot.bridge), slot.mac)
    return xml_text(root)


def _add(root: _Element, interface: _Element, nic: Nic) -> None:
    for name in ITS_OWN:
        for old in interface.findall(name):
            interface.remove(old)
    _fill(interface, (nic.net.kind, nic.net.name), nic.mac)
    there, devices = root.findall("devices/interface"), root.find("devices")
    if there:
        there[-1].addnext(interface)
    elif devices is not None:
        devices.append(interface)


def _fill(interface: _Element, source: tuple[str, str], mac: str) -> None:
    kind, name = source
    interface.set("type", kind)
    _child(interface, "mac").set("address", mac)
    found = _child(interface, "source")
    found.attrib.clear()
    found.set(str(kind), name)


def _child(parent: _Element, name: str) -> _Element:
    found = parent.find(name)
    return etree.SubElement(parent, name) if found is None else found
