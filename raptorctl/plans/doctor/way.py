"""Doctor, on the ways to slots that machines have: routes and forwarding. Pure."""

from collections.abc import Iterator

from raptorctl.model.probe import Finding, Probe, Verdict
from raptorctl.model.slot import Slot
from raptorctl.plans.doctor.access import ROLE
from raptorctl.plans.part.slots import holders


def ways(probe: Probe, slot: Slot) -> Iterator[Finding]:
    """Say why the machine on a slot is not reached; a host made by hand may have its reasons."""
    way = probe.ways.get(slot.number)
    if way and next(holders(slot, probe.facts), None):
        for what in way.lacks(slot):
            yield Finding(f"slot {slot.number}", Verdict.WARN, what, ROLE)
