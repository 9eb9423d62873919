"""Retire: a machine goes, its name and its slot are free, and its disks are kept for a while."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

from raptorctl.errors import RefusedError
from raptorctl.model.disk import disks
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.look import later
from raptorctl.model.names import MachineName
from raptorctl.model.settings import Settings
from raptorctl.model.snapshot import snapshots
from raptorctl.model.volume import DISK, KEEP, RETIRED, UNTIL
from raptorctl.plans.machine import deprovision, existing
from raptorctl.plans.machine.existing import Existing
from raptorctl.plans.part import medium, records, room, share
from raptorctl.plans.plan import Identity, Plan
from raptorctl.steps.rebuild import SetAside
from raptorctl.steps.retire import KeepVolume
from raptorctl.steps.step import Step

NAME = "old"
"""What a machine's first disk is called once it is kept; a second one is `old-2`."""


@dataclass(frozen=True)
class RetireRequest:
    """What a person asks for.

    Args:
        name: whose machine, and which.
        keep: how long its disks are kept.
        since: when that begins, UTC, ISO 8601; "" for the beginning of the job.
        timeout: seconds that its guest has to shut down, 0 for none; None for the settings'.
    """

    name: MachineName
    keep: timedelta
    timeout: float | None = None
    since: str = ""


def plan_retire(
    request: RetireRequest, settings: Settings, facts: HostFacts, identity: Identity
) -> Plan:
    """Decide how a machine goes so that it can come back, or why it cannot.

    Raises:
        RefusedError: the host's state forbids it.
    """
    name, until = request.name, later(request.since or identity.at, request.keep)
    refuse_session(settings)
    there = existing.whole(name, facts)
    _refuse_snapshots(name, facts)
    deprovision.refuse_snapshots(name, facts)
    deprovision.refuse_in_use(name, facts)
    room.refuse_unclean(there.volume)
    room.refuse_missing_disks(facts)
    wait = settings.libvirt.shutdown_timeout if request.timeout is None else request.timeout
    kept = tuple(_kept(there, until, facts, identity))
    return Plan(
        verb="retire",
        identity=identity,
        reservation=Reservation(identity.job, name.domain),
        steps=(
            *records.gone(name, settings, facts),
            *share.ended(name, facts),
            *deprovision.domain_steps(name, facts, wait, "kept"),
            *kept,
            *_aside(there, settings, facts, identity),
            *medium.gone(there.domain),
            *deprovision.log_steps(name, settings, facts),
        ),
        summary=f"{name} is gone, and its disks are kept until {until}",
        notes=(
            *existing.save_notes(there.domain),
            f"`raptorctl undelete {name}` brings it back until then",
            f"{name.tenant}'s quota counts what is kept",
        ),
    )


def _kept(
    there: Existing, until: str, facts: HostFacts, identity: Identity
) -> Iterator[KeepVolume]:
    name, volume = there.mark.name, there.volume
    says = (f"{RETIRED}{identity.job}", f"{UNTIL}{until}")
    taken = {one.name for one in facts.volumes}
    names = (NAME if number == 1 else f"{NAME}-{number}" for number in count(1))
    disk = next(one for one in names if name.disk(one) not in taken)
    tags = (f"{DISK}{disk}", KEEP, *says)
    reason = "its name is free, and not a byte is lost"
    yield KeepVolume(reason, volume.uuid, volume.name, name.disk(disk), tags)
    for one in disks(facts.volumes, name):
        if not one.volume.kept:
            own, also = one.volume, (KEEP, *says)
            yield KeepVolume("it goes with its machine", own.uuid, own.name, own.name, also)


def _aside(
    there: Existing, settings: Settings, facts: HostFacts, identity: Identity
) -> Iterator[Step]:
    name, uuid, job = there.mark.name, there.domain.uuid, identity.job
    nvram = deprovision.own_nvram(name, settings, facts)
    if nvram in facts.files:
        yield SetAside("its boot keys are its owner's", job, uuid, "UEFI variables", nvram)
    seed = deprovision.own_seed(name, settings, facts)
    if seed in facts.files:
        yield SetAside("its guest may read it again", job, uuid, "seed", seed)


def refuse_session(settings: Settings) -> None:
    """Refuse a host whose disks are files: nothing of theirs is kept.

    Raises:
        RefusedError: it is a session host.
    """
    if not settings.has_lvm:
        raise RefusedError(
            "this host is your own, and keeps no machine that is removed",
            resolution="`raptorctl stop` leaves it as it is",
            code=Code.SESSION_HOST,
        )


def _refuse_snapshots(name: MachineName, facts: HostFacts) -> None:
    if found := snapshots(facts.volumes, name):
        raise RefusedError(
            f"{name} has a snapshot, which cannot be kept: {found[0].name}",
            resolution=f"raptorctl snapshot delete {name} {found[0].name}",
            code=Code.IN_USE,
            subject=str(name),
        )
