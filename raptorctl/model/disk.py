"""Further disks: what a machine is to have beside its first one, and those that there are."""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from raptorctl.errors import InputError
from raptorctl.model.domain import Domain
from raptorctl.model.names import MACHINE, MachineName, parse_disk, shown, split_disk
from raptorctl.model.sizes import Size
from raptorctl.model.volume import OVERLAY, Volume

MOST: Final = 24
"""Disks of one machine beside its first: `vdb` to `vdy`, as its seed is `vdz`."""


class Bus(enum.Enum):
    """What a guest sees a disk behind."""

    VIRTIO = "virtio"
    SCSI = "scsi"
    SATA = "sata"

    @property
    def letters(self) -> str:
        """How a disk's target begins (formatdomain.html#hard-drives-floppy-disks-cdroms)."""
        return "vd" if self is Bus.VIRTIO else "sd"


@dataclass(frozen=True)
class DiskSpec:
    """What a further disk should be: a new one of a size, or a kept one.

    Args:
        size: bytes of a new one.
        keep: whether it outlives its machine.
        image: what a new one begins as.
        bus: what the guest sees it behind.
        kept: a kept disk of the same tenant, `dev.data`, to be taken up with its bytes; or "".
    """

    size: Size | None = None
    keep: bool = False
    image: str | None = None
    bus: Bus = Bus.VIRTIO
    kept: str = ""

    @property
    def outlives(self) -> bool:
        """Whether it stays when its machine goes: one that was kept is kept again."""
        return self.keep or bool(self.kept)

    @property
    def problem(self) -> str:
        """Why there can be no such disk, or ""."""
        if self.kept and not _is_label(self.kept):
            return f"{shown(self.kept)} names no kept disk: write MACHINE.DISK"
        if self.kept and (self.size is not None or self.image is not None):
            return "a kept disk has its size and its bytes already"
        if not self.kept and not self.size:
            return "should have a size, or name a kept disk"
        return "is not a valid image name" if self.image == "" else ""


def read_disk(text: str) -> tuple[str, DiskSpec]:
    """Read `data=100G,keep,image=debian:13,bus=virtio` or `data=keep:dev.data`.

    Raises:
        InputError: it is neither.
    """
    name, equals, rest = text.partition("=")
    first, *words = rest.split(",")
    if not equals or not first:
        raise InputError(f"{shown(text)} is no disk", resolution="write e.g. data=100G")
    kept = first.removeprefix("keep:") if first.startswith("keep:") else ""
    spec = DiskSpec(kept=kept) if kept else DiskSpec(size=Size.parse(first))
    for word in words:
        spec = _with(spec, word)
    if spec.problem:
        raise InputError(f"{shown(text)}: {spec.problem}")
    return parse_disk(name), spec


def read_disks(texts: Iterable[str]) -> dict[str, DiskSpec]:
    """Read several.

    Raises:
        InputError: one cannot be, or is named twice.
    """
    found: dict[str, DiskSpec] = {}
    for name, spec in map(read_disk, texts):
        if name in found:
            raise InputError(f"disk {name} is named twice")
        found[name] = spec
    return found


def disks_problem(disks: Mapping[str, DiskSpec]) -> str:
    """Why a machine cannot have these, as a profile says them, or ""."""
    if len(disks) > MOST:
        return f"should be {MOST} at most"
    for name, spec in disks.items():
        try:
            parse_disk(name)
        except InputError as error:
            return str(error)
        if spec.problem:
            return f"{name}: {spec.problem}"
    return ""


def _with(spec: DiskSpec, word: str) -> DiskSpec:
    key, equals, value = word.partition("=")
    if word == "keep":
        return replace(spec, keep=True)
    if equals and key == "image":
        return replace(spec, image=value)
    if equals and key == "bus" and value in [bus.value for bus in Bus]:
        return replace(spec, bus=Bus(value))
    raise InputError(
        f"{shown(word)} says nothing of a disk",
        resolution=f"say keep, image=REF, or bus={'|'.join(bus.value for bus in Bus)}",
    )


def _is_label(text: str) -> bool:
    machine, dot, disk = text.partition(".")
    return bool(dot and MACHINE.fullmatch(machine) and MACHINE.fullmatch(disk))


@dataclass(frozen=True)
class ExtraDisk:
    """A further disk that is there.

    Args:
        machine: whose it is, or was while the machine was there.
        name: what it is called there.
        volume: that it is.
    """

    machine: MachineName
    name: str
    volume: Volume

    @property
    def label(self) -> str:
        """What its tenant's disks are told apart by: `dev.data`."""
        return f"{self.machine.machine}.{self.name}"

    def __str__(self) -> str:
        """As people type it."""
        return f"{self.machine} {self.name}"

    def user(self, domains: Iterable[Domain]) -> Domain | None:
        """The domain that uses it, as it is defined, runs or was saved."""
        return next((one for one in domains if self.volume.path in one.held_disks), None)

    def encode(self) -> dict[str, Any]:
        """Return the shape that `show -o json` documents."""
        return {
            "name": self.name,
            "size": int(self.volume.size),
            "keep": self.volume.kept,
            "image": self.volume.image or "",
            "volume": self.volume.name,
            "uuid": self.volume.uuid,
            "job": self.volume.job or "",
            "until": self.volume.until,
            "retired": self.volume.retired,
        }


@dataclass(frozen=True)
class SeenDisk:
    """A further disk as its machine's definition alone tells it: tenants may not ask LVM.

    Args:
        name: what it is called there.
        path: of its volume.
    """

    name: str
    path: str

    def encode(self) -> dict[str, Any]:
        """Return the shape of `ExtraDisk`, with what is not known left open."""
        known = {"name": self.name, "volume": self.path.rpartition("/")[2]}
        keys = ("size", "keep", "image", "uuid", "job", "until", "retired")
        return {**dict.fromkeys(keys), **known}


def seen(domain: Domain, machine: MachineName) -> tuple[SeenDisk, ...]:
    """The further disks that a definition names."""
    names = {path: path.rpartition("/")[2].removesuffix(OVERLAY) for path in domain.disks}
    start = machine.disk("")
    return tuple(
        SeenDisk(name.removeprefix(start), path)
        for path, name in names.items()
        if name.startswith(start)
    )


@dataclass(frozen=True)
class DiskUse:
    """A further disk, and the domain that uses it, if one does."""

    disk: ExtraDisk
    user: Domain | None

    @property
    def state(self) -> str:
        """What becomes of it, in a word or two."""
        if not self.disk.volume.clean:
            return "not clean"
        if self.user:
            return "attached"
        if self.disk.volume.retired:
            return "retired"
        return "kept" if self.disk.volume.kept else "unused"

    def encode(self) -> dict[str, Any]:
        """Return the shape that `disk list -o json` documents."""
        machine = self.disk.machine
        return {
            "tenant": machine.tenant,
            "machine": machine.machine,
            **self.disk.encode(),
            "state": self.state,
            "used_by": self.user.name if self.user else "",
        }


def disks(volumes: Iterable[Volume], machine: MachineName | None = None) -> tuple[ExtraDisk, ...]:
    """Find further disks of ours, by name.

    Args:
        volumes: all of the group.
        machine: only this one's.
    """
    found = [one for volume in volumes if (one := _disk(volume))]
    wanted = [one for one in found if machine in {None, one.machine}]
    return tuple(sorted(wanted, key=lambda one: (one.machine, one.name)))


def _disk(volume: Volume) -> ExtraDisk | None:
    said = split_disk(volume.name)
    return ExtraDisk(*said, volume) if said and volume.ours and volume.owner == said[0] else None
