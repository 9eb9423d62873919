"""Which slot a machine gets."""

from collections.abc import Iterator

from raptorctl.errors import RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.record import in_the_way
from raptorctl.model.settings import Settings
from raptorctl.model.slot import Slot
from raptorctl.model.slot_map import SlotUse
from raptorctl.plans.part import records


def holders(slot: Slot, facts: HostFacts) -> Iterator[str]:
    """Who is on a slot: domains by bridge or MAC, volumes by tag, unfinished jobs."""
    named = set()
    for domain in facts.domains:
        if slot.mac in domain.held_macs or slot.bridge in domain.held_bridges:
            named.add(domain.name)
            yield domain.name
    for volume in facts.volumes:
        machine = volume.machine
        if volume.slot == slot.number and machine and machine.domain not in named:
            yield f"volume {volume.name}"
    for kept in facts.reservations:
        if kept.slot == slot.number and kept.machine not in named:
            yield f"job {kept.job}"


def choose(number: int | None, settings: Settings, facts: HostFacts) -> Slot | None:
    """Return the slot asked for, or the first free one; None on a host of one's own.

    Raises:
        InputError: there is no such slot.
        RefusedError: it is taken or its bridge is not there; or none is free.
    """
    if not settings.has_slots:
        if number is None:
            return None
        raise RefusedError(
            "this host is your own, and has no slots",
            resolution="leave out --slot",
            code=Code.SESSION_HOST,
        )
    if number is not None:
        slot = settings.find_slot(number)
        if problem := obstacle(slot, settings, facts):
            raise RefusedError(
                f"slot {number} cannot be used: {problem}",
                code=Code.SLOT_UNAVAILABLE,
                subject=str(number),
            )
        return slot
    obstacles = {slot: obstacle(slot, settings, facts) for slot in settings.slot}
    for slot, problem in obstacles.items():
        if not problem:
            return slot
    who = ", ".join(f"{slot.number}: {problem}" for slot, problem in obstacles.items())
    raise RefusedError(f"no slot is free ({who})", code=Code.SLOT_UNAVAILABLE)


def obstacle(slot: Slot, settings: Settings, facts: HostFacts) -> str:
    """Why a slot cannot be given away, or ""."""
    if taken := next(holders(slot, facts), None):
        return f"{taken} has it"
    bridge = facts.bridge(slot.bridge)
    if bridge is None:
        return f"bridge {slot.bridge} is not there"
    if not bridge.up:
        return f"bridge {slot.bridge} is down"
    names = records.pointer_names(slot, settings)
    named = ((in_the_way(name, facts.records), name) for name in names)
    return next((records.told(record, name) for record, name in named if record), "")


def slot_uses(settings: Settings, facts: HostFacts) -> list[SlotUse]:
    """Lay machines over the slots, as provision sees them."""
    ordered = sorted(settings.slot, key=lambda slot: slot.number)
    return [SlotUse(s, facts.bridge(s.bridge), tuple(holders(s, facts))) for s in ordered]
