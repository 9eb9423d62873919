"""Domain XML, ours or anybody's, to the noun.

The format is libvirt's, https://libvirt.org/formatdomain.html.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import MISSING, fields
from itertools import chain
from typing import Final

from lxml import etree
from lxml.etree import _Element

from raptorctl.errors import InputError
from raptorctl.model.cpuset import HIGHEST, CpuSet
from raptorctl.model.domain import NAMESPACE, Domain, Mark, State
from raptorctl.model.net import Forward, Net
from raptorctl.model.sizes import Size
from raptorctl.model.spec import Graphics
from raptorctl.render.hardware import read_boot, read_hugepages

QEMU: Final = "http://libvirt.org/schemas/domain/qemu/1.0"
_MAC: Final = re.compile(r"(?:^|,)mac=((?:[0-9a-f]{2}:){5}[0-9a-f]{2})(?=,|$)", re.IGNORECASE)
_FORWARD: Final = re.compile(
    r",hostfwd=tcp:127\.0\.0\.1:([0-9]{1,5})-:([0-9]{1,5})(?=,|$)", re.ASCII
)
MACHINE_TAG: Final = f"{{{NAMESPACE}}}machine"
_NUMBER: Final = re.compile(r"[0-9]{1,18}", re.ASCII)

# virScaleInteger (libvirt src/util/virutil.c): case does not matter; KB is decimal, K and KiB not.
_UNITS: Final = {"b": 1, "bytes": 1} | {
    name: factor**power
    for power, letter in enumerate("kmgtpe", 1)
    for name, factor in ((letter, 1024), (f"{letter}ib", 1024), (f"{letter}b", 1000))
}


def read_domain(xml: str, *, state: State = State.OFF, autostart: bool = False) -> Domain:
    """Read a domain's definition, ours or anybody's, as libvirt prints it.

    Args:
        xml: what is defined, what runs, or what was saved.
        state: what libvirt says beside the XML.
        autostart: likewise.

    Returns:
        The domain. What the XML does not say is empty; metadata that is not whole is no mark.

    Raises:
        InputError: it is not a domain's XML at all.
    """
    root = parse_domain(xml)
    places = tuple(_read_places(root))
    mark = _read_mark(root)
    return Domain(
        uuid=_text(root, "uuid"),
        name=_text(root, "name"),
        state=state,
        memory=_read_memory(root),
        pins=CpuSet(tuple(dict.fromkeys(chain.from_iterable(places)))),
        emulator=_read_emulator(root),
        macs=tuple(_read_macs(root)),
        bridges=tuple(_values(root, "devices/interface/source", "bridge")),
        wires=tuple(_read_wires(root)),
        # The sources of backing stores too: what a domain may open is in use.
        disks=tuple(_values(root, "devices/disk//source", "dev", "file")),
        nvram=_text(root, "os/nvram") or next(_values(root, "os/nvram/source", "file"), ""),
        mark=mark,
        xml=xml,
        autostart=autostart,
        logs=tuple(dict.fromkeys(_values(root, "devices//log", "file"))),
        vcpus=len(places),
        places=places,
        iothreads=_read_iothreads(root),
        tpm=root.find("devices/tpm/backend[@type='emulator']") is not None,
        secure_boot=next(_values(root, "os/loader", "secure"), "no") == "yes",
        boot=read_boot(root),
        hugepages=read_hugepages(root),
        forwards=read_forwards(root),
        others=tuple(_read_others(root, mark.reserved.split() if mark else ())),
        layers=tuple(_values(root, "devices/disk//backingStore/source", "dev", "file")),
        cdroms=tuple(_read_cdroms(root)),
    )


def console_device(xml: str) -> str:
    """What a Linux guest calls the console that its owner sees: `hvc0` (virtio) or `ttyS0`.

    Raises:
        InputError: it is not a domain's XML.
    """
    root = parse_domain(xml)
    virtio = root.find("devices/console/target[@type='virtio']") is not None
    return "hvc0" if virtio and root.find("devices/serial") is None else "ttyS0"


def read_graphics(xml: str) -> Graphics | None:
    """What shows a domain's screen; None for something that is none of ours.

    Raises:
        InputError: it is not a domain's XML.
    """
    screens = parse_domain(xml).findall("devices/graphics")
    if not screens:
        return Graphics.NONE
    sockets = {screen.get("type") for screen in screens if _on_socket(screen)}
    known = {one.protocol: one for one in (Graphics.VNC, Graphics.SPICE)}
    return known.get(sockets.pop() or "") if len(screens) == len(sockets) == 1 else None


def _on_socket(screen: _Element) -> bool:
    listen = screen.find("listen")
    return listen is not None and listen.get("type") == "socket"


def parse_domain(text: str) -> _Element:
    """Read XML that is a domain.

    Raises:
        InputError: it is something else, or declares entities.
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_blank_text=True,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise InputError(f"a domain's definition is not XML: {error}") from error
    # An entity that nobody resolves would be carried along as it is, so none may be declared.
    if root.tag != "domain" or root.getroottree().docinfo.internalDTD is not None:
        raise InputError("a domain's definition is a <domain>, without a document type")
    return root


def mark_tag(field: str) -> str:
    """The element that holds a field of our mark."""
    return f"{{{NAMESPACE}}}{field.replace('_', '-')}"


def _text(root: _Element, path: str) -> str:
    return (root.findtext(path) or "").strip()


def _number(text: str) -> int:
    return int(text) if _NUMBER.fullmatch(text) else 0


def _values(root: _Element, path: str, *names: str) -> Iterator[str]:
    found = (element.get(name) for element in root.iterfind(path) for name in names)
    return (value for value in found if value)


def _read_cdroms(root: _Element) -> Iterator[str]:
    """The file in each CD drive; "" for an empty one."""
    for drive in root.iterfind("devices/disk[@device='cdrom']"):
        yield next(_values(drive, "source", "file", "dev"), "")


def _read_macs(root: _Element) -> Iterator[str]:
    """Of the device that a session host puts on QEMU's command line, and of its interfaces."""
    for word in _values(root, f"{{{QEMU}}}commandline/{{{QEMU}}}arg", "value"):
        yield from (mac.lower() for mac in _MAC.findall(word))
    yield from (mac.lower() for mac in _values(root, "devices/interface/mac", "address"))


def read_forwards(root: _Element) -> tuple[Forward, ...]:
    """What a session host's network forwards beside ssh, which is the first."""
    words = _values(root, f"{{{QEMU}}}commandline/{{{QEMU}}}arg", "value")
    found = (pair for word in words for pair in _FORWARD.findall(word)[1:])
    return tuple(Forward(int(host), int(guest)) for host, guest in found)


def _read_others(root: _Element, reserved: Iterable[str]) -> Iterator[Net]:
    """Bridges and networks; a slot's bridge, and what no word of ours can say, is none of them."""
    kept: dict[str, str] = {}
    for said in reserved:
        with suppress(InputError):
            kept[Net(said).base] = said
    for source in root.iterfind("devices/interface/source"):
        # What runs says of a network which bridge it is.
        kind = "network" if source.get("network") else "bridge"
        with suppress(InputError):
            net = Net(f"{kind}:{source.get(kind) or ''}")
            yield Net(kept.get(net, net))


def _read_wires(root: _Element) -> Iterator[tuple[str, str]]:
    for nic in root.iterfind("devices/interface"):
        for mac in _values(nic, "mac", "address"):
            yield from ((mac.lower(), bridge) for bridge in _values(nic, "source", "bridge"))


def _read_memory(root: _Element) -> Size:
    unit = next(_values(root, "memory", "unit"), "KiB")
    return Size(_number(_text(root, "memory")) * _UNITS.get(unit.lower(), 0))


def _read_places(root: _Element) -> Iterator[CpuSet]:
    """Each virtual CPU's host CPUs, in order; those not pinned go where `<vcpu cpuset=>` says."""
    unpinned = _read_vcpu_set(root)
    pinned = {
        pin.get("vcpu"): _read_cpus(pin.get("cpuset")) for pin in root.iterfind("cputune/vcpupin")
    }
    count = min(_number(_text(root, "vcpu")), HIGHEST)
    return (pinned.get(str(number), unpinned) for number in range(count))


def _read_iothreads(root: _Element) -> CpuSet:
    pins = (_read_cpus(pin.get("cpuset")) for pin in root.iterfind("cputune/iothreadpin"))
    return CpuSet(tuple(dict.fromkeys(chain.from_iterable(pins))))


def _read_emulator(root: _Element) -> CpuSet:
    pin = root.find("cputune/emulatorpin")
    return _read_vcpu_set(root) if pin is None else _read_cpus(pin.get("cpuset"))


def _read_vcpu_set(root: _Element) -> CpuSet:
    return _read_cpus(next(_values(root, "vcpu", "cpuset"), None))


def _read_cpus(text: str | None) -> CpuSet:
    # libvirt prints runs without overlap, which the parser takes; one foreign domain that says
    # something else must not make the whole host unreadable.
    try:
        return CpuSet.parse(text or "")
    except InputError:
        return CpuSet()


def _read_mark(root: _Element) -> Mark | None:
    machine = root.find(f"metadata/{MACHINE_TAG}")
    if machine is None:
        return None
    said = {field.name: _text(machine, mark_tag(field.name)) for field in fields(Mark)}
    needed = [said[field.name] for field in fields(Mark) if field.default is MISSING]
    slot = said.pop("slot")
    if not all(needed) or not _NUMBER.fullmatch(slot):
        return None
    return Mark(slot=int(slot), **said)
