"""Wipe: what waits for it, and how a wipe that nobody finishes is taken up again."""

from collections.abc import Iterable, Iterator

from raptorctl.errors import RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.names import shown
from raptorctl.model.volume import Volume
from raptorctl.model.wipe import Unwiped, waits
from raptorctl.plans.part import room
from raptorctl.plans.past import Past
from raptorctl.plans.plan import Identity, Plan
from raptorctl.steps.step import Step
from raptorctl.steps.volume import RemoveVolume, RetireVolume, WipeVolume


def unwiped(volumes: Iterable[Volume], past: Past) -> tuple[Unwiped, ...]:
    """Find what waits for its wipe, by name."""
    found = [Unwiped(volume, past.worked_on(volume)) for volume in volumes if waits(volume)]
    return tuple(sorted(found, key=lambda waiting: waiting.volume.name))


def plan_wipe(wanted: str | None, past: Past, facts: HostFacts, identity: Identity) -> Plan:
    """Decide how volumes that wait are wiped and removed.

    Args:
        wanted: a volume's name or LVM UUID; None for all that no open job works on.
        past: what journals tell.
        facts: the host.
        identity: of the job.

    Raises:
        RefusedError: there is no such volume, a job works on it, or somebody uses it.
    """
    waiting = unwiped(facts.volumes, past)
    chosen = (
        [_one(wanted, waiting, facts)] if wanted is not None else [w for w in waiting if not w.held]
    )
    for one in chosen:
        refuse_in_use(one.volume, facts)
    if chosen:
        room.refuse_missing_disks(facts)
    return Plan(
        verb="wipe",
        identity=identity,
        reservation=Reservation(identity.job, _target(chosen)),
        steps=tuple(resumed([one.volume for one in chosen])),
        summary=_summary(chosen),
        notes=()
        if wanted is not None
        else tuple(f"{w.volume.name}: {w.why}" for w in waiting if w.held),
    )


def resumed(volumes: Iterable[Volume]) -> Iterator[Step]:
    """The steps that wipe volumes and give their space back.

    All are taken out of use before the first wipe: that lets go of the host's lock.
    """
    volumes = tuple(volumes)
    for volume in volumes:
        if not volume.wiped:
            yield RetireVolume("nobody may use it", volume.uuid, volume.name, volume.clean)
    for volume in volumes:
        if not volume.wiped:
            reason = "the next owner must read zeroes"
            yield WipeVolume(reason, volume.uuid, volume.name, volume.size)
        yield RemoveVolume("its extents are free", volume.uuid, volume.name)


def refuse_in_use(volume: Volume, facts: HostFacts) -> None:
    """Refuse a volume that a process holds, a domain names, or a snapshot hangs on.

    Raises:
        RefusedError: says which.
    """
    for domain in facts.domains:
        if volume.path in domain.held_disks:
            away = f"`raptorctl deprovision {domain.name}`" if domain.ours else "take it out there"
            raise RefusedError(
                f"domain {domain.name} uses volume {volume.name}",
                resolution=away,
                code=Code.IN_USE,
                subject=volume.name,
            )
    for other in facts.volumes:
        if other.origin == volume.name:
            room.refuse_origin(other)
    if volume.is_open:
        raise RefusedError(
            f"volume {volume.name} is open",
            resolution="see `lsof`, `dmsetup ls`",
            code=Code.IN_USE,
            subject=volume.name,
        )


def _one(wanted: str, waiting: Iterable[Unwiped], facts: HostFacts) -> Unwiped:
    for one in waiting:
        if wanted in {one.volume.uuid, one.volume.name}:
            if one.held:
                raise RefusedError(
                    f"volume {one.volume.name}: {one.why}",
                    resolution=one.advice,
                    code=Code.JOB_UNFINISHED,
                    subject=one.volume.name,
                )
            return one
    raise RefusedError(
        _why_not(wanted, facts),
        resolution="see `raptorctl wipe list`",
        code=Code.VOLUME_NOT_FOUND,
        subject=wanted,
    )


def _why_not(wanted: str, facts: HostFacts) -> str:
    for volume in facts.volumes:
        if wanted in {volume.uuid, volume.name}:
            said = "is in use, not out of it" if volume.ours else "is not raptorctl's"
            return f"volume {volume.name} {said}"
    return f"there is no volume {shown(wanted)}"


def _target(chosen: list[Unwiped]) -> str:
    """What the job works on: a machine's name stays taken until its half-made volume is gone."""
    if len(chosen) == 1:
        (volume,) = (one.volume for one in chosen)
        return volume.owner.domain if volume.owner else volume.name
    return f"{len(chosen)} volumes"


def _summary(chosen: list[Unwiped]) -> str:
    if not chosen:
        return "there is nothing to wipe"
    return f"nothing of {', '.join(one.volume.name for one in chosen)} is left"
