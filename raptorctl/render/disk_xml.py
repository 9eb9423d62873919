"""Further disks in a domain's XML: added, taken out, read.

https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms
"""

from collections.abc import Iterable
from string import ascii_lowercase
from typing import Final

from lxml import etree
from lxml.etree import _Element

from raptorctl.errors import InputError
from raptorctl.model.disk import Bus
from raptorctl.model.domain import DiskDevice
from raptorctl.model.volume import OVERLAY
from raptorctl.render.ports import fill_ports
from raptorctl.render.read_domain import parse_domain
from raptorctl.render.xml_text import xml_text

_BLOCK: Final = {
    "name": "qemu",
    "type": "raw",
    "cache": "none",
    "io": "native",
    "discard": "ignore",
}
_FILE: Final = {"name": "qemu", "type": "qcow2", "discard": "unmap"}
"""As the first disk has them: raw is said aloud, and no block of a volume goes back unwiped."""


def add_disks(root: _Element, devices: Iterable[DiskDevice]) -> None:
    """Put disks behind those that a domain has.

    Raises:
        InputError: it has no disk, or no target is free.
    """
    for device in devices:
        there = root.findall("devices/disk")
        if not there:
            raise InputError("the domain has no disk")
        _fill_controller(root, device)
        there[-1].addnext(_element(device, free_target(root, Bus(device.bus))))


def with_disk(xml: str, device: DiskDevice) -> str:
    """Give a definition a disk more; everything else stays as it is.

    Raises:
        InputError: it is not a domain's XML, has no disk, or no target is free.
    """
    root = parse_domain(xml)
    add_disks(root, (device,))
    fill_ports(root)
    return xml_text(root)


def without_disk(xml: str, path: str) -> str:
    """Take the disk that is that file or device out of a definition.

    Raises:
        InputError: it is not a domain's XML.
    """
    root = parse_domain(xml)
    for devices in root.findall("devices"):
        for disk in _at(root, path):
            devices.remove(disk)
    return xml_text(root)


def disk_element(xml: str, path: str) -> str:
    """The `<disk>` element of that file or device in a definition; "" where it has none.

    Raises:
        InputError: it is not a domain's XML.
    """
    found = _at(parse_domain(xml), path)
    return etree.tostring(found[0], encoding="unicode") if found else ""


def bus_of(xml: str, path: str) -> str:
    """What the guest sees a disk behind, in libvirt's words; "" where it has none such.

    Raises:
        InputError: it is not a domain's XML.
    """
    found = (disk.find("target") for disk in _at(parse_domain(xml), path))
    return next((target.get("bus", "") for target in found if target is not None), "")


def _at(root: _Element, path: str) -> list[_Element]:
    found = []
    for disk in root.findall("devices/disk"):
        source = disk.find("source")
        if source is not None and path in {source.get("dev"), source.get("file")}:
            found.append(disk)
    return found


def free_target(root: _Element, bus: Bus) -> str:
    """The first free name; the seed's, and the first disk's, which a template may lack, are not.

    Raises:
        InputError: none is free.
    """
    taken = {target.get("dev") for target in root.iterfind("devices/disk/target")} | {"vda", "vdz"}
    free = (bus.letters + letter for letter in ascii_lowercase)
    if target := next((name for name in free if name not in taken), None):
        return target
    raise InputError(f"the domain has as many {bus.value} disks as there may be")


def _fill_controller(root: _Element, device: DiskDevice) -> None:
    """Say which SCSI controller: libvirt's own choice is one that few guests have a driver for."""
    if device.bus != Bus.SCSI.value or root.find("devices/controller[@type='scsi']") is not None:
        return
    last = root.findall("devices/disk")[-1]
    controller = etree.Element("controller", type="scsi", index="0", model="virtio-scsi")
    last.addnext(controller)


def _element(device: DiskDevice, target: str) -> _Element:
    is_file = device.path.endswith(OVERLAY)
    disk = etree.Element("disk", type="file" if is_file else "block", device="disk")
    etree.SubElement(disk, "driver", _FILE if is_file else _BLOCK)
    etree.SubElement(disk, "source", {"file" if is_file else "dev": device.path})
    if is_file:
        _fill_store(etree.SubElement(disk, "backingStore"), device.backing)
    etree.SubElement(disk, "target", dev=target, bus=device.bus)
    etree.SubElement(disk, "serial").text = device.name
    return disk


def _fill_store(store: _Element, backing: tuple[str, str] | None) -> None:
    """Say aloud what a file lies over, so that libvirt does not probe it."""
    if backing:
        store.set("type", "file")
        etree.SubElement(store, "format", type=backing[1])
        etree.SubElement(store, "source", file=backing[0])
        etree.SubElement(store, "backingStore")
