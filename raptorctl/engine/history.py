"""What a journal's lines mean: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from raptorctl.engine.journal import VERSION, Entry
from raptorctl.model.codec import ShapeError
from raptorctl.model.facts import Reservation
from raptorctl.model.job import Act, Job, JobStep, Outcome, StepState
from raptorctl.model.names import shown
from raptorctl.plans.plan import Plan, decode_plan

_STATES = {
    "INTENT": StepState.MAYBE,
    "DONE": StepState.DONE,
    "FAILED": StepState.MAYBE,
    "DEFERRED": StepState.DEFERRED,
    "UNDO": StepState.MAYBE,
    "UNDONE": StepState.UNDONE,
    "UNDO_FAILED": StepState.UNDO_FAILED,
}
_ENDS = {
    "COMMIT": Outcome.DONE,
    "ROLLED_BACK": Outcome.ROLLED_BACK,
}


@dataclass(frozen=True)
class History:
    """A job's journal, understood.

    Args:
        plan: what it set out to do; None when not even that can be read.
        entries: the lines that can be trusted.
        damage: what is wrong behind them, or "".
        title: the journal's file name, for a journal without a plan.
        titles: what each step says of itself.
        held: whether a living process is at work on it.
        given_up: whether it lies among the ended ones without an end of its own.
    """

    plan: Plan | None
    entries: tuple[Entry, ...]
    damage: str = ""
    title: str = ""
    titles: tuple[str, ...] = ()
    held: bool = False
    given_up: bool = False

    @property
    def id(self) -> str:
        """The job's identifier."""
        return self.plan.identity.job if self.plan else self.title

    @property
    def never_began(self) -> bool:
        """Killed before its first line was whole: nothing was touched."""
        return not self.entries and not self.damage and not self.held

    @property
    def outcome(self) -> Outcome:
        """How the job ended, or that it has not."""
        last = self.entries[-1].type if self.entries else ""
        if last in _ENDS:
            return _ENDS[last]
        if self.given_up:
            return Outcome.ABANDONED
        if self.held:
            return Outcome.RUNNING
        if self.never_began:
            return Outcome.ROLLED_BACK
        waits = self._all_finished() and StepState.DEFERRED in self.states()
        return Outcome.PENDING if waits else Outcome.UNFINISHED

    @property
    def goes_forward(self) -> bool:
        """Whether recovery finishes the job instead of undoing it.

        It does past the point of no return, and where every step was done once: then the machine
        may be in use already. Recovery begins steps anew, so what it was cut off in says nothing.
        """
        if self.plan is None:
            return False
        begun = self._steps_of("INTENT")
        past_return = any(not self.plan.steps[number].reversible for number in begun)
        return past_return or self._was_whole()

    @property
    def reservation(self) -> Reservation | None:
        """What nobody else may take while the job is open."""
        return self.plan.reservation if self.plan and self.outcome.is_open else None

    def states(self) -> tuple[StepState, ...]:
        """What became of each step."""
        if self.plan is None:
            return ()
        states = [StepState.WAITING] * len(self.titles)
        for entry in self.entries:
            if entry.type in _STATES:
                states[entry.data["step"]] = _state(entry)
        return tuple(states)

    def job(self) -> Job:
        """The noun that people and `-o json` see."""
        plan, first = self.plan, self.entries[0] if self.entries else None
        return Job(
            id=self.id,
            verb=plan.verb if plan else "?",
            machine=plan.reservation.machine if plan else "?",
            by=plan.identity.by if plan else "?",
            started=first.at if first else "",
            ended=self.entries[-1].at if self.entries and not self.outcome.is_open else "",
            outcome=self.outcome,
            summary=plan.summary if plan else "",
            steps=tuple(self._steps()),
            damage=self.damage,
            timeline=self.timeline(),
            seconds=_between(first, self.entries[-1]) if first else None,
        )

    def timeline(self) -> tuple[Act, ...]:
        """What was done and taken back, in the order of time; one that was cut off has no end."""
        begun: dict[int, Entry] = {}
        acts: list[Act] = []
        for entry in self.entries if self.plan else ():
            if entry.type not in _STATES:
                continue
            number = entry.data["step"]
            start = begun.pop(number, None)
            if entry.type in {"INTENT", "UNDO"}:
                acts += [self._act(start, None)] if start else []
                begun[number] = entry
            else:
                acts.append(self._act(start or entry, entry))
        acts += [self._act(start, None) for start in begun.values()]
        return tuple(sorted(acts, key=lambda act: act.started))

    def _act(self, start: Entry, end: Entry | None) -> Act:
        number = start.data["step"]
        return Act(
            step=number + 1,
            title=self.titles[number],
            undo=start.type.startswith("UNDO"),
            state=_state(end) if end else StepState.MAYBE,
            started=start.at,
            seconds=_between(start, end) if end else None,
            problem=end.data.get("problem", "") if end else "",
        )

    def _all_finished(self) -> bool:
        states = set(self.states())
        return bool(states) and states <= {StepState.DONE, StepState.ALREADY, StepState.DEFERRED}

    def _was_whole(self) -> bool:
        """Whether every step was done, or put off, and none of them taken back."""
        ended = self._steps_of("DONE", "DEFERRED")
        return len(ended) == len(self.titles) > 0 and not self._steps_of("UNDO")

    def _steps_of(self, *types: str) -> set[int]:
        return {entry.data["step"] for entry in self.entries if entry.type in types}

    def to_undo(self) -> list[int]:
        """Which steps may have left something, in the plan's order."""
        untouched = {StepState.WAITING, StepState.UNDONE}
        deferred = (entry for entry in self.entries if entry.type == "DEFERRED")
        never_sent = {e.data["step"] for e in deferred if e.data.get("touched") is False}
        return [
            number
            for number, state in enumerate(self.states())
            if state not in untouched and not (state is StepState.DEFERRED and number in never_sent)
        ]

    def _steps(self) -> list[JobStep]:
        acts = self.timeline()
        return [
            _step(
                title,
                state,
                [e for e in self.entries if e.data.get("step") == number],
                [act.seconds for act in acts if act.step == number + 1],
            )
            for number, (title, state) in enumerate(zip(self.titles, self.states(), strict=True))
        ]


def understand(
    entries: tuple[Entry, ...],
    damage: str,
    title: str,
    *,
    held: bool = False,
    given_up: bool = False,
) -> History:
    """Make sense of a journal's lines; what cannot be understood is damage, never a guess."""
    if not entries:
        return History(None, entries, damage, title, (), held, given_up)
    if entries[0].type != "BEGIN":
        problem = damage or "it does not begin with a plan"
        return History(None, entries, problem, title, (), held, given_up)
    try:
        recorded = entries[0].data["plan"]
        plan = decode_plan(recorded)
        titles = tuple(step["title"] for step in recorded["steps"])
    except (ShapeError, KeyError, TypeError) as error:
        problem = damage or f"its plan cannot be read: {error}"
        return History(None, entries, problem, title, (), held, given_up)
    count, problem = _understood(entries, plan)
    damage = problem or damage
    entries = entries[:count]
    return History(plan, entries, damage, title, titles, held, given_up)


def _step(
    title: str, state: StepState, entries: Sequence[Entry], took: Sequence[float | None]
) -> JobStep:
    if not entries:
        return JobStep(title, state)
    observed: Mapping[str, Any] = {}
    problem = ""
    for entry in entries:
        # A step that recovery found done says nothing new: the first account of it stays.
        observed = entry.data.get("observed") or observed
        problem = entry.data.get("problem", problem)
    known = [seconds for seconds in took if seconds is not None]
    seconds = round(sum(known), 3) if known else None
    return JobStep(title, state, entries[0].at, seconds, observed, problem)


def _state(entry: Entry) -> StepState:
    if entry.type == "DONE" and entry.data.get("already"):
        return StepState.ALREADY
    if entry.type == "FAILED" and entry.data.get("touched") is False:
        return StepState.WAITING
    return _STATES[entry.type]


def _between(first: Entry, last: Entry) -> float:
    return (datetime.fromisoformat(last.at) - datetime.fromisoformat(first.at)).total_seconds()


def _understood(entries: Sequence[Entry], plan: Plan) -> tuple[int, str]:
    """Return how many lines with good checksums make sense, and what is wrong with the next."""
    if (version := entries[0].data.get("version")) != VERSION:
        return 1, f"it is of version {version!r}, and this raptorctl reads version {VERSION}"
    for number, entry in enumerate(entries):
        if problem := _nonsense(entry, number, len(plan.steps)):
            return number, f"line {number + 1} {problem}"
    return len(entries), ""


def _nonsense(entry: Entry, number: int, steps: int) -> str:
    step = entry.data.get("step")
    if not _is_time(entry.at):
        return "has no time"
    if entry.type in _STATES:
        known = type(step) is int and 0 <= step < steps
        return "" if known else "speaks of a step that the plan does not have"
    known = number == 0 if entry.type == "BEGIN" else entry.type in _ENDS
    return "" if known else f"is of a type that is not known here: {shown(str(entry.type))}"


def _is_time(text: object) -> bool:
    try:
        return bool(datetime.fromisoformat(str(text)))
    except ValueError:
        return False
