"""Domain XML: a template and a spec to text; `read_domain` is the way back.

Elements and attributes are set through lxml, which escapes; no XML is pasted from strings.
The format is libvirt's, https://libvirt.org/formatdomain.html.
"""

import unicodedata
from dataclasses import MISSING, fields
from pathlib import PurePosixPath
from typing import Final

from lxml import etree
from lxml.etree import _Element

from raptorctl.errors import InputError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import NAMESPACE, DomainSpec, Mark
from raptorctl.model.names import shown
from raptorctl.model.sizes import KIB, Size
from raptorctl.model.spec import Graphics
from raptorctl.model.volume import OVERLAY
from raptorctl.render.cdrom_xml import fill_drive
from raptorctl.render.disk_xml import add_disks
from raptorctl.render.hardware import DISK_THEN_ISO, fill_boot, fill_hugepages, fill_tpm
from raptorctl.render.network_xml import fill_network
from raptorctl.render.read_domain import MACHINE_TAG, mark_tag, parse_domain

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
    root.set("type", _clean(spec.accelerator))
    _put(_child(root, "name"), spec.mark.name.domain)
    _put(_child(root, "uuid"), spec.uuid)
    _fill_metadata(_child(root, "metadata"), spec.mark)
    _fill_memory(root, spec.memory)
    _fill_cpus(root, spec.cpus, spec.emulator, spec.count)
    _fill_firmware(root, spec)
    _fill_disk(_need(root, "devices/disk"), spec)
    add_disks(root, spec.disks)
    fill_drive(root, spec.iso)
    fill_network(root, spec)
    _fill_label(root, spec.qemu_id)
    _fill_log(root, spec.log)
    _fill_seed(root, spec.seed)
    _fill_graphics(root, spec.graphics)
    fill_tpm(root, has=spec.tpm)
    fill_boot(root, spec.boot or (DISK_THEN_ISO if spec.iso else ()))
    fill_hugepages(root, spec.hugepages)
    etree.indent(root, space="  ")
    return etree.tostring(root, encoding="unicode") + "\n"


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
    _fill_memory(root, memory)
    _fill_cpus(root, cpus, emulator, count or len(cpus))
    etree.indent(root, space="  ")
    return etree.tostring(root, encoding="unicode") + "\n"


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
    _fill_metadata(_child(root, "metadata"), mark)
    disk = _need(root, "devices/disk")
    if _child(disk, "source").get("file", "").endswith(OVERLAY):
        _fill_backing(disk, backing)
    _fill_seed(root, seed)
    etree.indent(root, space="  ")
    return etree.tostring(root, encoding="unicode") + "\n"


def marked_domain(xml: str, mark: Mark) -> str:
    """Give a definition another mark; everything else stays as it is.

    Raises:
        InputError: it is not a domain's XML.
    """
    root = parse_domain(xml)
    _fill_metadata(_child(root, "metadata"), mark)
    etree.indent(root, space="  ")
    return etree.tostring(root, encoding="unicode") + "\n"


def without_seed(xml: str) -> str:
    """Take the seed out of a definition; everything else stays as it is.

    Raises:
        InputError: it is not a domain's XML.
    """
    root = parse_domain(xml)
    _fill_seed(root, "")
    etree.indent(root, space="  ")
    return etree.tostring(root, encoding="unicode") + "\n"


def seed_element(path: str) -> str:
    """The `<disk>` element of a seed."""
    return etree.tostring(_seed_disk(path), encoding="unicode")


def _clean(value: str) -> str:
    # Beyond what XML forbids (C0, surrogates): no value of ours has a tab or a line break either.
    if any(unicodedata.category(char) in {"Cc", "Cs"} or char in "\ufffe\uffff" for char in value):
        raise InputError(f"{shown(value)} holds a control character")
    return value


def _put(element: _Element, value: object) -> None:
    element.text = _clean(str(value))


def _set(element: _Element, **values: object) -> None:
    for name, value in values.items():
        element.set(name, _clean(str(value)))


def _child(parent: _Element, tag: str) -> _Element:
    found = parent.find(tag)
    return etree.SubElement(parent, tag) if found is None else found


def _need(root: _Element, path: str) -> _Element:
    found = root.find(path)
    if found is None:
        raise InputError(
            f"the domain template has no {path}", resolution="begin from virtio-console.xml"
        )
    return found


def _fill_metadata(metadata: _Element, mark: Mark) -> None:
    for old in metadata.findall(MACHINE_TAG):
        metadata.remove(old)
    machine = etree.SubElement(metadata, MACHINE_TAG, nsmap={"raptor": NAMESPACE})
    for field in fields(Mark):
        if (value := getattr(mark, field.name)) or field.default is MISSING:
            _put(etree.SubElement(machine, mark_tag(field.name)), value)


def _fill_memory(root: _Element, memory: Size) -> None:
    for tag in ("memory", "currentMemory"):
        element = _child(root, tag)
        _set(element, unit="KiB")  # libvirt's own unit, so that the define reads back the same
        _put(element, memory.rounded_up(KIB) // KIB)


def _fill_cpus(root: _Element, cpus: CpuSet, emulator: CpuSet, count: int) -> None:
    vcpu = _child(root, "vcpu")
    vcpu.attrib.clear()  # `current` and `cpuset` would contradict the pins
    _set(vcpu, placement="static")
    _put(vcpu, count)
    _fill_pins(_child(root, "cputune"), cpus, emulator)
    cpu = _child(root, "cpu")
    if root.get("type") == "qemu" and cpu.get("mode") == "host-passthrough":
        _set(cpu, mode="maximum")  # emulation has no host CPU to pass through
    topology = cpu.find("topology")
    if topology is not None:
        topology.attrib.clear()
        _set(topology, sockets=1, cores=count, threads=1)


def _fill_pins(tune: _Element, cpus: CpuSet, emulator: CpuSet) -> None:
    for old in [*tune.findall("vcpupin"), *tune.findall("emulatorpin")]:
        tune.remove(old)
    for number, cpu in enumerate(cpus):
        _set(etree.SubElement(tune, "vcpupin"), vcpu=number, cpuset=cpu)
    if emulator:
        _set(etree.SubElement(tune, "emulatorpin"), cpuset=emulator)


def _fill_firmware(root: _Element, spec: DomainSpec) -> None:
    libvirt, boot = spec.libvirt, _need(root, "os")
    _set(_need(root, "os/type"), machine=libvirt.machine_type)
    loader, nvram = _child(boot, "loader"), _child(boot, "nvram")
    secure = "yes" if libvirt.secure_boot else "no"
    _set(loader, readonly="yes", secure=secure, type="pflash")
    _put(loader, libvirt.firmware_code)
    _set(nvram, template=libvirt.firmware_vars)
    _put(nvram, PurePosixPath(libvirt.nvram_dir) / spec.mark.name.nvram)
    _fill_smm(_child(root, "features"), secure_boot=libvirt.secure_boot)


def _fill_smm(features: _Element, *, secure_boot: bool) -> None:
    # Without SMM the guest's kernel could write the variables that secure boot trusts; libvirt
    # refuses the one without the other.
    if secure_boot:
        _set(_child(features, "smm"), state="on")
    else:
        for smm in features.findall("smm"):
            features.remove(smm)


def _fill_disk(disk: _Element, spec: DomainSpec) -> None:
    source, driver = _child(disk, "source"), _child(disk, "driver")
    source.attrib.clear()
    # Whatever the template says: were a format guessed, a guest could write itself a qcow2
    # header that names any file of the host as its backing store (CVE-2026-24708).
    if not spec.disk.endswith(OVERLAY):
        _set(disk, type="block")
        _set(driver, type="raw")
        _set(source, dev=spec.disk)
        return
    _set(disk, type="file")
    driver.attrib.clear()  # O_DIRECT is not for every filesystem that a home can be on
    _set(driver, name="qemu", type="qcow2", discard="unmap")
    _set(source, file=spec.disk)
    _fill_backing(disk, spec.backing)


def _fill_backing(disk: _Element, backing: tuple[str, str] | None) -> None:
    """Say aloud what a file lies over, so that libvirt does not probe it (backingStore)."""
    for old in disk.findall("backingStore"):
        disk.remove(old)
    store = etree.Element("backingStore")
    _child(disk, "source").addnext(store)
    if backing:
        _set(store, type="file")
        _set(etree.SubElement(store, "format"), type=backing[1])
        _set(etree.SubElement(store, "source"), file=backing[0])
        etree.SubElement(store, "backingStore")


def _fill_label(root: _Element, qemu_id: int | None) -> None:
    """Have QEMU run under a number of its own: one that breaks out opens nobody else's disk.

    https://libvirt.org/formatdomain.html#security-label; `+` says that it is a number.
    """
    for old in root.findall("seclabel[@model='dac']"):
        root.remove(old)
    if qemu_id is not None:
        label = etree.SubElement(root, "seclabel", type="static", model="dac", relabel="yes")
        _put(etree.SubElement(label, "label"), f"+{qemu_id}:+{qemu_id}")


def _fill_log(root: _Element, path: str) -> None:
    """Have virtlogd keep what the console says (formatdomain.html#consoles-...-devices, log)."""
    devices = [root.find("devices/serial"), root.find("devices/console")]
    console = next((device for device in devices if device is not None), None)
    if console is not None:
        for old in console.findall("log"):
            console.remove(old)
        if path:
            _set(etree.SubElement(console, "log"), file=path, append="on")


def _fill_seed(root: _Element, path: str) -> None:
    """Attach the seed as a disk: a CD-ROM can appear after cloud-init has looked for it."""
    devices = _need(root, "devices")
    for old in devices.findall(f"disk/serial[.='{SEED_SERIAL}']/.."):
        devices.remove(old)
    if path:
        _need(root, "devices/disk").addnext(_seed_disk(path))


def _seed_disk(path: str) -> _Element:
    disk = etree.Element("disk", type="file", device="disk")
    _set(etree.SubElement(disk, "driver"), name="qemu", type="raw")
    _set(etree.SubElement(disk, "source"), file=path)
    _set(etree.SubElement(disk, "target"), dev="vdz", bus="virtio")
    etree.SubElement(disk, "readonly")
    _put(etree.SubElement(disk, "serial"), SEED_SERIAL)
    return disk


def _fill_graphics(root: _Element, graphics: Graphics | None) -> None:
    """Show the screen on a socket that libvirt makes for this domain alone.

    https://libvirt.org/formatdomain.html#graphical-framebuffers
    """
    devices = _need(root, "devices")
    if graphics is None:
        return
    for old in [*devices.findall("graphics"), *devices.findall("video")]:
        devices.remove(old)
    if graphics is Graphics.NONE:
        return
    screen = etree.SubElement(devices, "graphics", type=graphics.protocol)
    etree.SubElement(screen, "listen", type="socket")
    etree.SubElement(etree.SubElement(devices, "video"), "model", type="virtio", heads="1")
