"""A machine's TPM, boot order and huge pages, in a domain's XML.

The format is libvirt's, https://libvirt.org/formatdomain.html: #tpm-device, #bios-bootloader and
#memory-backing.
"""

from collections.abc import Iterable
from typing import Final

from lxml import etree
from lxml.etree import _Element

from raptorctl.model.sizes import GIB, KIB, Size
from raptorctl.model.spec import BootDevice

DISK_THEN_ISO: Final = (BootDevice.DISK, BootDevice.CDROM)
"""Firmware goes on to the next where it finds nothing to boot, as on a disk that is empty."""
_UNITS: Final = {"KiB": KIB, "MiB": KIB << 10, "GiB": GIB}


def fill_tpm(root: _Element, *, has: bool | None) -> None:
    """Give a machine a TPM 2.0 of its own, or take the template's away.

    Its state outlives an undefine, as a rebuild and a restored snapshot need it; `forget_tpm` of
    the domains takes it away. The model is the one that firmware and guests of q35 expect.
    """
    devices = root.find("devices")
    if has is None or devices is None:
        return
    for old in devices.findall("tpm"):
        devices.remove(old)
    if has:
        tpm = etree.SubElement(devices, "tpm", model="tpm-crb")
        etree.SubElement(tpm, "backend", type="emulator", version="2.0", persistent_state="yes")


def fill_boot(root: _Element, order: Iterable[BootDevice]) -> None:
    """Have the firmware try these, in this order; nothing leaves what the template has."""
    boot, wanted = root.find("os"), tuple(order)
    if boot is None or not wanted:
        return
    for old in boot.findall("boot"):
        boot.remove(old)
    for device in wanted:
        etree.SubElement(boot, "boot", dev=device.libvirt)


def fill_hugepages(root: _Element, size: Size | None, *, by_memfd: bool = False) -> None:
    """Make its memory of huge pages of that size; what else the template says of it stays.

    Args:
        root: the domain.
        size: bytes; None for what the template has.
        by_memfd: libvirt's session knows no hugetlbfs, and needs none for `memfd`
            (https://libvirt.org/formatdomain.html#memory-backing, virQEMUDriverConfigNew).
    """
    if size is None:
        return
    backing = root.find("memoryBacking")
    if backing is None:
        backing = etree.Element("memoryBacking")
        _after(root, ("currentMemory", "memory")).addnext(backing)
    for old in backing.findall("hugepages"):
        backing.remove(old)
    pages = etree.Element("hugepages")
    etree.SubElement(pages, "page", size=str(size // KIB), unit="KiB")
    backing.insert(0, pages)
    if by_memfd:
        for old in backing.findall("source"):
            backing.remove(old)
        etree.SubElement(backing, "source", type="memfd")


def read_boot(root: _Element) -> tuple[str, ...]:
    """What the firmware tries, in libvirt's words; empty where devices have an order each."""
    found = (element.get("dev") for element in root.iterfind("os/boot"))
    return tuple(device for device in found if device)


def read_hugepages(root: _Element) -> Size:
    """Bytes of the huge pages; 0 for none, and for the host's default size, which is not told."""
    page = root.find("memoryBacking/hugepages/page")
    if page is None:
        return Size(0)
    size = page.get("size", "")
    unit = _UNITS.get(page.get("unit", "KiB"), 0)
    return Size(int(size) * unit if size.isascii() and size.isdecimal() and len(size) < 10 else 0)


def _after(root: _Element, tags: Iterable[str]) -> _Element:
    return next(found for tag in tags if (found := root.find(tag)) is not None)
