"""How every command that changes the host goes: look, plan, show, ask, lock, look again, act."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TextIO

from raptorctl.cli import output, progress
from raptorctl.cli.identity import new_identity
from raptorctl.cli.output import Colour, Format, painted, say, say_json, tell
from raptorctl.cli.session import Session
from raptorctl.errors import RaptorError, RefusedError
from raptorctl.model.codec import encode
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.job import Job, Outcome
from raptorctl.model.settings import Settings
from raptorctl.plans.plan import Identity, Plan


@dataclass(frozen=True)
class Change:
    """What is asked for, before the host was looked at.

    Args:
        verb: such as `provision`.
        name: of the machine or tenant.
        decide: the planner.
        queries: what the survey asks DNS about.
        people: whom it looks up beside all tenants.
        confirm: asks a person, and raises when the answer is no; None goes on without.
        after: what is done in the guest once the job is done, one line each.
    """

    verb: str
    name: str
    decide: Callable[[Settings, HostFacts, Identity], Plan]
    queries: Callable[[Settings], Iterable[tuple[str, str]]] = lambda _settings: ()
    people: tuple[str, ...] = ()
    confirm: Callable[[], None] | None = None
    after: tuple[str, ...] = ()

    def plan(self, session: Session, identity: Identity) -> Plan:
        """Look at the host and decide."""
        facts = session.facts(self.queries(session.settings), self.people)
        return self.decide(session.settings, facts, identity)


@dataclass(frozen=True)
class Done:
    """What came of it: `job` is None when all was so already."""

    plan: Plan
    job: Job | None

    def encode(self) -> dict[str, Any]:
        """Return the shape that `-o json` of changing commands documents."""
        return {"summary": self.plan.summary, "job": encode(self.job) if self.job else None}


def perform(
    session: Session,
    change: Change,
    form: Format,
    *,
    dry_run: bool,
    says: Callable[[Done], Iterable[str]] = lambda done: [done.plan.summary],
) -> Done | None:
    """Do it or, with `--dry-run`, show it; and print what came of it.

    Args:
        session: this run.
        change: what is asked for.
        form: what the result looks like.
        dry_run: print the plan and stop.
        says: the result as lines of text.

    Returns:
        What came of it; None of what was only shown.
    """
    if dry_run:
        preview(session, change, form)
        return None
    done = carry_out(session, change)
    if form is Format.JSON:
        say_json(done.encode())
        return done
    for line in says(done):
        say(line)
    return done


def preview(session: Session, change: Change, form: Format) -> None:
    """Print the plan and stop: `--dry-run`. Takes no lock, and refuses what the job would refuse.

    Raises:
        RefusedError: a job is unfinished, or the host's state forbids it.
    """
    with about(change.name):
        refuse_unfinished(session, tell)
        plan = change.plan(session, new_identity())
    if form is Format.JSON:
        say_json({"plan": {**plan.encode(), "guest_steps": list(change.after)}})
    else:
        say("\n".join([*described(plan, sys.stdout), *_afterwards(change)]))


def carry_out(session: Session, change: Change) -> Done:
    """Do it, with the person's consent where a person is asked.

    What was shown is what is applied: the question is asked before the lock is taken, so that
    nobody waits for somebody's lunch, and the plan is made anew under the lock and compared.
    """
    identity = new_identity()
    with about(change.name):
        shown = _agreed(session, change, identity) if change.confirm else None
        if shown is not None and not shown.steps:
            return Done(shown, None)
        return _locked(session, change, identity, shown)


@contextmanager
def about(name: str) -> Iterator[None]:
    """Have errors that name no subject be about a machine or a tenant."""
    try:
        yield
    except RaptorError as error:
        error.subject = error.subject or name
        raise


def refuse_unfinished(session: Session, tells: Callable[[str], None] | None = None) -> None:
    """Refuse while a job hangs in the air; one that only waits for DNS is mentioned.

    Raises:
        RefusedError: names the job and the way out.
    """
    for job in session.journals.unfinished():
        if job.outcome is Outcome.UNFINISHED:
            raise RefusedError(
                f"job {job.id} ({job.verb} {job.machine}) is unfinished",
                resolution=f"run `raptorctl recover {job.id}`",
                code=Code.JOB_UNFINISHED,
                subject=job.id,
            )
        if job.outcome is Outcome.PENDING and tells:
            tells(f"job {job.id} waits for DNS; `raptorctl recover {job.id}` when it answers")


def described(plan: Plan, stream: TextIO) -> list[str]:
    """Lay a plan out for a person who sees it on `stream`."""
    count = len(plan.steps)
    lines = [plan.summary if not count else f"{plan.verb}: {plan.summary}"]
    for number, step in enumerate(plan.steps, start=1):
        place = f"  {number:>{len(str(count))}} "
        lines += _step_lines(f"{place}{output.plain(step.title)}", len(place), step.reason, stream)
    return lines + [f"note: {output.plain(note)}" for note in plan.notes]


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


def _agreed(session: Session, change: Change, identity: Identity) -> Plan:
    plan = change.plan(session, identity)
    if plan.steps and change.confirm:
        tell("\n".join([*described(plan, sys.stderr), *_afterwards(change)]))
        change.confirm()
    return plan


def _locked(session: Session, change: Change, identity: Identity, shown: Plan | None) -> Done:
    from raptorctl.engine.apply import apply
    from raptorctl.engine.lock import hold_lock
    from raptorctl.engine.stop import Stop

    tells = progress.reporter()
    command = f"{change.verb} {change.name}"
    with Stop() as stop, hold_lock(session.lock, command, identity.by, stop) as lock:
        refuse_unfinished(session, tells.note)
        plan = change.plan(session, identity)
        if shown is not None and plan.encode() != shown.encode():
            raise RefusedError(
                "the host changed while the plan was being read",
                resolution="look at it again",
                code=Code.HOST_CHANGED,
                subject=change.name,
            )
        if not plan.steps:
            return Done(plan, None)
        if shown is None:
            for note in plan.notes:
                tells.note(note)
        job = apply(plan, session.host, session.journals, tells, stop, lock.release)
        return Done(plan, job)
