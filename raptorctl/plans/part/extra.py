"""Further disks of a machine: which are made, which are taken up, and which cannot be."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from raptorctl.errors import RefusedError
from raptorctl.model.disk import DiskSpec, ExtraDisk, disks
from raptorctl.model.domain import DiskDevice
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.image import Image
from raptorctl.model.names import MachineName
from raptorctl.model.settings import Settings
from raptorctl.model.sizes import Size
from raptorctl.model.volume import DUE, RETIRED, UNTIL, device_path, disk_tags
from raptorctl.plans.part import disk, room
from raptorctl.plans.part import image as images
from raptorctl.plans.plan import Identity
from raptorctl.steps.step import Step

DATED: Final = (RETIRED, UNTIL, DUE)
"""How tags begin of a disk that is kept until some day."""


@dataclass(frozen=True)
class AddedDisk:
    """A further disk to be, with every choice filled in.

    Args:
        machine: whose.
        name: what it is called there.
        size: bytes, a multiple of the group's extent.
        spec: what was asked for.
        image: what a new one begins as.
        kept: the one that is taken up; None where it is made.
    """

    machine: MachineName
    name: str
    size: Size
    spec: DiskSpec
    image: Image | None = None
    kept: ExtraDisk | None = None

    @property
    def volume(self) -> str:
        """The name of its volume."""
        return self.machine.disk(self.name)

    @property
    def grown(self) -> Size:
        """Bytes that nobody had before: one that is taken up counts already."""
        return Size(0) if self.kept else self.size

    def tags(self, job: str) -> tuple[str, ...]:
        """What its volume says from its first moment."""
        return disk_tags(self.machine, job, self.name, keep=self.spec.outlives)

    def device(self, settings: Settings, facts: HostFacts) -> DiskDevice:
        """How a domain has it."""
        path = device_path(settings.storage.volume_group, self.volume)
        image = self.image or (self.kept and _image_of(self.kept, facts))
        backing = disk.backing(image or None, settings)
        return DiskDevice(self.name, path, self.spec.bus.value, backing)

    def steps(self, settings: Settings, identity: Identity) -> Iterator[Step]:
        """What makes it, or takes it up."""
        if self.kept is None:
            yield from disk.made(self, settings, identity, f"the machine's disk {self.name}")
            return
        from raptorctl.steps.disk import TakeUpDisk
        from raptorctl.steps.retire import ReturnVolume

        tags = tuple(tag for tag in self.kept.volume.tags if tag.startswith(DATED))
        if tags:
            own, reason = self.kept.volume, "it is not to be wiped any more"
            yield ReturnVolume(reason, own.uuid, own.name, own.name, (), tags)
        yield TakeUpDisk(
            reason="with its bytes, as it was kept",
            uuid=self.kept.volume.uuid,
            before=self.kept.volume.name,
            name=self.volume,
            disks=(self.kept.name, self.name),
        )


def chosen(
    machine: MachineName,
    wanted: Mapping[str, DiskSpec],
    found: Mapping[str, Image],
    facts: HostFacts,
) -> tuple[AddedDisk, ...]:
    """Decide how each further disk comes to be.

    Args:
        machine: whose.
        wanted: by name.
        found: the images of those that begin as one, where the caller has looked them up.
        facts: the host.

    Raises:
        RefusedError: one cannot be; says why.
    """
    return tuple(
        _kept(machine, name, spec, facts)
        if spec.kept
        else _new(machine, name, spec, images.chosen(found.get(name) or spec.image, facts), facts)
        for name, spec in wanted.items()
    )


def grown(found: Iterable[AddedDisk]) -> Size:
    """Bytes of those that are made."""
    return Size(sum(one.grown for one in found))


def notes(found: Iterable[AddedDisk]) -> Iterator[str]:
    """What the admin should know of them."""
    for one in found:
        yield from images.notes(one.image)
        if one.spec.size and one.spec.size != one.size:
            yield f"disk {one.name}: {one.spec.size} is rounded up to whole extents: {one.size}"


def refuse_at_work(one: ExtraDisk, facts: HostFacts) -> None:
    """Refuse a disk whose machine, which may be gone otherwise, a job works on.

    Raises:
        RefusedError: names the job.
    """
    for kept in facts.reservations:
        if kept.machine == one.machine.domain:
            raise RefusedError(
                f"job {kept.job} works on {one.machine}, whose disk {one.name} is",
                resolution=f"wait for it; if it was cut off, `raptorctl recover {kept.job}`",
                code=Code.BUSY,
                subject=one.volume.name,
            )


def _new(
    machine: MachineName, name: str, spec: DiskSpec, image: Image | None, facts: HostFacts
) -> AddedDisk:
    there = next((one for one in facts.volumes if one.name == machine.disk(name)), None)
    if there:
        old = next((one for one in disks((there,))), None)
        how = f"--disk {name}=keep:{old.label} takes it up; " if old and old.volume.kept else ""
        raise RefusedError(
            f"a disk {name} of {machine} is there already, with {there.size}",
            resolution=f"{how}`raptorctl disk remove {machine} {name}` wipes it",
            code=Code.DISK_EXISTS,
            subject=there.name,
        )
    size = (spec.size or Size(0)).rounded_up(facts.group.extent if facts.group else 1)
    if image and image.size > size:
        raise RefusedError(
            f"image {image.name} has {image.size}, disk {name} is to have {size}",
            resolution=f"ask for {name}={Size(image.size).enough} or more",
            code=Code.DISK_TOO_SMALL,
            subject=image.name,
        )
    return AddedDisk(machine, name, size, spec, image)


def _kept(machine: MachineName, name: str, spec: DiskSpec, facts: HostFacts) -> AddedDisk:
    own = [one for one in disks(facts.volumes) if one.machine.tenant == machine.tenant]
    found = next((one for one in own if one.label == spec.kept), None)
    if found is None or not found.volume.kept:
        free = (one for one in own if one.volume.kept and not one.user(facts.domains))
        known = ", ".join(one.label for one in free)
        raise RefusedError(
            f"{machine.tenant} has no kept disk {spec.kept}",
            resolution=f"there is: {known}" if known else "see `raptorctl disk list`",
            code=Code.DISK_NOT_FOUND,
            subject=spec.kept,
        )
    _refuse_unfit(found, facts)
    if found.machine != machine:
        refuse_at_work(found, facts)
    volume, wanted = found.volume, machine.disk(name)
    if wanted != volume.name and any(one.name == wanted for one in facts.volumes):
        raise RefusedError(
            f"a disk {name} of {machine} is there already",
            resolution=f"call it otherwise, or `raptorctl disk remove {machine} {name}`",
            code=Code.DISK_EXISTS,
            subject=wanted,
        )
    return AddedDisk(machine, name, volume.size, spec, kept=found)


def _refuse_unfit(one: ExtraDisk, facts: HostFacts) -> None:
    if one.volume.was_first:
        raise RefusedError(
            f"disk {one.label} was the first disk of {one.machine}",
            resolution=f"`raptorctl undelete {one.machine}` brings the machine back",
            code=Code.VOLUME_UNFIT,
            subject=one.volume.name,
        )
    if user := one.user(facts.domains):
        raise RefusedError(
            f"domain {user.name} uses disk {one.label} of {one.machine.tenant}",
            resolution=f"`raptorctl deprovision {user.name}` leaves it",
            code=Code.IN_USE,
            subject=one.volume.name,
        )
    if one.volume.is_open:
        raise RefusedError(
            f"volume {one.volume.name} is open",
            resolution="see `lsof`, `dmsetup ls`",
            code=Code.IN_USE,
            subject=one.volume.name,
        )
    room.refuse_unclean(one.volume)


def _image_of(one: ExtraDisk, facts: HostFacts) -> Image | None:
    """What a kept file lies over, where it still lies there."""
    return next((image for image in facts.images if image.digest == one.volume.image), None)
