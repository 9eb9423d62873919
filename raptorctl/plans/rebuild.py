"""Rebuild: a machine keeps its name, UUID, place and keys, and its disk begins anew.

The new disk is made beside the old one, so that until the old one is wiped, which comes last, all
of it can be taken back.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from raptorctl.errors import RefusedError
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.image import Image
from raptorctl.model.names import MachineName
from raptorctl.model.settings import Settings
from raptorctl.model.snapshot import snapshots
from raptorctl.model.volume import ownership_tags
from raptorctl.plans import existing, room
from raptorctl.plans import image as images
from raptorctl.plans.existing import Existing
from raptorctl.plans.plan import Identity, Plan
from raptorctl.plans.snapshot import refuse_open
from raptorctl.render.domain_xml import rebuilt_domain
from raptorctl.steps.definition import SetAutostart
from raptorctl.steps.domain import RemoveNvram, StartDomain, StopDomain, UndefineDomain
from raptorctl.steps.snapshot import ReturnDomain
from raptorctl.steps.step import Step
from raptorctl.steps.volume import (
    CreateVolume,
    RemoveVolume,
    RetireVolume,
    WipeVolume,
    ZeroVolume,
)


@dataclass(frozen=True)
class RebuildRequest:
    """What a person asks for.

    Args:
        name: whose machine, and which.
        image: what its disk begins as; None for what it began as the last time.
        reset_nvram: forget its UEFI variables, too.
        start: whether it is to run afterwards.
    """

    name: MachineName
    image: str | None = None
    reset_nvram: bool = False
    start: bool = True


def plan_rebuild(
    request: RebuildRequest, settings: Settings, facts: HostFacts, identity: Identity
) -> Plan:
    """Decide how a machine's disk begins anew, or why it cannot.

    Raises:
        RefusedError: the host's state forbids it.
    """
    there = existing.whole(request.name, facts)
    image = _image(request, there, facts)
    _refuse(there, image, settings, facts)
    return Plan(
        verb="rebuild",
        identity=identity,
        reservation=Reservation(
            identity.job, request.name.domain, there.mark.slot, there.domain.pins
        ),
        steps=tuple(_steps(request, there, image, identity, settings)),
        summary=_summary(request.name, image),
        notes=(*images.notes(image), *_notes(request)),
    )


def image_of(request: RebuildRequest, facts: HostFacts) -> str | None:
    """Return the name of the image that a rebuild needs, so that it can be pulled before."""
    domain = facts.domain(request.name)
    return request.image or (_last(domain.mark.image) if domain and domain.mark else None)


def _last(said: str) -> str | None:
    """The image's name in a mark."""
    return said.rpartition(" sha256:")[0] or None


def _image(request: RebuildRequest, there: Existing, facts: HostFacts) -> Image | None:
    digest = there.mark.image.rpartition(" sha256:")[2]
    if request.image is None and digest:
        same = next((image for image in facts.images if image.digest == digest), None)
        return same or images.chosen(_last(there.mark.image), facts)
    return images.chosen(request.image, facts)


def _refuse(there: Existing, image: Image | None, settings: Settings, facts: HostFacts) -> None:
    name = there.mark.name
    if found := snapshots(facts.volumes, name):
        raise RefusedError(
            f"{name} has a snapshot of the disk that would go: {found[0].name}",
            resolution=f"raptorctl snapshot delete {name} {found[0].name}",
        )
    if not there.domain.state.active:
        refuse_open((there.volume,))
    images.refuse_large(image, there.volume.size)
    free = room.group(settings, facts).free
    if there.volume.size > free:
        raise RefusedError(
            f"the new disk of {there.volume.size} is made before the old one goes; "
            f"volume group {there.volume.group} has {free} free"
        )


def _steps(
    request: RebuildRequest,
    there: Existing,
    image: Image | None,
    identity: Identity,
    settings: Settings,
) -> Iterator[Step]:
    volume, domain = there.volume, there.domain
    yield from _stopped(there, settings)
    yield RetireVolume("the name is for the new one", volume.uuid, volume.name, volume.clean)
    yield CreateVolume(
        reason="the machine's new disk",
        job=identity.job,
        name=volume.name,
        size=volume.size,
        tags=ownership_tags(request.name, identity.job, there.mark.slot),
    )
    yield ZeroVolume("no earlier owner's data may show", identity.job, volume.name)
    yield from images.written(image, volume.name, identity)
    yield ReturnDomain(
        reason="the same machine",
        job=identity.job,
        name=domain.name,
        uuid=domain.uuid,
        volume=volume.name,
        xml=_xml(there, image, identity),
    )
    yield from _started(request, there, identity)
    yield WipeVolume("the next owner must read zeroes", volume.uuid, volume.name, volume.size)
    yield RemoveVolume("its extents are free", volume.uuid, volume.name)


def _stopped(there: Existing, settings: Settings) -> Iterator[Step]:
    domain = there.domain
    yield UndefineDomain(
        reason="nobody may start it meanwhile",
        name=domain.name,
        uuid=domain.uuid,
        xml=domain.xml,
        autostart=domain.autostart,
        was_active=domain.state.active,
    )
    yield StopDomain(
        reason="nothing may write to its disk",
        name=domain.name,
        uuid=domain.uuid,
        timeout=settings.libvirt.shutdown_timeout,
    )


def _started(request: RebuildRequest, there: Existing, identity: Identity) -> Iterator[Step]:
    domain = there.domain
    if domain.autostart:
        yield SetAutostart("as it did before", domain.name, domain.uuid, on=True)
    if request.reset_nvram and domain.nvram:
        yield RemoveNvram(reason="it begins with new ones", path=domain.nvram)
    if request.start:
        yield StartDomain(
            reason="it boots from its new disk",
            job=identity.job,
            name=domain.name,
            uuid=domain.uuid,
            volume=there.volume.name,
            at_boot=False,
        )


def _xml(there: Existing, image: Image | None, identity: Identity) -> str:
    mark = replace(
        there.mark,
        job=identity.job,
        created=identity.at,
        created_by=identity.by,
        image=images.said(image),
        host_key="",
    )
    return rebuilt_domain(there.domain.xml, mark, "")


def _summary(name: MachineName, image: Image | None) -> str:
    begins = f"as image {image.name}" if image else "empty"
    return f"machine {name} has a new disk, which begins {begins}"


def _notes(request: RebuildRequest) -> Iterator[str]:
    yield "everything on its disk will be gone"
    if not request.reset_nvram:
        yield "its UEFI variables stay as they are (--reset-nvram)"
