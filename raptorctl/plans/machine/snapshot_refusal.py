"""What speaks against a snapshot."""

from raptorctl.errors import RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.names import MachineName
from raptorctl.model.sizes import Size
from raptorctl.model.snapshot import Snapshot, snapshots
from raptorctl.model.volume import Volume, is_overlay
from raptorctl.plans.part import room


def refuse_taken(machine: MachineName, name: str, facts: HostFacts) -> None:
    """Refuse a name that a snapshot of the machine has."""
    taken = machine.snapshot(name)
    for volume in facts.volumes:
        if volume.name == taken:
            since = f", taken {volume.taken}" if volume.taken else ""
            raise RefusedError(
                f"{machine} has a snapshot {name} already{since}",
                resolution="choose another name, or delete it first",
                code=Code.SNAPSHOT_EXISTS,
                subject=name,
            )


def refuse_unfit(volume: Volume) -> None:
    """Refuse a disk that no snapshot can be taken of."""
    room.refuse_unclean(volume)
    if volume.kind != "linear":
        raise RefusedError(
            f"volume {volume.name} is not as raptorctl made it: {volume.kind}",
            resolution="what a snapshot of it keeps could not be wiped for sure: use lvcreate",
            code=Code.VOLUME_UNFIT,
            subject=volume.name,
        )


def refuse_overflow(one: Snapshot, facts: HostFacts) -> None:
    """Refuse to restore a snapshot if others of its disk could overflow, and be lost.

    What is written to the disk is first copied into each snapshot that does not keep it already
    (Documentation/admin-guide/device-mapper/snapshot.rst). Of two, the older keeps all that the
    younger does, and no more is written than the restored one keeps: so in the end each keeps as
    much as before, or as the restored one, whichever is more.

    Raises:
        RefusedError: names them, and what removes the first.
    """
    most = _kept(one.volume)
    lost = [
        other
        for other in facts.volumes
        if other.origin == one.origin and not other.invalid and other.size < most
    ]
    if not lost or is_overlay(one.volume.group):  # copies of files have nothing in common
        return
    ours = {other.volume.uuid: other.name for other in snapshots(facts.volumes, one.machine)}
    names = [ours.get(other.uuid, other.name) for other in lost]
    delete = f"`raptorctl snapshot delete {one.machine} {names[0]}` gives up what it keeps"
    raise RefusedError(
        f"to restore {one.name} writes up to {most} to {one.origin}, for which other snapshots of "
        f"it have too little room, and would be lost: {', '.join(names)}",
        resolution=delete if lost[0].uuid in ours else room.given_up(lost[0]),
        code=Code.STORAGE_FULL,
        subject=names[0],
    )


def _kept(snapshot: Volume) -> Size:
    """Bytes that it keeps, at most: LVM says hundredths of a percent."""
    if snapshot.used is None:
        return snapshot.size
    return Size(min(snapshot.size, snapshot.size * (snapshot.used + 0.01) / 100))


def refuse_room(asked: Size | None) -> None:
    """Refuse to be told how much may change of a file: its snapshot is a copy."""
    if asked is not None:
        raise RefusedError(
            "a snapshot of a file is a copy, which never overflows",
            resolution="leave out --size",
            code=Code.SESSION_HOST,
        )
