"""One disk of a snapshot: how much room it gets, and the steps that take it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from raptorctl.errors import RefusedError
from raptorctl.model.domain import Domain
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.names import MachineName
from raptorctl.model.sizes import Size
from raptorctl.model.volume import IMAGE, Volume, is_overlay, snapshot_tags
from raptorctl.plans.machine.snapshot_refusal import refuse_room, refuse_unfit
from raptorctl.plans.plan import Identity
from raptorctl.plans.tenant.quota import Usage, refuse_over
from raptorctl.steps.overlay import CopyOverlay
from raptorctl.steps.pause import PauseDomain, UnpauseDomain
from raptorctl.steps.snapshot import TakeSnapshot, TakeStill
from raptorctl.steps.step import Step

SHARE: Final = 5
"""A fifth of the volume is the room for what changes, unless another is asked for."""


@dataclass(frozen=True)
class DiskPart:
    """One disk of a snapshot to be.

    Args:
        machine: whose.
        snapshot: what the whole is called.
        disk: which further disk; "" for the first.
        origin: the disk's volume.
        size: bytes of room for what changes; of a file, of the copy.
    """

    machine: MachineName
    snapshot: str
    disk: str
    origin: Volume
    size: Size

    @property
    def volume(self) -> str:
        """The name of the volume that keeps it."""
        return self.machine.snapshot(self.snapshot, self.disk)

    def tags(self, identity: Identity) -> tuple[str, ...]:
        """What that says from its first moment."""
        return snapshot_tags(self.machine, identity.job, identity.at, self.disk)


def room_for(origin: Volume, asked: Size | None, facts: HostFacts) -> Size:
    """How much room what changes of a disk gets, which must be fit for a snapshot.

    Raises:
        RefusedError: it is not, or a file has no such room.
    """
    refuse_unfit(origin)
    if is_overlay(origin.group):
        refuse_room(asked)
        return origin.size
    extent = facts.group.extent if facts.group else 1
    return (Size(origin.size // SHARE) if asked is None else asked).rounded_up(extent)


def refuse_large(parts: tuple[DiskPart, ...], machine: MachineName, facts: HostFacts) -> None:
    """Refuse a snapshot that the volume group has no room for.

    Files are not asked: they share what the filesystem can, and the copy fails where it is full.
    """
    for part in parts:
        if part.size > part.origin.size:
            raise RefusedError(
                f"{part.size} asked; all of {part.origin.name} is {part.origin.size}"
            )
    size, group = Size(sum(part.size for part in parts)), facts.group
    if group and size > group.free and not is_overlay(group.name):
        raise RefusedError(
            f"{size} asked; volume group {group.name} has {group.free} free",
            code=Code.STORAGE_FULL,
            subject=group.name,
        )
    if tenant := facts.tenant(machine.tenant):
        refuse_over(tenant, Usage(size=size), facts)


def taking(parts: tuple[DiskPart, ...], domain: Domain, identity: Identity) -> Iterator[Step]:
    """The steps: files are copied, and disks are of one moment, only while the machine rests."""
    if len(parts) == 1 and not is_overlay(parts[0].origin.group):
        yield _taken(parts[0], identity)
        return
    if domain.state.runs:
        reason = "its disks are of one moment" if len(parts) > 1 else "nobody writes meanwhile"
        yield PauseDomain(reason, domain.name, domain.uuid)
    for part in parts:
        yield _still(part, domain, identity)
    if domain.state.runs:
        yield UnpauseDomain("as it did before", domain.name, domain.uuid)


def _taken(part: DiskPart, identity: Identity) -> TakeSnapshot:
    return TakeSnapshot(
        reason=f"as long as no more than {part.size} changes",
        job=identity.job,
        uuid=part.origin.uuid,
        origin=part.origin.name,
        name=part.volume,
        size=part.size,
        tags=part.tags(identity),
    )


def _still(part: DiskPart, domain: Domain, identity: Identity) -> Step:
    origin = part.origin
    if not is_overlay(origin.group):
        return TakeStill(**vars(_taken(part, identity)), domain=domain.uuid)
    return CopyOverlay(
        reason="it shares its blocks where the filesystem can",
        job=identity.job,
        uuid=origin.uuid,
        origin=origin.name,
        name=part.volume,
        tags=(*part.tags(identity), *((f"{IMAGE}{origin.image}",) if origin.image else ())),
        domain=domain.uuid,
    )
