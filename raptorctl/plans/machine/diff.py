"""A machine that stands beside what it should be, key by key. Pure.

Each key of `MachineSpec` has its comparison in `COMPARISONS`: what it yields differs, and nothing
is the same. What only cloud-init knows is in `diff_guest.py`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain
from raptorctl.model.expiry import NEVER, is_relative
from raptorctl.model.image import SHORT, find
from raptorctl.model.medium import digest_in, inserted
from raptorctl.model.net import Net
from raptorctl.model.sizes import Size
from raptorctl.model.spec import BOOT_WORDS, CLOUD_TEXTS, BootDevice, Graphics, MachineSpec
from raptorctl.plans.machine import diff_disk
from raptorctl.plans.machine import diff_guest as guest
from raptorctl.plans.machine.difference import Difference, Standing, When
from raptorctl.plans.part import net
from raptorctl.render.read_domain import read_graphics

Comparison = Callable[[Any, Standing], Iterator[Difference]]


def compare(it: Standing) -> tuple[Difference, ...]:
    """Compare all that is asked for with what stands; a key that was not said is not compared."""
    return tuple(
        difference
        for one in fields(MachineSpec)
        if (value := getattr(it.wanted, one.name)) is not None
        for difference in _compared(one.name, value, it)
    )


def _compared(key: str, wanted: Any, it: Standing) -> tuple[Difference, ...]:
    found = tuple(COMPARISONS[key](wanted, it))
    return found or (Difference(key, key, "as asked", "as asked"),)


def _size(wanted: Size, it: Standing) -> Iterator[Difference]:
    extent = it.facts.group.extent if it.facts.group else 1
    size, has = wanted.rounded_up(extent), it.there.volume.size
    if size < has:
        how = f"a disk only grows; {it.anew}"
        yield Difference("size", "size", str(has), str(size), When.REFUSED, how)
    elif size > has:
        how = f"raptorctl resize {it.name} --size {size}"
        yield Difference("size", "size", str(has), str(size), When.NOW, how)


def _cpus(wanted: CpuSet | int, it: Standing) -> Iterator[Difference]:
    def has(form: Domain) -> CpuSet | int:
        return form.vcpus if isinstance(wanted, int) else form.pins

    label = "number of CPUs" if isinstance(wanted, int) else "CPUs"
    domain, words = it.there.domain, wanted if isinstance(wanted, int) else wanted.typed
    moves = isinstance(wanted, CpuSet) and len(wanted) == domain.now.vcpus
    when = When.NOW if moves and domain.state.active else When.NEXT_START
    if has(domain) != wanted:
        how = f"raptorctl resize {it.name} --cpus {words}"
        yield Difference("cpus", label, _text(has(domain)), str(wanted), when, how)
    yield from _forms("cpus", label, wanted, has, it)


def _emulator(wanted: CpuSet, it: Standing) -> Iterator[Difference]:
    has = it.there.domain.emulator.ascending()
    if has != wanted.ascending():
        yield Difference(
            "emulator_cpus", "emulator CPUs", _text(has), str(wanted), When.REFUSED, it.anew
        )


def _memory(wanted: Size, it: Standing) -> Iterator[Difference]:
    has = it.there.domain.memory
    if has != wanted:
        how = f"raptorctl resize {it.name} --memory {wanted}"
        yield Difference("memory", "memory", str(has), str(wanted), When.NEXT_START, how)
    yield from _forms("memory", "memory", wanted, lambda form: form.memory, it)


def _forms(
    key: str, label: str, wanted: object, has: Callable[[Domain], object], it: Standing
) -> Iterator[Difference]:
    """What runs, or was saved, may be another than what is defined: its next start tells."""
    domain = it.there.domain
    again = f"raptorctl stop {it.name}, then raptorctl start {it.name}"
    saved = f"raptorctl resize {it.name} --{key} {wanted} --drop-saved gives up what was saved"
    for words, form, how in (
        ("it runs", domain.live, again),
        ("it was saved", domain.saved, saved),
    ):
        if form and has(form) != wanted:
            told = f"{words} with {label}"
            yield Difference(key, told, _text(has(form)), str(wanted), When.NEXT_START, how)


def _fixed(key: str, has: Callable[[Standing], object]) -> Comparison:
    """A key that never changes while the machine stands."""
    label = key.replace("_", " ")

    def comparison(wanted: object, it: Standing) -> Iterator[Difference]:
        if has(it) != wanted:
            yield Difference(key, label, _text(has(it)), _text(wanted), When.REFUSED, it.anew)

    return comparison


def _image(wanted: str, it: Standing) -> Iterator[Difference]:
    mark, image = it.there.mark, it.image
    has = mark.image_name or "none"
    if mark.image and (image is None or not image.digest):
        how = f"raptorctl image pull {wanted}"
        yield Difference("image", "image", "", wanted, When.UNKNOWN, how)
    elif image and image.digest != mark.image_digest:
        yield Difference("image", "image", has, image.name, When.REBUILD, it.rebuild)


def _iso(wanted: str, it: Standing) -> Iterator[Difference]:
    image, has = it.iso or find(it.facts.images, wanted), digest_in(inserted(it.there.domain))
    if image is None and has:
        yield Difference("iso", "ISO", "", wanted, When.UNKNOWN, f"raptorctl image pull {wanted}")
    elif image is None or not image.digest or image.digest != has:
        how = f"raptorctl cdrom insert {it.name} {wanted}"
        yield Difference("iso", "ISO", has[:SHORT] or "none", wanted, When.NOW, how)


def _graphics(it: Standing) -> Graphics | None:
    return read_graphics(it.there.domain.xml)


def _boot(wanted: tuple[BootDevice, ...], it: Standing) -> Iterator[Difference]:
    has = it.there.domain.boot
    if has != tuple(device.libvirt for device in wanted):
        told = ", ".join(BOOT_WORDS.get(one, one) for one in has) or "another"
        asked = ", ".join(device.value for device in wanted)
        yield Difference("boot", "boot order", told, asked, When.REFUSED, it.anew)


def _net(wanted: tuple[Net, ...], it: Standing) -> Iterator[Difference]:
    has = it.there.domain.nets
    if not net.is_met(wanted, has):
        told, asked = ", ".join(has), ", ".join(wanted)
        yield Difference("net", "net", told, asked, When.REFUSED, it.anew)


def _expires(wanted: str, it: Standing) -> Iterator[Difference]:
    """How long is said at its beginning: it is met by any day."""
    has, day = it.there.mark.expires, "" if wanted == NEVER else wanted
    if has != day and not (has and is_relative(wanted)):
        how = f"raptorctl extend {it.name} {wanted}"
        yield Difference("expires", "expires", has or NEVER, wanted, When.NOW, how)


def _by_its_keys(_wanted: object, _it: Standing) -> Iterator[Difference]:
    """What a profile says lies below what was typed: each of its keys is compared as such."""
    return iter(())


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, Size):
        return str(value) if value else "none"
    if isinstance(value, Graphics):
        return value.value
    return "another" if value is None else str(value) or "none"


COMPARISONS: Final[Mapping[str, Comparison]] = {
    "size": _size,
    "cpus": _cpus,
    "emulator_cpus": _emulator,
    "share": _fixed("share", lambda it: bool(it.there.mark.shares)),
    "memory": _memory,
    "slot": _fixed("slot", lambda it: it.there.mark.slot),
    "template": _fixed("template", lambda it: it.there.mark.template),
    "image": _image,
    "iso": _iso,
    "profile": _by_its_keys,
    "graphics": _fixed("graphics", _graphics),
    "hugepages": _fixed("hugepages", lambda it: it.there.domain.hugepages),
    "tpm": _fixed("tpm", lambda it: it.there.domain.tpm),
    "secure_boot": _fixed("secure_boot", lambda it: it.there.domain.secure_boot),
    "boot": _boot,
    "net": _net,
    "network": guest.told("network", "network", guest.network),
    "seed": guest.seeded,
    "keys": guest.keys,
    **{key: guest.text(key) for key in CLOUD_TEXTS},
    "account": guest.told("account", "account", str),
    "hostname": guest.told("hostname", "hostname", str),
    "packages": guest.told("packages", "packages", guest.listed),
    "hosts": guest.told("hosts", "hosts", guest.pairs),
    "sysctl": guest.told("sysctl", "sysctl", guest.pairs),
    "swap": guest.told("swap", "swap", guest.amount),
    "disks": diff_disk.compared,
    "expires": _expires,
}
