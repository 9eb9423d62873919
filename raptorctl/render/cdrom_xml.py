"""A machine's CD drive in a domain's XML.

https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms
"""

from lxml import etree
from lxml.etree import _Element

from raptorctl.errors import InputError
from raptorctl.model.disk import Bus
from raptorctl.render.disk_xml import free_target
from raptorctl.render.read_domain import parse_domain
from raptorctl.render.xml_text import xml_text


def fill_drive(root: _Element, path: str) -> None:
    """Put a file into the drive, which is added where there is none; "" leaves all as it is.

    Raises:
        InputError: it has no disk, or no target is free.
    """
    if not path:
        return
    drive = root.find("devices/disk[@device='cdrom']")
    if drive is None:
        there = root.findall("devices/disk")
        if not there:
            raise InputError("the domain has no disk")
        drive = _drive(free_target(root, Bus.SATA))
        there[-1].addnext(drive)
    _put(drive, path)


def with_medium(xml: str, path: str) -> str:
    """Have a definition's drive hold a file, or nothing; everything else stays as it is.

    Args:
        xml: the persistent definition, as libvirt prints it.
        path: the file, or "".

    Raises:
        InputError: it is not a domain's XML, has no disk, or no target is free.
    """
    root = parse_domain(xml)
    fill_drive(root, path)
    if not path:
        for drive in root.findall("devices/disk[@device='cdrom']"):
            _empty(drive)
    return xml_text(root)


def drive_element(xml: str) -> str:
    """The `<disk>` element of a definition's first CD drive; "" where it has none.

    Raises:
        InputError: it is not a domain's XML.
    """
    drive = parse_domain(xml).find("devices/disk[@device='cdrom']")
    return "" if drive is None else etree.tostring(drive, encoding="unicode")


def _drive(target: str) -> _Element:
    # SATA, as firmware, Windows and every installer have its driver.
    drive = etree.Element("disk", type="file", device="cdrom")
    etree.SubElement(drive, "target", dev=target, bus=Bus.SATA.value)
    etree.SubElement(drive, "readonly")
    return drive


def _empty(drive: _Element) -> None:
    for tag in ("source", "backingStore"):
        for old in drive.findall(tag):
            drive.remove(old)


def _put(drive: _Element, path: str) -> None:
    """Raw is said aloud: a format that is guessed may name any file of the host."""
    _empty(drive)
    drive.set("type", "file")
    source = etree.Element("source", file=path)
    driver = drive.find("driver")
    if driver is None:
        driver = etree.Element("driver")
        drive.insert(0, driver)
    driver.attrib.clear()
    driver.set("name", "qemu")
    driver.set("type", "raw")
    driver.addnext(source)
