"""Domain XML: a template and a spec to text; `read_domain` is the way back.

Elements and attributes are set through lxml, which escapes; no XML is pasted from strings.
The format is libvirt's, https://libvirt.org/formatdomain.html.
"""

from collections.abc import Iterable
from dataclasses import MISSING, fields
from typing import Final

from lxml import etree
from lxml.etree import _Element

from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import NAMESPACE, Mark
from raptorctl.model.domain_spec import DomainSpec
from raptorctl.model.sizes import Size
from raptorctl.model.volume import OVERLAY
from raptorctl.render.cdrom_xml import fill_drive
from raptorctl.render.disk_xml import add_disks
from raptorctl.render.domain_parts import (
    child,
    clean,
    fill_backing,
    fill_cpus,
    fill_disk,
    fill_firmware,
    fill_graphics,
    fill_label,
    fill_log,
    fill_memory,
    need,
    put,
    set_,
)
from raptorctl.render.hardware import DISK_THEN_ISO, fill_boot, fill_hugepages, fill_tpm
from raptorctl.render.network_xml import fill_network
from raptorctl.render.ports import fill_ports
from raptorctl.render.read_domain import MACHINE_TAG, mark_tag, parse_domain
from raptorctl.render.xml_text import xml_text

SEED_SERIAL: Final = "raptor-seed"
"""How a seed is told from other disks."""


def render_domain(template: str, spec: DomainSpec) -> str:
    """Fill a template.

    Args:
        template: a whole domain's XML, such as `domain_templates/virtio-console.xml`.
        spec: what goes in; everything it does not speak of stays as the template has it.

    Returns:
        Indented XML without the template's comments, the same for the same arguments.

    Raises:
        InputError: the template is not a domain or lacks a part that has to be filled, or a value
            holds a control character.
    """
    root = parse_domain(template)
    root.set("type", clean(spec.accelerator))
    put(child(root, "name"), spec.mark.name.domain)
    put(child(root, "uuid"), spec.uuid)
    _fill_metadata(child(root, "metadata"), spec.mark)
    fill_memory(root, spec.memory)
    fill_cpus(root, spec.cpus, spec.emulator, spec.count)
    fill_firmware(root, spec)
    fill_disk(need(root, "devices/disk"), spec)
    add_disks(root, spec.disks)
    fill_drive(root, spec.iso)
    fill_network(root, spec)
    fill_label(root, spec.qemu_id)
    fill_log(root, spec.log)
    _fill_seed(root, spec.seed)
    fill_graphics(root, spec.graphics)
    fill_tpm(root, has=spec.tpm)
    fill_boot(root, spec.boot or (DISK_THEN_ISO if spec.iso else ()))
    fill_hugepages(root, spec.hugepages, by_memfd=spec.pages_by_memfd)
    fill_ports(root)
    return xml_text(root)


def resized_domain(
    xml: str, cpus: CpuSet, emulator: CpuSet, memory: Size, count: int | None = None
) -> str:
    """Give a definition other CPUs and memory; everything else stays as it is.

    Args:
        xml: the persistent definition, as libvirt prints it.
        cpus: one host CPU for each virtual CPU, in order.
        emulator: host CPUs for the emulator's threads.
        memory: bytes.
        count: how many virtual CPUs, where none is pinned.

    Raises:
        InputError: it is not a domain's XML.
    """
    root = parse_domain(xml)
    fill_memory(root, memory)
    fill_cpus(root, cpus, emulator, count or len(cpus))
    return xml_text(root)


def with_threads(xml: str, cpus: CpuSet, kinds: Iterable[str]) -> str:
    """Give QEMU's own threads of a definition other CPUs; everything else stays as it is.

    Args:
        xml: the persistent definition, as libvirt prints it.
        cpus: host CPUs for each of them; none leaves them unpinned.
        kinds: of threads, as libvirt calls their pins: `emulatorpin`, `iothreadpin`.

    Raises:
        InputError: it is not a domain's XML.
    """
    root = parse_domain(xml)
    tune = child(root, "cputune")
    for kind in kinds:
        # Without a pin of its own, the emulator is where `<vcpu cpuset=>` says.
        for pin in tune.findall(kind) or [etree.SubElement(tune, kind)]:
            if cpus:
                set_(pin, cpuset=cpus)
            else:
                tune.remove(pin)
    return xml_text(root)


def rebuilt_domain(xml: str, mark: Mark, seed: str, backing: tuple[str, str] | None = None) -> str:
    """Give a definition another mark and another seed; everything else stays as it is.

    Args:
        xml: the persistent definition, as libvirt prints it.
        mark: of the job that rebuilds it.
        seed: the file of its seed, or "" for none.
        backing: what its disk lies over from now on, where that is a file of one's own.

    Raises:
        InputError: it is not a domain's XML.
    """
    root = parse_domain(xml)
    _fill_metadata(child(root, "metadata"), mark)
    disk = need(root, "devices/disk")
    if child(disk, "source").get("file", "").endswith(OVERLAY):
        fill_backing(disk, backing)
    _fill_seed(root, seed)
    return xml_text(root)


def marked_domain(xml: str, mark: Mark) -> str:
    """Give a definition another mark; everything else stays as it is.

    Raises:
        InputError: it is not a domain's XML.
    """
    root = parse_domain(xml)
    _fill_metadata(child(root, "metadata"), mark)
    return xml_text(root)


def without_seed(xml: str) -> str:
    """Take the seed out of a definition; everything else stays as it is.

    Raises:
        InputError: it is not a domain's XML.
    """
    root = parse_domain(xml)
    _fill_seed(root, "")
    return xml_text(root)


def seed_element(path: str) -> str:
    """The `<disk>` element of a seed."""
    return etree.tostring(_seed_disk(path), encoding="unicode")


def _fill_metadata(metadata: _Element, mark: Mark) -> None:
    for old in metadata.findall(MACHINE_TAG):
        metadata.remove(old)
    machine = etree.SubElement(metadata, MACHINE_TAG, nsmap={"raptor": NAMESPACE})
    for field in fields(Mark):
        if (value := getattr(mark, field.name)) or field.default is MISSING:
            put(etree.SubElement(machine, mark_tag(field.name)), value)


def _fill_seed(root: _Element, path: str) -> None:
    """Attach the seed as a disk: a CD-ROM can appear after cloud-init has looked for it."""
    devices = need(root, "devices")
    for old in devices.findall(f"disk/serial[.='{SEED_SERIAL}']/.."):
        devices.remove(old)
    if path:
        need(root, "devices/disk").addnext(_seed_disk(path))


def _seed_disk(path: str) -> _Element:
    disk = etree.Element("disk", type="file", device="disk")
    set_(etree.SubElement(disk, "driver"), name="qemu", type="raw")
    set_(etree.SubElement(disk, "source"), file=path)
    set_(etree.SubElement(disk, "target"), dev="vdz", bus="virtio")
    etree.SubElement(disk, "readonly")
    put(etree.SubElement(disk, "serial"), SEED_SERIAL)
    return disk
