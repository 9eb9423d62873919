"""Machines that were taken away and whose disks are kept for a while, so that it can be undone."""

from collections.abc import Iterable
from dataclasses import dataclass

from raptorctl.model.disk import ExtraDisk, disks
from raptorctl.model.names import MachineName
from raptorctl.model.volume import Volume


@dataclass(frozen=True)
class Retired:
    """One of them: its disks are kept disks of its tenant's, with a date.

    Args:
        name: what it was called; another machine may be called so by now.
        job: that took it away.
        until: how long they are kept, UTC, ISO 8601.
        disks: those that came with it and are still there.
    """

    name: MachineName
    job: str
    until: str
    disks: tuple[ExtraDisk, ...]


def retired(volumes: Iterable[Volume]) -> tuple[Retired, ...]:
    """Find all of them, by name, the latest of a name last.

    Args:
        volumes: all of the group.
    """
    found: dict[tuple[MachineName, str], list[ExtraDisk]] = {}
    for one in disks(volumes):
        if one.volume.kept and one.volume.retired and one.volume.until:
            found.setdefault((one.machine, one.volume.retired), []).append(one)
    return tuple(
        Retired(name, job, max(one.volume.until for one in of_it), tuple(of_it))
        for (name, job), of_it in sorted(found.items())
    )
