"""Disks that grow, a machine's first one and others: what keeps one from it, and the steps."""

from collections.abc import Iterator
from dataclasses import dataclass

from raptorctl.errors import RefusedError
from raptorctl.model.domain import Domain
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.names import MachineName
from raptorctl.model.sizes import Size
from raptorctl.model.snapshot import snapshots
from raptorctl.model.volume import Volume, growth_tags, is_overlay
from raptorctl.plans.part import room
from raptorctl.plans.plan import Identity
from raptorctl.steps.overlay import GrowOverlay
from raptorctl.steps.resize import GiveDisk, GrowVolume, ReserveGrowth
from raptorctl.steps.step import Step


@dataclass(frozen=True)
class Growth:
    """A disk of a machine, and the size that it is to have.

    Args:
        machine: whose.
        volume: that it is.
        domain: that has it; None for a kept disk that no machine has.
        size: to be, bytes, a multiple of the group's extent.
        reserve: what the volume is called that it grows by.
    """

    machine: MachineName
    volume: Volume
    domain: Domain | None
    size: Size
    reserve: str

    @property
    def more(self) -> Size:
        """Bytes that it grows by."""
        return Size(self.size - self.volume.size)

    def reserved(self, identity: Identity) -> Step:
        """What takes long, and changes nothing of the machine."""
        return ReserveGrowth(
            reason="no earlier owner's data may show",
            job=identity.job,
            uuid=self.volume.uuid,
            target=self.size,
            name=self.reserve,
            size=self.more,
            tags=growth_tags(self.machine, identity.job),
        )

    def taken(self, identity: Identity) -> Step:
        """The volume is larger."""
        return GrowVolume(
            reason="its new end is known to be zero",
            job=identity.job,
            uuid=self.volume.uuid,
            name=self.volume.name,
            before=self.volume.size,
            size=self.size,
            domain=self.domain.uuid if self.domain else "",
        )

    def given(self, identity: Identity) -> Step:
        """The guest knows."""
        return GiveDisk(
            reason="at once if it runs, else when it starts" if self.domain else "no guest has it",
            job=identity.job,
            uuid=self.volume.uuid,
            name=self.domain.name if self.domain else self.volume.name,
            domain=self.domain.uuid if self.domain else "",
            size=self.size,
        )

    def enlarged(self) -> Step:
        """Its file is larger, on a session host."""
        return GrowOverlay(
            reason="what is new in a file is zero",
            uuid=self.volume.uuid,
            name=self.volume.name,
            before=self.volume.size,
            size=self.size,
            domain=self.domain.uuid if self.domain else "",
        )

    def steps(self, identity: Identity) -> Iterator[Step]:
        """All of it, by the kind of the host."""
        if is_overlay(self.volume.group):
            yield self.enlarged()
            return
        yield self.reserved(identity)
        yield self.taken(identity)
        yield self.given(identity)


def refuse(growth: Growth, facts: HostFacts) -> None:
    """Refuse a disk that is not as we made it, or has no room to grow.

    Raises:
        RefusedError: says why.
    """
    volume = growth.volume
    room.refuse_unclean(volume)
    unused = growth.domain and volume.path not in growth.domain.disks
    if volume.kind != "linear" or unused:
        raise RefusedError(
            f"volume {volume.name} is not as raptorctl made it: {volume.kind}",
            code=Code.VOLUME_UNFIT,
            subject=volume.name,
        )
    if is_overlay(volume.group):
        room.refuse_long_file(growth.size)
    _refuse_snapshots(growth, facts)
    if facts.group and growth.more > facts.group.free and not is_overlay(volume.group):
        raise RefusedError(
            f"{growth.more} more asked; volume group {volume.group} has {facts.group.free} free",
            code=Code.STORAGE_FULL,
            subject=volume.group,
        )


def _refuse_snapshots(growth: Growth, facts: HostFacts) -> None:
    """Refuse a disk that has a snapshot: LVM grows an origin only while nobody has it open.

    A copy on a session host would let it grow, and then be restored over it, too short.
    """
    volume, own = growth.volume, snapshots(facts.volumes, growth.machine)
    ours = {one.volume.uuid: one.name for one in own}
    hanging = [other for other in facts.volumes if other.origin == volume.name]
    if not hanging:
        return
    names = [ours[one.uuid] for one in hanging if one.uuid in ours]
    brief, way = _strange(hanging[0]) if not names else _given_up(growth.machine, names)
    raise RefusedError(
        f"volume {volume.name} cannot grow while it has a snapshot: {brief}",
        resolution=way,
        code=Code.IN_USE,
        subject=volume.name,
    )


def _given_up(machine: MachineName, names: list[str]) -> tuple[str, str]:
    delete = f"raptorctl snapshot delete {machine}"
    if len(names) == 1:
        return names[0], f"`{delete} {names[0]}` gives up what it keeps"
    return ", ".join(names), f"give up each of them: `{delete} NAME`"


def _strange(snapshot: Volume) -> tuple[str, str]:
    return f"{snapshot.name}, which is not raptorctl's", room.given_up(snapshot)
