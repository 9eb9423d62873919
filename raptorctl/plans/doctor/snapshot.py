"""Snapshots that are lost, or soon will be: nothing that could be mended without a person."""

from typing import Final

from raptorctl.model.snapshot import Snapshot, snapshots
from raptorctl.plans.doctor.fault import Fault, Faults, Scene

CHECK: Final = "snapshots"
NEARLY_FULL: Final = 80.0
"""Percent of its room; what is above overflows with little more."""


def lost_snapshots(scene: Scene) -> Faults:
    """Find every snapshot that cannot be restored any more, or nearly so."""
    for one in snapshots(scene.facts.volumes):
        if scene.in_work(one.volume.job, one.machine.domain):
            continue
        if one.volume.invalid:
            yield _fault(one, "overflowed: what it kept is lost")
        elif (one.volume.used or 0) >= NEARLY_FULL:
            yield _fault(one, f"has {one.usage} of its {one.volume.size} taken")


def _fault(one: Snapshot, wrong: str) -> Fault:
    of = f"{one.machine}, disk {one.disk}," if one.disk else str(one.machine)
    what = f"snapshot {one.name} of {of} {wrong}"
    return Fault(
        CHECK, one.volume.name, what, f"raptorctl snapshot delete {one.machine} {one.name}"
    )
