"""Places for disks that are plugged in while a machine runs: a PCIe root port takes one device.

QEMU adds no port to what runs, and libvirt leaves one free of itself
(https://libvirt.org/pci-hotplug.html#x86_64-q35).
"""

from collections.abc import Iterator
from typing import Final

from lxml import etree
from lxml.etree import _Element

SPARE: Final = 8
"""A port costs a page of MMIO and a line of the firmware's time; 8 of them share one slot."""
_ON_PCI: Final = (
    "disk/target[@bus='virtio']/..", "interface", "controller[@type='virtio-serial']",
    "controller[@type='scsi']", "memballoon", "rng", "video", "hostdev", "vsock", "filesystem",
)  # fmt: skip


def fill_ports(root: _Element) -> None:
    """Have a definition of q35 keep ports free, beside those that its devices take."""
    devices, kind = root.find("devices"), root.find("os/type")
    if devices is None or kind is None or "q35" not in kind.get("machine", ""):
        return
    if devices.find("controller[@model='pcie-root']") is None:  # its index is 0, or a port's is
        etree.SubElement(devices, "controller", type="pci", index="0", model="pcie-root")
    there = devices.findall("controller[@model='pcie-root-port']")
    for _ in range(len(tuple(_placed(devices))) + SPARE - len(there)):
        etree.SubElement(devices, "controller", type="pci", model="pcie-root-port")


def _placed(devices: _Element) -> Iterator[_Element]:
    """Devices that take a port; libvirt places some on the root bus, and says so."""
    for path in _ON_PCI:
        for device in devices.findall(path):
            address = device.find("address[@type='pci']")
            if address is None or address.get("bus") not in {"0x00", "0"}:
                yield device
