"""Snapshots that are lost, or soon will be: nothing that could be mended without a person."""

from collections.abc import Callable
from typing import Final

from raptorctl.model.facts import HostFacts
from raptorctl.model.snapshot import Snapshot, snapshots
from raptorctl.plans.doctor.fault import Fault, Faults, Scene

CHECK: Final = "snapshots"
NEARLY_FULL: Final = 80.0
"""Percent of its room; what is above overflows with little more."""


def lost_snapshots(scene: Scene) -> Faults:
    """Find every snapshot that cannot be restored any more, or nearly so."""
    return told(scene.facts, scene.in_work)


def told(facts: HostFacts, in_work: Callable[..., bool]) -> Faults:
    """Find them among these volumes.

    Args:
        facts: the host.
        in_work: whether one of these, a job or a machine, is an unfinished job's business.
    """
    for one in snapshots(facts.volumes):
        if in_work(one.volume.job, one.machine.domain):
            continue
        if one.damaged:
            yield _fault(one, "is damaged: its file is gone, or not whole")
        elif one.volume.invalid:
            yield _fault(one, "overflowed: what it kept is lost")
        elif (one.volume.used or 0) >= NEARLY_FULL:
            yield _fault(one, f"has {one.usage} of its {one.volume.size} taken")


def _fault(one: Snapshot, wrong: str) -> Fault:
    of = f"{one.machine}, disk {one.disk}," if one.disk else str(one.machine)
    what = f"snapshot {one.name} of {of} {wrong}"
    return Fault(
        CHECK, one.volume.name, what, f"raptorctl snapshot delete {one.machine} {one.name}"
    )
