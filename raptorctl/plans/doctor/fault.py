"""Faults: what does not belong, found by comparing what is on the host with itself. Pure.

Each fault names the thing, what to do, and the steps that mend it where the thing is ours and
only one mending is right. `doctor` shows them, `doctor --fix` applies their steps.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from raptorctl.errors import RefusedError
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.probe import Finding, Probe, Verdict
from raptorctl.model.settings import Settings
from raptorctl.plans.past import NOTHING, Past
from raptorctl.plans.plan import Identity, Plan
from raptorctl.steps.step import Step

NOBODY: Final = Identity("", "", "", "")
"""For plans that are only looked at."""


@dataclass(frozen=True)
class Scene:
    """Everything that faults are looked for in.

    Args:
        settings: the host's.
        facts: the host.
        past: what journals tell.
        busy: identifiers of unfinished jobs and names of the machines and tenants they work on.
        left: what the numbers of removed tenants still own, by number.
        owners: the accounts that have such a number, by number.
    """

    settings: Settings
    facts: HostFacts
    past: Past = NOTHING
    busy: frozenset[str] = frozenset()
    left: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    owners: Mapping[int, str] = field(default_factory=dict)

    def in_work(self, *names: str | None) -> bool:
        """Whether one of these, a job or what it works on, is an unfinished job's business."""
        return bool(self.busy.intersection(names))


@dataclass(frozen=True)
class Fault:
    """One thing that does not belong.

    Args:
        check: what was looked at, one or two words.
        on: the thing.
        what: what is wrong with it, one line.
        advice: what a person can do.
        verdict: how bad it is.
        steps: what `--fix` does; none where that is for a person to decide.
    """

    check: str
    on: str
    what: str
    advice: str
    verdict: Verdict = Verdict.WARN
    steps: tuple[Step, ...] = ()

    @property
    def finding(self) -> Finding:
        """What `doctor` says of it."""
        return Finding(
            self.check, self.verdict, self.what, self.advice, self.on, fix=bool(self.steps)
        )


Faults = Iterator[Fault]


def mended(steps: Callable[[], tuple[Step, ...]]) -> tuple[Step, ...]:
    """Return what a planner decides, or nothing where it refuses: then a person has to look."""
    try:
        return steps()
    except RefusedError:
        return ()


def scene(settings: Settings, facts: HostFacts, past: Past, probe: Probe | None = None) -> Scene:
    """Lay out what is there, with who is at work on it; numbers where somebody looked for them."""
    opened = [(job.id, job.machine) for job, _ in past.jobs if job.outcome.is_open]
    held = [(kept.job, kept.machine) for kept in facts.reservations]
    busy = frozenset(name for pair in opened + held for name in pair)
    found = (probe.left, probe.owners) if probe else ()
    return Scene(settings, facts, past, busy, *found)


def plan_fix(faults: Iterator[Fault], identity: Identity) -> Plan:
    """Decide what `doctor --fix` does: everything that can be undone before what cannot.

    What needs no lock comes last, so that a long wipe keeps nobody waiting.
    """
    mendable = [fault for fault in faults if fault.steps]
    steps = [step for fault in mendable for step in fault.steps]
    steps.sort(key=lambda step: (not step.reversible, not step.needs_lock))
    return Plan(
        verb="fix",
        identity=identity,
        reservation=Reservation(identity.job, "host"),
        steps=tuple(steps),
        summary="; ".join(f"mended: {fault.what}" for fault in mendable)
        or "there is nothing to mend",
    )
