"""Snapshots of machines, as LVM has them, or as copies of files."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from raptorctl.model.names import MachineName, split_snapshot
from raptorctl.model.volume import Volume, is_overlay


@dataclass(frozen=True)
class Snapshot:
    """What a machine's disk held at one moment.

    Args:
        machine: whose disk.
        name: the snapshot's.
        volume: that keeps it; its size is the room for what has changed since, of a copy that of
            the disk.
        disk: of which further disk it is; "" for the first.
    """

    machine: MachineName
    name: str
    volume: Volume
    disk: str = ""

    @property
    def origin(self) -> str:
        """The volume that it is a snapshot of."""
        return self.machine.disk(self.disk) if self.disk else self.machine.volume

    @property
    def damaged(self) -> bool:
        """Whether it is a copy whose file is gone, or was never whole."""
        return is_overlay(self.volume.group) and not self.volume.clean

    @property
    def state(self) -> str:
        """Whether it can be restored, one word."""
        if self.damaged:
            return "damaged"
        return "overflowed" if self.volume.invalid else "good"

    @property
    def usage(self) -> str:
        """How much of its room is taken, for people."""
        return "-" if self.volume.used is None else f"{self.volume.used:.0f}%"

    def encode(self) -> dict[str, Any]:
        """Return the shape that `snapshot list -o json` documents."""
        return {
            "machine": self.machine.domain,
            "name": self.name,
            "disk": self.disk,
            "taken": self.volume.taken,
            "size": int(self.volume.size),
            "used": self.volume.used,
            "state": self.state,
            "volume": self.volume.name,
            "uuid": self.volume.uuid,
            "job": self.volume.job or "",
        }


def snapshots(
    volumes: Iterable[Volume], machine: MachineName | None = None
) -> tuple[Snapshot, ...]:
    """Find snapshots of ours, in the order they were taken.

    Args:
        volumes: all of the group.
        machine: only this one's.
    """
    found = [one for volume in volumes if (one := _snapshot(volume))]
    wanted = [one for one in found if machine in {None, one.machine}]
    return tuple(sorted(wanted, key=_order))


def _order(one: Snapshot) -> tuple[MachineName, str, str, str]:
    return one.machine, one.volume.taken, one.name, one.disk


def _snapshot(volume: Volume) -> Snapshot | None:
    said = split_snapshot(volume.name)
    if said is None or not volume.ours or volume.tenant != said[0].tenant:
        return None
    machine, name, disk = said
    found = Snapshot(machine, name, volume, disk)
    return found if volume.origin == found.origin else None
