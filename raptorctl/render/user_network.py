"""QEMU's own network for a machine of one's own: no bridge, no root, ssh forwarded from loopback.

libvirt's `<interface type='user'>` forwards nothing without passt, which is new and seldom there;
QEMU's `-netdev user` does (qemu(1)), and libvirt carries what it does not know to QEMU's command
line (https://libvirt.org/kbase/qemu-passthrough-security.html).
"""

from typing import Final

from lxml import etree
from lxml.etree import _Element

from raptorctl.model.net import Forward
from raptorctl.model.session_host import LOOPBACK, mac_of
from raptorctl.render.read_domain import MACHINE_TAG, QEMU, mark_tag, parse_domain, read_forwards
from raptorctl.render.xml_text import xml_text

DEVICE: Final = "raptornet"
ADDRESS: Final = "0x10"
"""On the root bus, beyond what libvirt places there itself, so that its name in the guest stays."""
_NETDEV: Final = f"user,id={DEVICE},hostfwd=tcp:"


def fill_user_network(
    root: _Element, uuid: str, ssh: str, forwards: tuple[Forward, ...] = ()
) -> None:
    """Take a template's bridge away, and put QEMU's own network in its place.

    Args:
        root: the domain.
        uuid: of the machine.
        ssh: where its ssh is forwarded from, `127.0.0.1:2201`.
        forwards: what else is.
    """
    remove_networks(root)
    line = etree.SubElement(root, f"{{{QEMU}}}commandline", nsmap={"qemu": QEMU})
    device = f"virtio-net-pci,netdev={DEVICE},mac={mac_of(uuid)},bus=pcie.0,addr={ADDRESS}"
    for word in ("-netdev", _netdev(ssh, forwards), "-device", device):
        etree.SubElement(line, f"{{{QEMU}}}arg").set("value", word)


def remove_networks(root: _Element) -> None:
    """Leave a domain without a network interface."""
    for interface in root.findall("devices/interface"):
        interface.getparent().remove(interface)  # type: ignore[union-attr]
    for old in root.findall(f"{{{QEMU}}}commandline"):
        root.remove(old)


def forwarded_elsewhere(xml: str, ssh: str) -> str:
    """Have a definition forward its ssh from another port; everything else stays as it is.

    Args:
        xml: the definition, as libvirt prints it.
        ssh: `127.0.0.1:2202`.
    """
    root = parse_domain(xml)
    if (said := root.find(f"metadata/{MACHINE_TAG}/{mark_tag('ssh')}")) is not None:
        said.text = ssh
    for argument in root.iterfind(f"{{{QEMU}}}commandline/{{{QEMU}}}arg"):
        if (argument.get("value") or "").startswith(_NETDEV):
            argument.set("value", _netdev(ssh, read_forwards(root)))
    return xml_text(root)


def _netdev(ssh: str, forwards: tuple[Forward, ...]) -> str:
    others = (f",hostfwd=tcp:{LOOPBACK}:{one.host}-:{one.guest}" for one in forwards)
    return f"{_NETDEV}{ssh}-:22{''.join(others)}"
