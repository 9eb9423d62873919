"""What earlier jobs say about what is on the host now: their journals, understood."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from raptorctl.model.job import Job
from raptorctl.model.volume import Volume
from raptorctl.plans.plan import Plan
from raptorctl.steps.step import Step
from raptorctl.steps.volume import RemoveVolume, RetireVolume, WipeVolume

S = TypeVar("S", bound=Step)


@dataclass(frozen=True)
class Past:
    """Jobs with their plans, oldest first; those whose plan cannot be read are not among them."""

    jobs: tuple[tuple[Job, Plan], ...] = ()

    def steps(self, kind: type[S]) -> Iterator[tuple[Job, S]]:
        """Return all steps of one kind, the latest job's first."""
        for job, plan in reversed(self.jobs):
            yield from ((job, step) for step in plan.steps if isinstance(step, kind))

    def worked_on(self, volume: Volume) -> Job | None:
        """Return the last job that had to do with a volume, by its UUID or as its maker."""
        for job, plan in reversed(self.jobs):
            if job.id == volume.job or volume.uuid in _touched(plan):
                return job
        return None


def _touched(plan: Plan) -> set[str]:
    kinds = (RetireVolume, WipeVolume, RemoveVolume)
    return {step.uuid for step in plan.steps if isinstance(step, kinds)}
