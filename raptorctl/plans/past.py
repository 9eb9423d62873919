"""What earlier jobs say about what is on the host now: their journals, understood."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from raptorctl.model.job import Job, Outcome
from raptorctl.model.names import MachineName, split_domain
from raptorctl.model.tenant import record_path
from raptorctl.model.volume import Volume
from raptorctl.plans.plan import Plan
from raptorctl.steps.definition import RedefineDomain
from raptorctl.steps.domain import DefineDomain, StartDomain
from raptorctl.steps.file import WriteFile
from raptorctl.steps.resize import GrowVolume
from raptorctl.steps.seed import WriteSeed
from raptorctl.steps.snapshot import RestoreVolume, SplitSnapshot
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

    def definition(self, volume: Volume) -> DefineDomain | None:
        """Return how the job that made a volume defined its domain, and others did since."""
        made = next((step for job, step in self.steps(DefineDomain) if job.id == volume.job), None)
        for job, step in self.steps(RedefineDomain):
            if made and step.uuid == made.uuid and job.outcome is Outcome.DONE:
                return replace(made, xml=step.xml)
        return made

    def started(self, job: str) -> bool:
        """Whether a job was to start its machine."""
        return any(one.id == job for one, _ in self.steps(StartDomain))

    def nvram_files(self) -> frozenset[str]:
        """Every file of UEFI variables that a machine of ours ever had."""
        return frozenset(step.nvram for _, step in self.steps(DefineDomain))

    def seed_files(self) -> frozenset[str]:
        """Every seed that a job of ours ever wrote."""
        return frozenset(step.path for _, step in self.steps(WriteSeed))

    def machines(self) -> frozenset[MachineName]:
        """Every machine that a job ever set out to make."""
        names = (split_domain(step.name) for _, step in self.steps(DefineDomain))
        return frozenset(name for name in names if name)

    def record(self, tenant: str) -> str | None:
        """Return what a tenant's record last said, or None when no job that was done wrote one."""
        path = record_path(tenant)
        for job, step in self.steps(WriteFile):
            if step.path == path and job.outcome is Outcome.DONE:
                return step.text
        return None


NOTHING: Final = Past()


def _touched(plan: Plan) -> set[str]:
    kinds = (RetireVolume, WipeVolume, RemoveVolume, GrowVolume, SplitSnapshot, RestoreVolume)
    return {step.uuid for step in plan.steps if isinstance(step, kinds)}
