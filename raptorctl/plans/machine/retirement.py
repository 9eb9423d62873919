"""What the job that retired a machine tells: how it was defined, and what of it was put where."""

from collections.abc import Iterator
from dataclasses import dataclass

from raptorctl.errors import RefusedError
from raptorctl.model.domain import Domain, Mark
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.retired import Retired
from raptorctl.model.volume import Volume
from raptorctl.plans.past import Past
from raptorctl.plans.plan import Plan
from raptorctl.render.read_domain import read_domain
from raptorctl.steps.domain import UndefineDomain
from raptorctl.steps.rebuild import DropAside, SetAside
from raptorctl.steps.retire import KeepVolume
from raptorctl.steps.secret import RemoveTpm
from raptorctl.steps.step import Step


@dataclass(frozen=True)
class Retirement:
    """A machine as it was.

    Args:
        definition: how it was taken away.
        domain: the same, read.
        mark: that it had.
        disks: what its disks were called, and what each is called and tagged since.
        aside: its files.
    """

    definition: UndefineDomain
    domain: Domain
    mark: Mark
    disks: tuple[KeepVolume, ...]
    aside: tuple[SetAside, ...]

    @property
    def first(self) -> KeepVolume:
        """Its first disk."""
        return next(one for one in self.disks if one.before == self.mark.name.volume)


def find(gone: Retired, past: Past) -> Retirement | None:
    """Return what the job's journal tells; None where it is not there any more."""
    plan = next((plan for job, plan in past.jobs if job.id == gone.job), None)
    return read(plan) if plan else None


def told(gone: Retired, past: Past) -> Retirement:
    """Return what the job's journal tells.

    Raises:
        RefusedError: it is not there any more.
    """
    if found := find(gone, past):
        return found
    raise RefusedError(
        f"how {gone.name} was defined is not known any more: the journal of job {gone.job} is gone",
        resolution="copy what matters from its volume; see `raptorctl disk list`",
        code=Code.MACHINE_INCOMPLETE,
        subject=str(gone.name),
    )


def papers(gone: Retired, past: Past, facts: HostFacts) -> Iterator[Step]:
    """The steps that remove what was kept beside its disks; there is no way back from here."""
    was = find(gone, past)
    if was is None or any(domain.uuid == was.domain.uuid for domain in facts.domains):
        return
    for one in was.aside:
        yield DropAside("its machine cannot come back", one.aside, one.what)
    if was.domain.tpm:
        yield RemoveTpm("its keys are the owner's", was.definition.name, was.domain.uuid)


def read(plan: Plan) -> Retirement | None:
    """Understand a plan; None of one that retired no machine."""
    definition = next((one for one in plan.steps if isinstance(one, UndefineDomain)), None)
    domain = read_domain(definition.xml) if definition else None
    kept = tuple(one for one in plan.steps if isinstance(one, KeepVolume))
    if definition is None or domain is None or domain.mark is None or not kept:
        return None
    aside = tuple(one for one in plan.steps if isinstance(one, SetAside))
    return Retirement(definition, domain, domain.mark, kept, aside)


def in_use(volume: Volume, facts: HostFacts) -> bool:
    """Whether a domain has a disk, which then is not to be wiped, whatever its tags say."""
    return volume.is_open or any(volume.path in domain.held_disks for domain in facts.domains)
