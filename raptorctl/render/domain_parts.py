"""The parts of a domain's XML that its specification fills in."""

import unicodedata
from pathlib import PurePosixPath

from lxml import etree
from lxml.etree import _Element

from raptorctl.errors import InputError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain_spec import DomainSpec
from raptorctl.model.names import shown
from raptorctl.model.sizes import KIB, Size
from raptorctl.model.spec import Graphics
from raptorctl.model.volume import OVERLAY


def put(element: _Element, value: object) -> None:
    """Have an element say a value, and nothing else."""
    element.text = clean(str(value))


def set_(element: _Element, **values: object) -> None:
    """Set attributes of an element."""
    for name, value in values.items():
        element.set(name, clean(str(value)))


def child(parent: _Element, tag: str) -> _Element:
    """Return an element's child, made if need be."""
    found = parent.find(tag)
    return etree.SubElement(parent, tag) if found is None else found


def need(root: _Element, path: str) -> _Element:
    """Return an element that a template must have."""
    found = root.find(path)
    if found is None:
        raise InputError(
            f"the domain template has no {path}", resolution="begin from virtio-console.xml"
        )
    return found


def fill_memory(root: _Element, memory: Size) -> None:
    """Fill in how much memory there is."""
    for tag in ("memory", "currentMemory"):
        element = child(root, tag)
        set_(element, unit="KiB")  # libvirt's own unit, so that the define reads back the same
        put(element, memory.rounded_up(KIB) // KIB)


def fill_cpus(root: _Element, cpus: CpuSet, emulator: CpuSet, count: int) -> None:
    """Fill in how many CPUs there are, and where they are pinned."""
    vcpu = child(root, "vcpu")
    vcpu.attrib.clear()  # `current` and `cpuset` would contradict the pins
    set_(vcpu, placement="static")
    put(vcpu, count)
    _fill_pins(child(root, "cputune"), cpus, emulator)
    cpu = child(root, "cpu")
    if root.get("type") == "qemu" and cpu.get("mode") == "host-passthrough":
        set_(cpu, mode="maximum")  # emulation has no host CPU to pass through
    topology = cpu.find("topology")
    if topology is not None:
        topology.attrib.clear()
        set_(topology, sockets=1, cores=count, threads=1)


def _fill_pins(tune: _Element, cpus: CpuSet, emulator: CpuSet) -> None:
    for old in [*tune.findall("vcpupin"), *tune.findall("emulatorpin")]:
        tune.remove(old)
    for number, cpu in enumerate(cpus):
        set_(etree.SubElement(tune, "vcpupin"), vcpu=number, cpuset=cpu)
    if emulator:
        set_(etree.SubElement(tune, "emulatorpin"), cpuset=emulator)


def fill_firmware(root: _Element, spec: DomainSpec) -> None:
    """Fill in the firmware, secure boot and where its variables are."""
    libvirt, boot = spec.libvirt, need(root, "os")
    set_(need(root, "os/type"), machine=libvirt.machine_type)
    loader, nvram = child(boot, "loader"), child(boot, "nvram")
    secure = "yes" if libvirt.secure_boot else "no"
    set_(loader, readonly="yes", secure=secure, type="pflash")
    put(loader, libvirt.firmware_code)
    set_(nvram, template=libvirt.firmware_vars)
    put(nvram, PurePosixPath(libvirt.nvram_dir) / spec.mark.name.nvram)
    _fill_smm(child(root, "features"), secure_boot=libvirt.secure_boot)


def _fill_smm(features: _Element, *, secure_boot: bool) -> None:
    # Without SMM the guest's kernel could write the variables that secure boot trusts; libvirt
    # refuses the one without the other.
    if secure_boot:
        set_(child(features, "smm"), state="on")
    else:
        for smm in features.findall("smm"):
            features.remove(smm)


def fill_disk(disk: _Element, spec: DomainSpec) -> None:
    """Fill in the first disk: its path, and how it is read."""
    source, driver = child(disk, "source"), child(disk, "driver")
    source.attrib.clear()
    # Whatever the template says: were a format guessed, a guest could write itself a qcow2
    # header that names any file of the host as its backing store (CVE-2026-24708).
    if not spec.disk.endswith(OVERLAY):
        set_(disk, type="block")
        set_(driver, type="raw")
        set_(source, dev=spec.disk)
        return
    set_(disk, type="file")
    driver.attrib.clear()  # O_DIRECT is not for every filesystem that a home can be on
    set_(driver, name="qemu", type="qcow2", discard="unmap")
    set_(source, file=spec.disk)
    fill_backing(disk, spec.backing)


def fill_backing(disk: _Element, backing: tuple[str, str] | None) -> None:
    """Say aloud what a file lies over, so that libvirt does not probe it (backingStore)."""
    for old in disk.findall("backingStore"):
        disk.remove(old)
    store = etree.Element("backingStore")
    child(disk, "source").addnext(store)
    if backing:
        set_(store, type="file")
        set_(etree.SubElement(store, "format"), type=backing[1])
        set_(etree.SubElement(store, "source"), file=backing[0])
        etree.SubElement(store, "backingStore")


def fill_label(root: _Element, qemu_id: int | None) -> None:
    """Have QEMU run under a number of its own: one that breaks out opens nobody else's disk.

    https://libvirt.org/formatdomain.html#security-label; `+` says that it is a number.
    """
    for old in root.findall("seclabel[@model='dac']"):
        root.remove(old)
    if qemu_id is not None:
        label = etree.SubElement(root, "seclabel", type="static", model="dac", relabel="yes")
        put(etree.SubElement(label, "label"), f"+{qemu_id}:+{qemu_id}")


def fill_log(root: _Element, path: str) -> None:
    """Have virtlogd keep what the console says (formatdomain.html#consoles-...-devices, log)."""
    devices = [root.find("devices/serial"), root.find("devices/console")]
    console = next((device for device in devices if device is not None), None)
    if console is not None:
        for old in console.findall("log"):
            console.remove(old)
        if path:
            set_(etree.SubElement(console, "log"), file=path, append="on")


def fill_graphics(root: _Element, graphics: Graphics | None) -> None:
    """Show the screen on a socket that libvirt makes for this domain alone.

    https://libvirt.org/formatdomain.html#graphical-framebuffers
    """
    devices = need(root, "devices")
    if graphics is None:
        return
    for old in [*devices.findall("graphics"), *devices.findall("video")]:
        devices.remove(old)
    if graphics is Graphics.NONE:
        return
    screen = etree.SubElement(devices, "graphics", type=graphics.protocol)
    etree.SubElement(screen, "listen", type="socket")
    etree.SubElement(etree.SubElement(devices, "video"), "model", type="virtio", heads="1")


def clean(value: str) -> str:
    """Return text that XML can hold."""
    # Beyond what XML forbids (C0, surrogates): no value of ours has a tab or a line break either.
    if any(unicodedata.category(char) in {"Cc", "Cs"} or char in "\ufffe\uffff" for char in value):
        raise InputError(f"{shown(value)} holds a control character")
    return value
