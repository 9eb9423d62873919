"""Snapshots: taken, put back, removed; or why not."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from raptorctl.errors import RefusedError
from raptorctl.model.disk import disks
from raptorctl.model.domain import State
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.names import MachineName
from raptorctl.model.sizes import Size
from raptorctl.model.snapshot import Snapshot, snapshots
from raptorctl.model.volume import Volume, snapshot_tags
from raptorctl.plans.machine import existing
from raptorctl.plans.machine.existing import Existing
from raptorctl.plans.machine.snapshot_refusal import refuse_large, refuse_taken, refuse_unfit
from raptorctl.plans.part import room
from raptorctl.plans.plan import Identity, Plan
from raptorctl.steps.definition import SetAutostart
from raptorctl.steps.snapshot import (
    RestoreVolume,
    ReturnDomain,
    SplitSnapshot,
    TakeSnapshot,
    WithdrawDomain,
)
from raptorctl.steps.step import Step
from raptorctl.steps.volume import RemoveVolume, RetireVolume, WipeVolume

SHARE: Final = 5
"""A fifth of the volume is the room for what changes, unless another is asked for."""


@dataclass(frozen=True)
class SnapshotRequest:
    """What a person asks for.

    Args:
        machine: whose machine, and which.
        name: the snapshot's, or None for one by the time.
        size: bytes of room for what changes, or None for a fifth of the volume.
    """

    machine: MachineName
    name: str | None = None
    size: Size | None = None


def plan_create(request: SnapshotRequest, facts: HostFacts, identity: Identity) -> Plan:
    """Decide how a snapshot is taken, or why it cannot be.

    Raises:
        RefusedError: the host's state forbids it.
    """
    machine = request.machine
    there = existing.whole(machine, facts)
    room.refuse_missing_disks(facts)
    name = request.name or by_time(identity.at)
    refuse_taken(machine, name, facts)
    refuse_unfit(there.volume)
    size = _room(request, there.volume, facts)
    refuse_large(size, machine, there.volume, facts)
    step = TakeSnapshot(
        reason=f"as long as no more than {size} changes",
        job=identity.job,
        uuid=there.volume.uuid,
        origin=there.volume.name,
        name=machine.snapshot(name),
        size=size,
        tags=snapshot_tags(machine, identity.job, identity.at),
    )
    summary = f"snapshot {name} of {machine} keeps its disk as it is now"
    plan = _plan("snapshot-create", machine, identity, (step,), summary)
    notes = (*_create_notes(there, size), *first_alone(machine, facts))
    return replace(plan, notes=notes)


def plan_delete(machine: MachineName, name: str, facts: HostFacts, identity: Identity) -> Plan:
    """Decide how a snapshot goes, or why it cannot.

    Raises:
        RefusedError: somebody has it open.
    """
    existing.refuse_reserved(machine, facts)
    found = [one for one in snapshots(facts.volumes, machine) if one.name == name]
    summary = f"there is no snapshot {name} of {machine}"
    if found:
        summary = f"nothing of snapshot {name} of {machine} is left"
    if found:
        room.refuse_missing_disks(facts)
    steps = (*split_off(found), *wiped(found))
    return _plan("snapshot-delete", machine, identity, steps, summary)


def plan_restore(
    machine: MachineName, name: str | None, facts: HostFacts, identity: Identity
) -> Plan:
    """Decide how a machine's disk becomes what it was, or why it cannot.

    Args:
        machine: whose machine, and which.
        name: the snapshot's; None for the only one there is.
        facts: the host.
        identity: of the job.

    Raises:
        RefusedError: the host's state forbids it.
    """
    there = existing.whole(machine, facts)
    room.refuse_missing_disks(facts)
    snapshot = _one(machine, name, facts)
    if there.domain.state.active:
        raise RefusedError(
            f"{machine} is {there.domain.state.value}; its disk cannot change under it",
            resolution=f"raptorctl stop {machine}",
            code=Code.MACHINE_ON,
            subject=str(machine),
        )
    if snapshot.volume.invalid:
        raise RefusedError(
            f"snapshot {snapshot.name} of {machine} overflowed: what it kept is lost",
            resolution=f"raptorctl snapshot delete {machine} {snapshot.name}",
            code=Code.SNAPSHOT_OVERFLOWED,
            subject=snapshot.name,
        )
    refuse_unfit(there.volume)
    refuse_open((there.volume,))
    summary = f"{machine} has its disk of {snapshot.volume.taken or snapshot.name} again"
    steps = tuple(_restoring(there, snapshot, identity))
    plan = _plan("snapshot-restore", machine, identity, steps, summary)
    return replace(
        plan,
        # As long as its domain is withdrawn, only the job says that its CPUs are taken.
        reservation=replace(plan.reservation, cpus=there.domain.pins),
        notes=(
            "its UEFI variables stay as they are; the snapshot stays, too",
            *first_alone(machine, facts),
            *existing.save_notes(there.domain),
        ),
    )


def by_time(at: str) -> str:
    """Return the name of a snapshot that nobody named.

    Args:
        at: when it is taken, UTC, ISO 8601.
    """
    return f"at-{at[:10].replace('-', '')}-{at[11:19].replace(':', '')}"


def split_off(found: Iterable[Snapshot]) -> Iterator[Step]:
    """The steps that take snapshots off their machine's volume and out of use.

    Raises:
        RefusedError: somebody has one open.
    """
    found = tuple(found)
    refuse_open(one.volume for one in found)
    for one in found:
        reason = "it becomes a volume that can be wiped"
        yield SplitSnapshot(reason, one.volume.uuid, one.volume.name, one.machine.volume)
    for one in found:
        yield RetireVolume("nobody may use it", one.volume.uuid, one.volume.name, was_clean=False)


def wiped(found: Iterable[Snapshot]) -> Iterator[Step]:
    """The steps that wipe and remove what `split_off` took out of use; they need no lock."""
    for one in found:
        volume = one.volume
        reason = "what it kept is its owner's"
        yield WipeVolume(reason, volume.uuid, volume.name, volume.size)
        yield RemoveVolume("its extents are free", volume.uuid, volume.name)


def first_alone(machine: MachineName, facts: HostFacts) -> Iterator[str]:
    """Say of a machine's further disks that this is not about them."""
    if names := [one.name for one in disks(facts.volumes, machine)]:
        yield f"this is of the first disk alone; as they are: {', '.join(names)}"


def refuse_open(volumes: Iterable[Volume]) -> None:
    """Refuse volumes that a process holds.

    Raises:
        RefusedError: names the first.
    """
    for volume in volumes:
        if volume.is_open:
            raise RefusedError(
                f"volume {volume.name} is open",
                resolution="see `lsof`, `dmsetup ls`",
                code=Code.IN_USE,
                subject=volume.name,
            )


def _plan(
    verb: str, machine: MachineName, identity: Identity, steps: tuple[Step, ...], summary: str
) -> Plan:
    return Plan(verb, identity, Reservation(identity.job, machine.domain), steps, summary)


def _room(request: SnapshotRequest, volume: Volume, facts: HostFacts) -> Size:
    extent = facts.group.extent if facts.group else 1
    wanted = Size(volume.size // SHARE) if request.size is None else request.size
    return wanted.rounded_up(extent)


def _create_notes(there: Existing, size: Size) -> Iterator[str]:
    yield (
        f"once {size} has changed it overflows and is lost; `raptorctl snapshot list` says how "
        "much is taken"
    )
    if there.domain.state.active:
        yield "the machine runs: the snapshot is as its disk would be after a power cut"
    if there.domain.state is State.SAVED:
        yield "the machine is saved: the snapshot is as its disk would be after a power cut"


def _one(machine: MachineName, name: str | None, facts: HostFacts) -> Snapshot:
    found = snapshots(facts.volumes, machine)
    wanted = [one for one in found if name in {None, one.name}]
    if len(wanted) == 1:
        return wanted[0]
    names = ", ".join(one.name for one in found)
    if name is None and found:
        raise RefusedError(f"{machine} has several snapshots", resolution=f"name one: {names}")
    what = "has no snapshot" if name is None else f"has no snapshot {name}"
    raise RefusedError(
        f"{machine} {what}",
        resolution=f"there is: {names}" if names else "see `snapshot list`",
        code=Code.SNAPSHOT_NOT_FOUND,
        subject=name or "",
    )


def _restoring(there: Existing, snapshot: Snapshot, identity: Identity) -> Iterator[Step]:
    domain, volume = there.domain, there.volume
    yield WithdrawDomain(
        reason="its tenant could start it",
        name=domain.name,
        uuid=domain.uuid,
        xml=domain.xml,
        autostart=domain.autostart,
        was_active=False,
        job=identity.job,
        volume=volume.uuid,
    )
    yield RestoreVolume(
        reason="what it holds since then is given up",
        job=identity.job,
        uuid=volume.uuid,
        name=volume.name,
        snapshot=snapshot.volume.uuid,
        snapshot_name=snapshot.volume.name,
    )
    yield ReturnDomain(
        reason="it can be started again",
        job=there.mark.job,
        name=domain.name,
        uuid=domain.uuid,
        volume=volume.name,
        xml=domain.xml,
    )
    if domain.autostart:
        reason = "as it did before"
        yield SetAutostart(reason=reason, name=domain.name, uuid=domain.uuid, on=True)
