"""Expire: what is kept of machines that were retired is wiped once its time is over.

Two looks, a day apart, have to agree: the first one is noted on the disks.
"""

from collections.abc import Iterator

from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.look import ClockReading
from raptorctl.model.retired import Retired, retired
from raptorctl.model.volume import Volume
from raptorctl.plans.machine import retirement
from raptorctl.plans.part import disk, room
from raptorctl.plans.past import Past
from raptorctl.plans.plan import Identity, Plan
from raptorctl.steps.retire import NoteDue
from raptorctl.steps.step import Step
from raptorctl.steps.volume import RetireVolume


def plan_expire(
    job: str, look: ClockReading, past: Past, facts: HostFacts, identity: Identity
) -> Plan:
    """Decide what becomes of what a job kept of a machine.

    Args:
        job: that retired the machine.
        look: at the clocks, now.
        past: what journals tell.
        facts: the host.
        identity: of the job.
    """
    gone = next((one for one in retired(facts.volumes) if one.job == job), None)
    if gone is None:
        return Plan("expire", identity, Reservation(identity.job, job), (), "nothing of it is kept")
    if holder := _holder(gone, facts):
        steps: tuple[Step, ...] = ()
        summary = (
            f"what is kept of {gone.name} stays while job {holder} is open; "
            f"if it waits for DNS or was cut off, `raptorctl recover {holder}`"
        )
    elif _agree(gone, look):
        room.refuse_missing_disks(facts)
        steps = tuple(wiping(gone, past, facts))
        summary = f"nothing of {gone.name} is left"
    else:
        steps = tuple(_noted(gone, look))
        summary = _told(gone, look)
    return Plan("expire", identity, Reservation(identity.job, gone.name.domain), steps, summary)


def _holder(gone: Retired, facts: HostFacts) -> str:
    """The open job that took the machine away, or works on one of its name; "" for none.

    What the first would have to finish must be there.
    """
    names = {gone.job, gone.name.domain}
    return next((one.job for one in facts.reservations if names & {one.job, one.machine}), "")


def _is_over(gone: Retired, look: ClockReading) -> bool:
    return look.at >= gone.until


def _agree(gone: Retired, look: ClockReading) -> bool:
    """Whether another look, a day ago, found the same, on all of them."""
    earlier = [ClockReading.parse(one.volume.due) for one in gone.disks]
    return _is_over(gone, look) and all(one and look.is_day_after(one) for one in earlier)


def _noted(gone: Retired, look: ClockReading) -> Iterator[Step]:
    over = _is_over(gone, look)
    for volume in (one.volume for one in gone.disks):
        earlier = ClockReading.parse(volume.due)
        if over and (earlier is None or earlier.at > look.at):  # the clock was wrong then
            reason = "a second look, a day later, has to agree"
            yield NoteDue(reason, volume.uuid, volume.name, volume.due, str(look))
        elif volume.due and not over:
            yield NoteDue("its time is not over", volume.uuid, volume.name, volume.due, "")


def _told(gone: Retired, look: ClockReading) -> str:
    if not _is_over(gone, look):
        return f"what is kept of {gone.name} is kept until {gone.until}"
    return f"what is kept of {gone.name} is wiped once a look a day later agrees"


def wiping(gone: Retired, past: Past, facts: HostFacts) -> Iterator[Step]:
    """The steps after which nothing is left of a machine that was retired.

    A disk that a machine has by now is left alone.
    """
    going = [v for v in _volumes(gone) if not retirement.in_use(v, facts)]
    for volume in going:
        yield RetireVolume("nobody may use it", volume.uuid, volume.name, volume.clean)
    yield from retirement.papers(gone, past, facts)
    for volume in going:
        yield from disk.gone(volume)


def _volumes(gone: Retired) -> tuple[Volume, ...]:
    return tuple(one.volume for one in gone.disks)
