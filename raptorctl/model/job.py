"""Jobs: applied plans, as their journals tell them."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

RECEIPT: Final = "wipe"
"""Under which name a step says what it wiped."""


class Outcome(enum.Enum):
    """How a job ended, or that it has not."""

    DONE = "done"
    ROLLED_BACK = "rolled back"
    RUNNING = "running"
    UNFINISHED = "unfinished"
    PENDING = "dns-pending"
    ABANDONED = "abandoned"

    @property
    def is_open(self) -> bool:
        """Whether it still keeps what it reserved."""
        return self in {Outcome.RUNNING, Outcome.UNFINISHED, Outcome.PENDING}


class StepState(enum.Enum):
    """What became of one step."""

    WAITING = "waiting"
    MAYBE = "maybe"
    DONE = "done"
    ALREADY = "already so"
    DEFERRED = "deferred"
    UNDONE = "undone"
    UNDO_FAILED = "undo failed"


@dataclass(frozen=True)
class JobStep:
    """One step of a job.

    Args:
        title: what it does and on what.
        state: what became of it.
        started: UTC, ISO 8601, or "" when it never began.
        seconds: how long all its acts took, undoing included; None when unknown.
        observed: what was seen after acting, e.g. a wipe's receipt.
        problem: what went wrong, or "".
    """

    title: str
    state: StepState = StepState.WAITING
    started: str = ""
    seconds: float | None = None
    observed: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True)
class Act:
    """One line of a job's timeline: a step that was done, tried, or taken back.

    Args:
        step: its number, counted from 1.
        title: what the step does and on what.
        undo: whether it was being taken back.
        state: what came of it; `maybe` when it failed or was cut off.
        started: UTC, ISO 8601.
        seconds: how long it took; None when it was cut off.
        problem: what went wrong, or "".
    """

    step: int
    title: str
    undo: bool
    state: StepState
    started: str
    seconds: float | None = None
    problem: str = ""


@dataclass(frozen=True)
class Job:
    """A job as told by its journal.

    Args:
        id: its identifier, which also stands on everything it made.
        verb: `provision` or `deprovision`.
        machine: the domain name it works on.
        by: the admin.
        started, ended: UTC, ISO 8601; `ended` is "" while it is open.
        outcome: how it ended.
        summary: one line: what it was to make true.
        steps: in the plan's order.
        damage: what is wrong with its journal file, or "".
        timeline: what was done and taken back, in the order of time.
        seconds: from its first line to its last; None when there are none.
    """

    id: str
    verb: str
    machine: str
    by: str
    started: str
    ended: str
    outcome: Outcome
    summary: str
    steps: tuple[JobStep, ...] = ()
    damage: str = ""
    timeline: tuple[Act, ...] = ()
    seconds: float | None = None

    @property
    def wiped(self) -> tuple[Mapping[str, Any], ...]:
        """The receipts of what it wiped: how, how much, and what was read back."""
        return tuple(step.observed[RECEIPT] for step in self.steps if step.observed.get(RECEIPT))

    def seconds_until(self, at: str) -> float:
        """How long after its beginning something was; `at` is UTC, ISO 8601."""
        return (datetime.fromisoformat(at) - datetime.fromisoformat(self.started)).total_seconds()
