"""Machines that stand, as folders with a Makefile that needs nothing of raptorctl."""

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from raptorctl.api.session import Session
from raptorctl.errors import MissingError, RefusedError
from raptorctl.model.disk import disks
from raptorctl.model.error_code import Code
from raptorctl.model.image import Image
from raptorctl.model.names import MachineName
from raptorctl.model.registry import RegistryVm

if TYPE_CHECKING:
    from raptorctl.model.facts import HostFacts
    from raptorctl.model.seed import Seed
    from raptorctl.plans.machine.existing import Existing
    from raptorctl.render.standing import StandingDisk


def standing(session: Session, names: Sequence[MachineName]) -> list[RegistryVm]:
    """Describe machines that stand, so that `registry_gen.generate` can write their folders.

    Args:
        session: a session host.
        names: the machines.

    Raises:
        MissingError: one is not there, or the image that it began as is not.
        RefusedError: this is a shared host; or one is not whole, or began as several images.
    """
    from raptorctl.plans.machine.existing import whole
    from raptorctl.render.standing import StandingMachine, standing_vm

    if not session.on_session_host:
        raise RefusedError(
            "a Makefile cannot have what a shared host gives its machines: volumes, CPUs, slots",
            resolution="render it on a session host",
            code=Code.SESSION_HOST,
        )
    facts = session.facts()
    found = []
    for name in dict.fromkeys(names):
        there = whole(name, facts)
        parts = tuple(_disks(there, facts))
        _refuse_several(name, parts)
        seed = _seed(session, there)
        found.append(standing_vm(StandingMachine(there.domain, there.mark, parts, seed)))
    return found


def _disks(there: "Existing", facts: "HostFacts") -> "Iterator[StandingDisk]":
    from raptorctl.render.standing import StandingDisk

    image = _image(there.mark.name, there.mark.image_digest, facts)
    yield StandingDisk("disk.qcow2", there.volume, image)
    for disk in disks(facts.volumes, there.mark.name):
        if disk.volume.path in there.domain.disks:
            image = _image(there.mark.name, disk.volume.image or "", facts)
            yield StandingDisk(f"disk-{disk.name}.qcow2", disk.volume, image)


def _refuse_several(name: MachineName, parts: "Collection[StandingDisk]") -> None:
    if len({disk.image.digest for disk in parts if disk.image}) > 1:
        raise RefusedError(
            f"the disks of {name} began as several images, and a Makefile builds one",
            resolution=f"raptorctl export {name} writes them all",
            subject=str(name),
        )


def _image(name: MachineName, digest: str, facts: "HostFacts") -> Image | None:
    from raptorctl.render.standing import from_cache

    if not digest:
        return None
    found = next((image for image in facts.images if image.digest == digest), None)
    if found is None:
        raise MissingError(
            f"the image that {name} began as is not in the cache",
            resolution=f"pull one of SHA-256 {digest}",
            code=Code.IMAGE_NOT_FOUND,
            subject=str(name),
        )
    return from_cache(found)


def _seed(session: Session, there: "Existing") -> "tuple[str, Seed] | None":
    from raptorctl.plans.part.seed import attached
    from raptorctl.render.seed_iso import LARGEST, read_iso

    path = attached(there.domain)
    data = session.host.files.read_bytes(path, LARGEST) if path else None
    return (path, read_iso(data)) if data is not None else None
