"""Numbers of removed tenants: what they still own, who has one again, and which nobody kept."""

from collections.abc import Iterator

from raptorctl.model.job import Job, Outcome
from raptorctl.model.tombstone import Tombstone
from raptorctl.plans.doctor.fault import Fault, Faults, Scene
from raptorctl.plans.tenant.membership import tombstone_step
from raptorctl.steps.account import RemoveAccount
from raptorctl.steps.number import SweepNumber

CHECK = "tenants"


def numbers(scene: Scene) -> Faults:
    """Find every number that may act for another than it was given to."""
    for gone in scene.facts.removed:
        if scene.in_work(gone.name, gone.job):
            continue
        owner = scene.owners.get(gone.uid)
        if owner and not (gone.adopted and owner == gone.name):
            yield _taken(gone, owner)
        elif left := scene.left.get(gone.uid):
            yield _left(gone, left)
    yield from map(_unkept, _forgotten(scene))


def _taken(gone: Tombstone, owner: str) -> Fault:
    return Fault(
        CHECK,
        owner,
        f"account {owner} has uid {gone.uid}, which was tenant {gone.name}'s",
        f"usermod --uid NUMBER {owner}, with one that nobody had",
    )


def _left(gone: Tombstone, left: tuple[str, ...]) -> Fault:
    more = f" and {len(left) - 1} more" if left[1:] else ""
    # What an account of somebody else's left when it was removed by hand is for a person to judge.
    steps = () if gone.adopted else (SweepNumber("nobody owns it", gone.name, gone.uid),)
    return Fault(
        CHECK,
        gone.name,
        f"tenant {gone.name} is gone, and uid {gone.uid} still owns {left[0]}{more}",
        "raptorctl doctor --fix" if steps else f"find / -xdev -uid {gone.uid}",
        steps=steps,
    )


def _forgotten(scene: Scene) -> Iterator[tuple[Job, RemoveAccount]]:
    """Removals of tenants by a raptorctl that kept no tombstones, the latest first."""
    known = {gone.uid for gone in scene.facts.removed}
    known |= {tenant.record.uid for tenant in scene.facts.tenants if tenant.record}
    for job, step in scene.past.steps(RemoveAccount):
        if job.verb == "tenant-remove" and job.outcome is Outcome.DONE and step.uid not in known:
            known.add(step.uid)
            yield job, step


def _unkept(found: tuple[Job, RemoveAccount]) -> Fault:
    job, step = found
    tombstone = Tombstone(step.uid, step.name, False, job.id, job.ended, job.by)
    return Fault(
        CHECK,
        step.name,
        f"uid {step.uid} was tenant {step.name}'s, and may be given again",
        "raptorctl doctor --fix",
        steps=(tombstone_step(tombstone),),
    )
