"""How everything that changes a host goes: look, plan, show, ask, lock, look again, act."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from raptorctl.api.caller import new_identity
from raptorctl.api.session import Session
from raptorctl.engine.report import Reporter, Silent
from raptorctl.errors import InputError, RaptorError, RefusedError
from raptorctl.model.codec import encode
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.job import Job, Outcome
from raptorctl.model.settings import Settings
from raptorctl.model.sizes import Size
from raptorctl.plans.plan import Identity, Plan

if TYPE_CHECKING:
    from raptorctl.engine.stop import Stop

Confirm = Callable[[Plan], bool]
"""Asks whoever decides, with the plan before their eyes; False is no."""

SILENT: Final = Silent()


@dataclass(frozen=True)
class Change:
    """What is asked for, before the host was looked at.

    Args:
        verb: such as `provision`.
        name: of the machine or tenant.
        decide: the planner.
        queries: what the survey asks DNS about.
        people: whom it looks up beside all tenants.
        after: what is done in the guest once the job is done, one line each.
        surveys: whether the planner is told of the host at all; a build is of its own.
    """

    verb: str
    name: str
    decide: Callable[[Settings, HostFacts, Identity], Plan]
    queries: Callable[[Settings], Iterable[tuple[str, str]]] = lambda _settings: ()
    people: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    surveys: bool = True

    def plan(self, session: Session, identity: Identity) -> Plan:
        """Look at the host and decide."""
        queries = self.queries(session.settings)
        facts = session.facts(queries, self.people) if self.surveys else HostFacts()
        return self.decide(session.settings, facts, identity)


@dataclass(frozen=True)
class Done:
    """What came of it: `job` is None when all was so already."""

    plan: Plan
    job: Job | None

    @property
    def receipts(self) -> tuple[str, ...]:
        """What was wiped, and how that is known, a line each."""
        wiped = self.job.wiped if self.job else ()
        return tuple(line for receipt in wiped for line in _receipt(receipt))

    def encode(self) -> dict[str, Any]:
        """Return the shape that `-o json` of changing commands documents."""
        return {"summary": self.plan.summary, "job": encode(self.job) if self.job else None}


def _receipt(wipe: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"wiped {Size(wipe['size'])} of volume {wipe['uuid']} by {wipe['method']} "
        f"in {wipe['seconds']:.1f} s"
    )
    yield f"read back {Size(wipe['verified'])} ({wipe['coverage']}): nothing but zeroes"


def preview(session: Session, change: Change, reporter: Reporter = SILENT) -> Plan:
    """Return the plan and do nothing. Takes no lock, and refuses what the job would refuse.

    Raises:
        RefusedError: a job is unfinished, or the host's state forbids it.
    """
    session.require_root()
    with about(change.name):
        refuse_unfinished(session, reporter.note)
        plan = change.plan(session, new_identity(session.caller.name))
        _tell_unheard(session, plan, reporter)
        return plan


def carry_out(
    session: Session,
    change: Change,
    *,
    confirm: Confirm | None = None,
    reporter: Reporter = SILENT,
    stop: "Stop | None" = None,
) -> Done:
    """Do it, with somebody's consent where somebody is asked.

    What was shown is what is applied: the question is asked before the lock is taken, so that
    nobody waits for somebody's lunch, and the plan is made anew under the lock and compared.

    Args:
        session: the host, and who asks.
        change: what is asked for.
        confirm: is asked, unless nothing is to be done; None goes on without.
        reporter: is told about each step.
        stop: by which another thread asks it to stop; signals reach the main thread alone.

    Raises:
        InputError: the answer was no.
        RefusedError: the host's state forbids it, another job is at work or unfinished, or the
            host changed while the plan was being read.
        RolledBackError: it failed; the host is as before.
        LeftoversError: something is left for `recover`.
    """
    from raptorctl.engine.stop import Stop

    session.require_root()
    with about(change.name):
        shown = _agreed(session, change, confirm, reporter) if confirm else None
        if shown is not None and not shown.steps:
            return Done(shown, None)
        return _locked(session, change, shown, reporter, stop or Stop())


def digest(plan: Plan) -> str:
    """What a plan says, in few letters: who agrees says to which plan.

    What is there already is told by its UUID as well: another machine may have its name by now.
    So are keys and texts, of which no title says what is in them.
    """
    from hashlib import sha256

    told = [plan.summary, *plan.notes, *plan.destroys]
    records = [step.encode() for step in plan.steps]
    for step, record in zip(plan.steps, records, strict=True):
        there = (str(record.get(key, "")) for key in ("uuid", "domain"))
        told += [step.title, step.reason, *(uuid for uuid in there if uuid != plan.identity.uuid)]
    return sha256("\0".join([*told, *_texts(plan.identity, records)]).encode()).hexdigest()


def _texts(identity: Identity, records: list[dict[str, Any]]) -> Iterator[str]:
    """What files are to say, and what guests are told, without what each job has of its own."""
    from raptorctl.model.made import made_text, read_made
    from raptorctl.render.read_domain import read_domain

    own_key = any(record["kind"] == "key.write" for record in records)  # the only one let in
    for record in records:
        if record["kind"] == "file.write":
            text = record["text"] or ""
            yield text.replace(identity.job, "").replace(identity.at, "")
        elif record["kind"] in {"domain.define", "domain.redefine"}:
            mark = read_domain(record["xml"]).mark
            if mark and (made := read_made(mark.made)):
                yield made_text(replace(made, keys=()) if own_key else made)


def unchanged(agreed: str, name: str) -> Confirm:
    """What confirms a plan that somebody saw before, elsewhere.

    Args:
        agreed: the digest of what they saw.
        name: of the machine or tenant.
    """

    def confirm(plan: Plan) -> bool:
        if digest(plan) != agreed:
            raise _changed(name)
        return True

    return confirm


def _changed(name: str) -> RefusedError:
    return RefusedError(
        "the host changed while the plan was being read",
        resolution="look at it again",
        code=Code.HOST_CHANGED,
        subject=name,
    )


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


def _agreed(session: Session, change: Change, confirm: Confirm, reporter: Reporter) -> Plan:
    plan = change.plan(session, new_identity(session.caller.name))
    _tell_unheard(session, plan, reporter)
    if plan.steps and not confirm(plan):
        raise InputError("not confirmed, nothing was touched", code=Code.NOT_CONFIRMED)
    return plan


def _tell_unheard(session: Session, plan: Plan, reporter: Reporter) -> None:
    """Say whose guest is asked in vain to shut down: nothing that hears it is up yet.

    No note of the plan: it is true of this moment, and no reason to look at the plan again.
    """
    from raptorctl.api.power import DEAF, is_in_firmware
    from raptorctl.steps.domain import StopDomain

    for step in plan.steps:
        if isinstance(step, StopDomain) and step.timeout:
            domain = session.host.domains.find(step.uuid)
            if domain and domain.state.active and is_in_firmware(session, domain):
                wait = f"it goes off after {step.timeout:g} s, with --force at once"
                reporter.note(f"{step.name}: {DEAF}: {wait}")


def _locked(
    session: Session, change: Change, shown: Plan | None, reporter: Reporter, stop: "Stop"
) -> Done:
    from raptorctl.engine.apply import apply
    from raptorctl.engine.lock import hold_lock

    identity = shown.identity if shown else new_identity(session.caller.name)
    command = f"{change.verb} {change.name}"
    with (
        stop,
        session.turn.taken(stop) as give_back,
        hold_lock(session.lock, command, identity.by, stop) as lock,
    ):

        def release() -> None:
            lock.release()
            give_back()
            session.released()

        refuse_unfinished(session, reporter.note)
        plan = change.plan(session, identity)
        if shown is not None and plan.encode() != shown.encode():
            raise _changed(change.name)
        if not plan.steps:
            return Done(plan, None)
        if shown is None:
            for note in plan.notes:
                reporter.note(note)
            _tell_unheard(session, plan, reporter)
        job = apply(plan, session.host, session.journals, reporter, stop, release)
        return Done(plan, job)
