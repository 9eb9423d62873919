"""Snapshots, put back: a machine's disks become what they were; or why not."""

from collections.abc import Iterator

from raptorctl.errors import RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.names import MachineName
from raptorctl.model.snapshot import Snapshot, snapshots
from raptorctl.model.volume import Volume
from raptorctl.plans.machine import existing
from raptorctl.plans.machine.existing import Existing
from raptorctl.plans.machine.snapshot import beside, refuse_open
from raptorctl.plans.machine.snapshot_refusal import refuse_overflow, refuse_unfit
from raptorctl.plans.part import room
from raptorctl.plans.plan import Identity, Plan
from raptorctl.steps.definition import SetAutostart
from raptorctl.steps.snapshot import RestoreVolume, ReturnDomain, WithdrawDomain
from raptorctl.steps.step import Step

Pair = tuple[Volume, Snapshot]
"""A disk, and what it is to hold again."""


def plan_restore(
    machine: MachineName, name: str | None, facts: HostFacts, identity: Identity
) -> Plan:
    """Decide how all disks of a machine that a snapshot has become what they were, or why not.

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
    parts = _parts(machine, name, facts)
    _refuse_running(machine, there)
    pairs = tuple(_pairs(parts, facts))
    first = parts[0]
    disks = "its disk" if len(parts) == 1 else "its disks"
    return Plan(
        verb="snapshot-restore",
        identity=identity,
        # As long as its domain is withdrawn, only the job says that its CPUs are taken.
        reservation=Reservation(identity.job, machine.domain, cpus=there.domain.pins),
        steps=tuple(_restoring(there, pairs, identity)),
        summary=f"{machine} has {disks} of {first.volume.taken or first.name} again",
        notes=(
            "its UEFI variables stay as they are; the snapshot stays, too",
            *_others(parts, facts),
            *existing.save_notes(there.domain),
        ),
    )


def _refuse_running(machine: MachineName, there: Existing) -> None:
    if there.domain.state.active:
        raise RefusedError(
            f"{machine} is {there.domain.state.value}; its disk cannot change under it",
            resolution=f"raptorctl stop {machine}",
            code=Code.MACHINE_ON,
            subject=str(machine),
        )


def _parts(machine: MachineName, name: str | None, facts: HostFacts) -> tuple[Snapshot, ...]:
    """The snapshot, of each disk that it has; the first disk's comes first."""
    found = snapshots(facts.volumes, machine)
    names = list(dict.fromkeys(one.name for one in found))
    if name is None and len(names) > 1:
        raise RefusedError(
            f"{machine} has several snapshots", resolution=f"name one: {', '.join(names)}"
        )
    if parts := tuple(one for one in found if name in {None, one.name}):
        return parts
    raise RefusedError(
        f"{machine} has no snapshot" + (f" {name}" if name else ""),
        resolution=f"there is: {', '.join(names)}" if names else "see `snapshot list`",
        code=Code.SNAPSHOT_NOT_FOUND,
        subject=name or "",
    )


def _pairs(parts: tuple[Snapshot, ...], facts: HostFacts) -> Iterator[Pair]:
    """Each disk with its part; all are looked at before anything is given up."""
    volumes = {volume.name: volume for volume in facts.volumes}
    for one in parts:
        _refuse_lost(one)
        if one.origin not in volumes:  # a file that somebody has removed
            raise RefusedError(
                f"{one.origin} is gone, which {one.volume.name} is of",
                resolution="see `raptorctl doctor`",
                code=Code.VOLUME_NOT_FOUND,
                subject=one.origin,
            )
        refuse_unfit(volumes[one.origin])
        refuse_open((volumes[one.origin],))
        refuse_overflow(one, facts)
        yield volumes[one.origin], one


def _refuse_lost(one: Snapshot) -> None:
    what = f"snapshot {one.name} of {one.machine}"
    delete = f"raptorctl snapshot delete {one.machine} {one.name}"
    if one.damaged:
        raise RefusedError(
            f"{what} is damaged: its file is gone, or not whole",
            resolution=delete,
            code=Code.VOLUME_UNFIT,
            subject=one.name,
        )
    if one.volume.invalid:
        raise RefusedError(
            f"{what} overflowed: what it kept is lost",
            resolution=delete,
            code=Code.SNAPSHOT_OVERFLOWED,
            subject=one.name,
        )


def _restoring(there: Existing, pairs: tuple[Pair, ...], identity: Identity) -> Iterator[Step]:
    domain, volume = there.domain, there.volume
    yield WithdrawDomain(
        reason="its tenant could start it",
        name=domain.name,
        uuid=domain.uuid,
        xml=domain.xml,
        autostart=domain.autostart,
        was_active=False,
        job=identity.job,
        volume=pairs[-1][0].uuid,
    )
    for disk, one in pairs:
        yield RestoreVolume(
            reason="what it holds since then is given up",
            job=identity.job,
            uuid=disk.uuid,
            name=disk.name,
            snapshot=one.volume.uuid,
            snapshot_name=one.volume.name,
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


def _others(parts: tuple[Snapshot, ...], facts: HostFacts) -> Iterator[str]:
    if names := beside(parts[0].machine, [one.disk for one in parts], facts):
        alone = len(parts) == 1
        of = "of the first disk alone" if alone else "of the disks that the snapshot has"
        yield f"this is {of}; as they are: {names}"
