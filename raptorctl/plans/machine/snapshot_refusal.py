"""What speaks against a snapshot."""

from raptorctl.errors import RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.names import MachineName
from raptorctl.model.sizes import Size
from raptorctl.model.volume import Volume
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


def refuse_room(asked: Size | None) -> None:
    """Refuse to be told how much may change of a file: its snapshot is a copy."""
    if asked is not None:
        raise RefusedError(
            "a snapshot of a file is a copy, which never overflows",
            resolution="leave out --size",
            code=Code.SESSION_HOST,
        )
