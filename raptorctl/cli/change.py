"""How a command that changes the host asks, tells what happens, and prints what came of it."""

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TextIO

from raptorctl.api import change as api
from raptorctl.api.change import Change, Confirm, Done
from raptorctl.api.session import Session
from raptorctl.cli import output, progress
from raptorctl.cli.ask import Question
from raptorctl.cli.options import Manner, Unasked
from raptorctl.cli.output import Colour, Format, painted, say, say_json, tell
from raptorctl.engine.report import Silent
from raptorctl.model.override import override
from raptorctl.plans.plan import Plan


def perform(
    session: Session,
    change: Change,
    run: Manner | Unasked,
    confirm: Question = None,
    *,
    says: Callable[[Done], Iterable[str]] = lambda done: [done.plan.summary],
) -> Done | None:
    """Do it or, with `--dry-run`, show it; and print what came of it.

    Args:
        session: this run.
        change: what is asked for.
        run: whether the plan is only printed, and what the result looks like.
        confirm: asks the person at the terminal, if there is one.
        says: the result as lines of text.

    Returns:
        What came of it; None of what was only shown.
    """
    if run.dry_run:
        preview(session, change, run.form)
        return None
    done = carry_out(session, change, confirm)
    if run.form is Format.JSON:
        say_json(done.encode())
        return done
    for line in says(done):
        say(line)
    return done


def preview(session: Session, change: Change, form: Format) -> None:
    """Print the plan and stop: `--dry-run`."""
    plan = api.preview(session, change, _Aside())
    if form is Format.JSON:
        say_json({"plan": {**plan.encode(), "guest_steps": list(change.after)}})
    else:
        say("\n".join([*described(plan, sys.stdout), *_afterwards(change)]))


def carry_out(session: Session, change: Change, confirm: Question = None) -> Done:
    """Do it, told step by step; see `raptorctl.api.change.carry_out`."""
    return api.carry_out(
        session, change, confirm=_beneath_the_plan(change, confirm), reporter=progress.reporter()
    )


class Titled(Protocol):
    """A step as a person reads it."""

    @property
    def title(self) -> str:
        """What it does and on what."""

    @property
    def reason(self) -> str:
        """Why."""


class Laid(Protocol):
    """A plan as a person reads it: one of ours, or one that another process told."""

    @property
    def verb(self) -> str:
        """What it does."""

    @property
    def summary(self) -> str:
        """What will be true."""

    @property
    def steps(self) -> Sequence[Titled]:
        """In order."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What is worth knowing."""


def described(plan: Laid, stream: TextIO) -> list[str]:
    """Lay a plan out for a person who sees it on `stream`."""
    count = len(plan.steps)
    lines = [plan.summary if not count else f"{plan.verb}: {plan.summary}"]
    for number, step in enumerate(plan.steps, start=1):
        place = f"  {number:>{len(str(count))}} "
        lines += _step_lines(f"{place}{output.plain(step.title)}", len(place), step.reason, stream)
    return lines + [f"note: {output.plain(note)}" for note in plan.notes]


class _Aside(Silent):
    """Writes notes as they are."""

    @override
    def note(self, text: str) -> None:
        tell(text)


def _beneath_the_plan(change: Change, confirm: Question) -> Confirm | None:
    if confirm is None:
        return None
    ask = confirm

    def shown(plan: Plan) -> bool:
        tell("\n".join([*described(plan, sys.stderr), *_afterwards(change)]))
        return ask()

    return shown


def _afterwards(change: Change) -> list[str]:
    """What a job is followed by, in the guest."""
    lines = [
        f"  {number} {output.plain(what)}" for number, what in enumerate(change.after, start=1)
    ]
    return ["then, in the guest:", *lines] if lines else []


def _step_lines(line: str, indent: int, reason: str, stream: TextIO) -> list[str]:
    why = f"({output.plain(reason)})"
    faint = painted(why, Colour.FAINT, stream)
    return [f"{line} {faint}"] if len(line) + len(why) < 80 else [line, f"{'':{indent}}{faint}"]
