"""Rebuild: a machine keeps its name, UUID, place and keys, and its disk begins anew.

The new disk is made beside the old one, so that until the old one is wiped, which comes last, all
of it can be taken back.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from raptorctl.errors import RefusedError
from raptorctl.model.domain import Domain, State
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.image import Image
from raptorctl.model.names import MachineName
from raptorctl.model.seed import FirstBoot
from raptorctl.model.settings import Settings
from raptorctl.model.snapshot import snapshots
from raptorctl.model.spec import MachineSpec
from raptorctl.model.volume import is_overlay
from raptorctl.plans.machine import existing
from raptorctl.plans.machine.existing import Existing
from raptorctl.plans.machine.snapshot import first_alone, refuse_open
from raptorctl.plans.part import address, cpus, disk, room, seed
from raptorctl.plans.part import image as images
from raptorctl.plans.plan import Identity, Plan
from raptorctl.render.domain_xml import rebuilt_domain
from raptorctl.steps.definition import SetAutostart
from raptorctl.steps.domain import StartDomain
from raptorctl.steps.rebuild import DropAside, QuietDomain, SetAside, VacateDomain
from raptorctl.steps.snapshot import ReturnDomain
from raptorctl.steps.step import Step
from raptorctl.steps.volume import RetireVolume


@dataclass(frozen=True)
class RebuildRequest:
    """What a person asks for.

    Args:
        name: whose machine, and which.
        spec: what it should be: its image, None for the one of last time, and its first boot.
        found: the image of the spec, where the caller has looked it up.
        reset_nvram: forget its UEFI variables, too.
        start: whether it is to run afterwards.
        first_boot: whom the guest lets in; None where cloud-init is told nothing.
    """

    name: MachineName
    spec: MachineSpec = MachineSpec()
    found: Image | None = None
    reset_nvram: bool = False
    start: bool = True
    first_boot: FirstBoot | None = None

    @property
    def boot(self) -> FirstBoot | None:
        """What cloud-init is told, with the keys that are named: its old disk's are gone."""
        return self.first_boot and self.first_boot.with_named(self.spec.keys)


def plan_rebuild(
    request: RebuildRequest, settings: Settings, facts: HostFacts, identity: Identity
) -> Plan:
    """Decide how a machine's disk begins anew, or why it cannot.

    Raises:
        RefusedError: the host's state forbids it.
    """
    there = existing.whole(request.name, facts)
    room.refuse_missing_disks(facts)
    image = _image(request, there, facts)
    _refuse(there, image, settings, facts)
    if request.start:  # as it is defined: what was saved or runs is given up
        defined = replace(there.domain, state=State.OFF, live=None, saved=None)
        cpus.refuse_stuck(defined, facts.topology)
    return Plan(
        verb="rebuild",
        identity=identity,
        reservation=Reservation(
            identity.job, request.name.domain, there.mark.place, there.domain.pins
        ),
        steps=tuple(_steps(Rebuild(request, there, image, identity), settings, facts)),
        summary=_summary(request.name, image),
        notes=(
            *images.notes(image),
            *seed.notes(request, settings, facts),
            *_notes(request, there.domain),
            *first_alone(request.name, facts),
        ),
    )


def _image(request: RebuildRequest, there: Existing, facts: HostFacts) -> Image | None:
    mark, wanted = there.mark, request.found or request.spec.image
    if wanted is None and mark.image:
        same = [image for image in facts.images if image.digest == mark.image_digest]
        named = (image for image in same if image.name == mark.image_name)
        return next(iter((*named, *same)), None) or images.chosen(mark.image_name, facts)
    return images.chosen(wanted, facts)


def _refuse(there: Existing, image: Image | None, settings: Settings, facts: HostFacts) -> None:
    name = there.mark.name
    if found := snapshots(facts.volumes, name):
        raise RefusedError(
            f"{name} has a snapshot of the disk that would go: {found[0].name}",
            resolution=f"raptorctl snapshot delete {name} {found[0].name}",
            code=Code.IN_USE,
            subject=str(name),
        )
    if not there.domain.state.active:
        refuse_open((there.volume,))
    images.refuse_large(image, there.volume.size)
    free = room.group(settings, facts).free
    if there.volume.size > free and not is_overlay(there.volume.group):
        raise RefusedError(
            f"the new disk of {there.volume.size} is made before the old one goes; "
            f"volume group {there.volume.group} has {free} free",
            code=Code.STORAGE_FULL,
            subject=there.volume.group,
        )


@dataclass(frozen=True)
class Rebuild:
    """What is asked for, and what it is about."""

    request: RebuildRequest
    there: Existing
    image: Image | None
    identity: Identity


def _steps(wish: Rebuild, settings: Settings, facts: HostFacts) -> Iterator[Step]:
    there, job = wish.there, wish.identity.job
    volume, domain = there.volume, there.domain
    yield from _stopped(wish, settings)
    yield RetireVolume("the name is for the new one", volume.uuid, volume.name, volume.clean)
    wanted = disk.Disk(wish.request.name, volume.size, there.mark.place, wish.image)
    yield from disk.made(wanted, settings, wish.identity, "the machine's new disk")
    aside = tuple(_aside(wish, facts))
    yield from aside
    yield from _told(wish, settings, facts)
    yield ReturnDomain(
        reason="the same machine",
        job=job,
        name=domain.name,
        uuid=domain.uuid,
        volume=volume.name,
        xml=_xml(wish, settings, facts),
    )
    yield from address.again(domain, facts)
    yield from _started(wish)
    yield from disk.gone(volume)
    for step in aside:
        yield DropAside("it is not needed any more", step.aside, step.what)


def _aside(wish: Rebuild, facts: HostFacts) -> Iterator[SetAside]:
    domain, job = wish.there.domain, wish.identity.job
    if wish.request.reset_nvram and domain.nvram in facts.files:
        reason = "it begins with new ones"
        yield SetAside(reason, job, domain.uuid, "UEFI variables", domain.nvram)
    if path := seed.attached(domain):
        yield SetAside("it is told something else", job, domain.uuid, "seed", path)


def _told(wish: Rebuild, settings: Settings, facts: HostFacts) -> tuple[Step, ...]:
    boot, name = wish.request.first_boot, wish.request.name
    if boot is None:
        return ()
    domain, place = wish.there.domain, wish.there.mark.place
    slot = settings.find_slot(place) if place else None
    same = replace(wish.identity, uuid=domain.uuid)  # its MAC may come from there
    guest = seed.guest(name, slot, domain.xml, settings, same)
    guest = seed.wired(guest, domain.macs)
    return seed.seed_steps(wish.request, guest, wish.identity, settings, facts)


def _stopped(wish: Rebuild, settings: Settings) -> Iterator[Step]:
    domain, job = wish.there.domain, wish.identity.job
    yield VacateDomain(
        reason="nobody may start it meanwhile",
        name=domain.name,
        uuid=domain.uuid,
        xml=domain.xml,
        autostart=domain.autostart,
        was_active=domain.state.active,
        job=job,
    )
    yield QuietDomain(
        reason="nothing may write to its disk",
        name=domain.name,
        uuid=domain.uuid,
        timeout=settings.libvirt.shutdown_timeout,
        job=job,
    )


def _started(wish: Rebuild) -> Iterator[Step]:
    domain = wish.there.domain
    if domain.autostart:
        yield SetAutostart("as it did before", domain.name, domain.uuid, on=True)
    if wish.request.start:
        yield StartDomain(
            reason="it boots from its new disk",
            job=wish.identity.job,
            name=domain.name,
            uuid=domain.uuid,
            volume=wish.there.volume.name,
            at_boot=False,
        )


def _xml(wish: Rebuild, settings: Settings, facts: HostFacts) -> str:
    boot, identity = wish.request.first_boot, wish.identity
    mark = replace(
        wish.there.mark,
        job=identity.job,
        named=wish.there.mark.names_job,
        created=identity.at,
        created_by=identity.by,
        image=images.said(wish.image),
        host_key=boot.host_key.public if boot and boot.host_key else "",
        made=seed.made(wish.request, facts),
        steps="",
    )
    path = seed.seed_path(wish.request.name, settings) if boot else ""
    backing = disk.backing(wish.image, settings)
    return rebuilt_domain(wish.there.domain.xml, mark, path, backing)


def _summary(name: MachineName, image: Image | None) -> str:
    begins = f"as image {image.name}" if image else "empty"
    return f"machine {name} has a new disk, which begins {begins}"


def _notes(request: RebuildRequest, domain: Domain) -> Iterator[str]:
    yield "everything on its disk will be gone"
    yield from existing.save_notes(domain)
    if not request.reset_nvram:
        yield "its UEFI variables stay as they are (--reset-nvram)"
