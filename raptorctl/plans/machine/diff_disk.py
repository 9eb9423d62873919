"""Further disks of a machine that stands beside those that it should have."""

from collections.abc import Iterator, Mapping
from typing import Final

from raptorctl.model.disk import DiskSpec, ExtraDisk, disks
from raptorctl.plans.machine.difference import Difference, Standing, When
from raptorctl.plans.part import image as images
from raptorctl.render.disk_xml import bus_of

NONE: Final = "none"
"""What is wanted of a disk that was not asked for."""


def compared(wanted: Mapping[str, DiskSpec], it: Standing) -> Iterator[Difference]:
    """Compare each by its name; one that it has and was not asked for differs as well."""
    volumes = it.facts.volumes
    # A tenant's own look knows no volumes, and what a domain lacks is doctor's.
    has = {one.name: one for one in disks(volumes, it.name)}
    for name, spec in wanted.items():
        if name in has:
            yield from differing(name, spec, has[name], it)
        else:
            how = f"raptorctl disk add {it.name} {_typed(name, spec)}"
            yield Difference("disks", f"disk {name}", "none", _said(spec), When.NOW, how)
    for name in sorted(has.keys() - wanted.keys()):
        if has[name].volume.path not in it.there.domain.disks:
            continue  # kept from a machine of this name that is gone
        how = f"raptorctl disk remove {it.name} {name}"
        size = str(has[name].volume.size)
        yield Difference("disks", f"disk {name}", size, NONE, When.NOW, how)


def differing(name: str, spec: DiskSpec, one: ExtraDisk, it: Standing) -> Iterator[Difference]:
    """Say how a disk that is there differs from what it should be."""
    yield from _size(name, spec, one, it)
    if spec.outlives != one.volume.kept:
        words = {True: "keep on", False: "keep off"}
        has, wanted = words[one.volume.kept], words[spec.outlives]
        how = f"raptorctl disk set {it.name} {name} --{'keep' if spec.outlives else 'no-keep'}"
        yield Difference("disks", f"disk {name}", has, wanted, When.NOW, how)
    image = images.chosen(spec.image, it.facts)
    if image and image.digest != (one.volume.image or ""):
        has = (one.volume.image or "none")[:12]
        yield _refused(name, f"disk {name} begins as", has, image.name, it)
    bus = bus_of(it.there.domain.xml, one.volume.path)
    if bus != spec.bus.value:
        yield _refused(name, f"bus of disk {name}", bus or "none", spec.bus.value, it)


def _size(name: str, spec: DiskSpec, one: ExtraDisk, it: Standing) -> Iterator[Difference]:
    if spec.size is None:
        return
    size = spec.size.rounded_up(it.facts.group.extent if it.facts.group else 1)
    if size > one.volume.size:
        how = f"raptorctl disk grow {it.name} {name} {size}"
        yield Difference("disks", f"disk {name}", str(one.volume.size), str(size), When.NOW, how)
    elif size < one.volume.size:
        yield _refused(name, f"disk {name}", str(one.volume.size), str(size), it)


def _refused(name: str, label: str, has: str, wanted: str, it: Standing) -> Difference:
    how = f"raptorctl disk remove {it.name} {name}, then add it so"
    return Difference("disks", label, has, wanted, When.REFUSED, how)


def _said(spec: DiskSpec) -> str:
    return spec.kept or str(spec.size)


def _typed(name: str, spec: DiskSpec) -> str:
    words = [f"{name}=keep:{spec.kept}" if spec.kept else f"{name}={spec.size}"]
    words += ["keep"] if spec.keep else []
    words += [f"image={spec.image}"] if spec.image else []
    words += [f"bus={spec.bus.value}"] if spec.bus.value != "virtio" else []
    return ",".join(words)
