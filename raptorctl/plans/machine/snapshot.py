"""Snapshots: taken, removed; or why not."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from raptorctl.errors import RefusedError
from raptorctl.model.disk import disks
from raptorctl.model.domain import State
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.names import MachineName
from raptorctl.model.sizes import Size
from raptorctl.model.snapshot import Snapshot, snapshots
from raptorctl.model.volume import Volume, is_overlay
from raptorctl.plans.machine import existing
from raptorctl.plans.machine.existing import Existing
from raptorctl.plans.machine.snapshot_part import DiskPart, refuse_large, room_for, taking
from raptorctl.plans.machine.snapshot_refusal import refuse_taken
from raptorctl.plans.part import disk, room
from raptorctl.plans.plan import Identity, Plan
from raptorctl.steps.snapshot import SplitSnapshot
from raptorctl.steps.step import Step
from raptorctl.steps.volume import RemoveVolume, RetireVolume, WipeVolume


@dataclass(frozen=True)
class SnapshotRequest:
    """What a person asks for.

    Args:
        machine: whose machine, and which.
        name: the snapshot's, or None for one by the time.
        size: bytes of room for what changes, of each disk, or None for a fifth of it.
        all_disks: of all its disks at one moment, not of the first alone.
    """

    machine: MachineName
    name: str | None = None
    size: Size | None = None
    all_disks: bool = False


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
    parts = tuple(_parts(request, name, there, facts))
    refuse_large(parts, machine, facts)
    keeps = "its disk as it is" if len(parts) == 1 else "its disks as they are"
    summary = f"snapshot {name} of {machine} keeps {keeps} now"
    steps = tuple(taking(parts, there.domain, identity))
    plan = _plan("snapshot-create", machine, identity, steps, summary)
    return replace(plan, notes=(*_create_notes(there, parts), *_others(parts, facts)))


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
        room.refuse_missing_disks(facts)
    files = all(is_overlay(one.volume.group) for one in found)
    steps = copies_gone(found) if files else (*split_off(found), *wiped(found))
    return _plan("snapshot-delete", machine, identity, tuple(steps), summary)


def copies_gone(found: Iterable[Snapshot]) -> Iterator[Step]:
    """The steps that remove snapshots which are copies of files."""
    for one in found:
        yield from disk.gone(one.volume)


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
        yield SplitSnapshot(reason, one.volume.uuid, one.volume.name, one.origin)
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


def beside(machine: MachineName, known: Collection[str], facts: HostFacts) -> str:
    """The machine's further disks that are not among these of a snapshot."""
    own = disks(facts.volumes, machine)
    return ", ".join(one.name for one in own if one.name not in known)


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


def _parts(
    request: SnapshotRequest, name: str, there: Existing, facts: HostFacts
) -> Iterator[DiskPart]:
    """What is taken of each disk; the first comes first."""
    machine, first, asked = request.machine, there.volume, request.size
    yield DiskPart(machine, name, "", first, room_for(first, asked, facts))
    for one in disks(facts.volumes, machine) if request.all_disks else ():
        if one.volume.path in there.domain.disks:
            size = min(asked, one.volume.size) if asked else None
            yield DiskPart(machine, name, one.name, one.volume, room_for(one.volume, size, facts))


def _create_notes(there: Existing, parts: tuple[DiskPart, ...]) -> Iterator[str]:
    several = len(parts) > 1
    if not is_overlay(there.volume.group):
        once = "once a disk has changed by more than its room, the snapshot is lost"
        if not several:
            once = f"once {parts[0].size} has changed it overflows and is lost"
        yield f"{once}; `raptorctl snapshot list` says how much is taken"
    like = f"the snapshot is as its {'disks' if several else 'disk'} would be after a power cut"
    if there.domain.state.active:
        yield f"the machine runs: {like}"
    if there.domain.state is State.SAVED:
        yield f"the machine is saved: {like}"


def _others(parts: tuple[DiskPart, ...], facts: HostFacts) -> Iterator[str]:
    known = [part.disk for part in parts]
    if names := beside(parts[0].machine, known, facts):
        more = " (--all-disks takes all)" if len(known) == 1 else ""
        yield f"this is of the first disk alone{more}; as they are: {names}"
