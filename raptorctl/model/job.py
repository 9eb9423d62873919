"""Jobs: applied plans, as their journals tell them."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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
        seconds: how long it took; None when unknown.
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
