"""Disks: how a new one is made and an old one goes, on LVM and as a file of one's own."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from raptorctl.model.image import Image
from raptorctl.model.names import MachineName
from raptorctl.model.settings import Settings
from raptorctl.model.sizes import Size
from raptorctl.model.volume import Volume, is_overlay, ownership_tags
from raptorctl.plans.part import image as images
from raptorctl.plans.plan import Identity
from raptorctl.steps.step import Step
from raptorctl.steps.volume import CreateVolume, RemoveVolume, WipeVolume, ZeroVolume


@dataclass(frozen=True)
class Disk:
    """A disk to be.

    Args:
        name: whose.
        size: bytes, a multiple of the group's extent.
        slot: of the machine, or None.
        image: what it begins as, or None for nothing.
    """

    name: MachineName
    size: Size
    slot: int | None
    image: Image | None

    @property
    def volume(self) -> str:
        """The name of the volume that it will be."""
        return self.name.volume

    def tags(self, job: str) -> tuple[str, ...]:
        """What its volume says from its first moment."""
        return ownership_tags(self.name, job, self.slot)


class ToMake(Protocol):
    """A disk to be: a machine's first one, or a further one."""

    @property
    def size(self) -> Size:
        """Bytes, a multiple of the group's extent."""

    @property
    def image(self) -> Image | None:
        """What it begins as, or None for nothing."""

    @property
    def volume(self) -> str:
        """The name of the volume that it will be."""

    def tags(self, job: str) -> tuple[str, ...]:
        """What its volume says from its first moment."""


def made(disk: ToMake, settings: Settings, identity: Identity, reason: str) -> Iterator[Step]:
    """The steps that make a machine's disk, by the kind of the host."""
    volume, job = disk.volume, identity.job
    tags = disk.tags(job)
    if not settings.has_lvm:
        from raptorctl.steps.overlay import CreateOverlay

        yield CreateOverlay(reason, job, volume, disk.size, tags, disk.image)
        return
    yield CreateVolume(reason, job, volume, disk.size, tags)
    yield ZeroVolume("no earlier owner's data may show", job, volume)
    yield from images.written(disk.image, volume, identity)


def gone(volume: Volume) -> Iterator[Step]:
    """The steps that end a disk which is out of use; from the first on there is no way back."""
    if is_overlay(volume.group):
        from raptorctl.steps.overlay import RemoveOverlay

        yield RemoveOverlay("its blocks are not overwritten", volume.uuid, volume.name)
        return
    yield WipeVolume("the next owner must read zeroes", volume.uuid, volume.name, volume.size)
    yield RemoveVolume("its extents are free", volume.uuid, volume.name)


def notes(asked: Size | None, size: Size) -> Iterator[str]:
    """Say where a disk is larger than was asked for."""
    if asked and size != asked:
        yield f"size {asked} is rounded up to whole extents: {size}"


def backing(image: Image | None, settings: Settings) -> tuple[str, str] | None:
    """What a file of one's own lies over: path and format."""
    return (image.path, image.format) if image and not settings.has_lvm else None
