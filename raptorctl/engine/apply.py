"""Apply a plan: journal, act, journal; when it goes wrong, undo, or leave it to be finished."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from raptorctl.drivers.host import Host
from raptorctl.engine.journal import Journal
from raptorctl.engine.journals import Journals
from raptorctl.engine.report import Reporter
from raptorctl.engine.stop import Stop
from raptorctl.errors import (
    HostError,
    LeftoversError,
    RaptorError,
    RolledBackError,
    StoppedError,
    WaitError,
)
from raptorctl.model.error_code import Code
from raptorctl.model.job import Job, StepState
from raptorctl.plans.plan import Plan


def apply(
    plan: Plan,
    host: Host,
    journals: Journals,
    reporter: Reporter,
    stop: Stop,
    release: Callable[[], None] = lambda: None,
) -> Job:
    """Make a plan true, or leave the host as it was.

    Args:
        plan: what to make true.
        host: the drivers.
        journals: where the job ends up.
        reporter: told about every step.
        stop: looked at between steps and within long ones.
        release: lets other jobs in. Called once only steps are left that need no lock: what they
            act on is known by its UUID, and the machine's name stays reserved.

    Raises:
        RolledBackError: a step failed and everything is undone.
        StoppedError, WaitError: likewise, for a signal or a wait.
        LeftoversError: something remains, and the job stays open.
        RefusedError: nothing was begun, since it could not be written down.
    """
    with journals.begin(plan) as journal:
        return Run(plan, journal, Context(host, journals, reporter, stop, release)).forward()


@dataclass(frozen=True)
class Context:
    """What every job needs.

    Args:
        host: the drivers.
        journals: where the job ends up.
        reporter: told about every step.
        stop: looked at between steps and within long ones.
        release: lets other jobs in.
    """

    host: Host
    journals: Journals
    reporter: Reporter
    stop: Stop
    release: Callable[[], None] = lambda: None


class Run:
    """A job at work. `apply` and `recover` share it.

    Args:
        plan: what to make true.
        journal: its own.
        context: everything else.
    """

    def __init__(self, plan: Plan, journal: Journal, context: Context) -> None:
        self._plan = plan
        self._journal = journal
        self._host = context.host
        self._journals = context.journals
        self._reporter = context.reporter
        self._stop = context.stop
        self._release = context.release
        self._begun: list[int] = []
        self._deferred: dict[int, str] = {}

    def forward(self, *, committed: bool = False) -> Job:
        """Ensure every step, in order.

        Args:
            committed: the point of no return is behind us, so a failure is never rolled back.

        Raises:
            RaptorError: see `apply`.
        """
        for number in range(len(self._plan.steps)):
            if error := attempt(partial(self._ensure, number)):
                if committed or self._past_return():
                    raise self._leave_open(error, number) from error
                self.back(self._begun, error)
                raise _ended(self._plan.identity.job, error) from error
        if self._deferred:
            raise self._pending()
        return self._journals.close(self._journal, "COMMIT", self._reporter.note)

    def back(self, begun: list[int], error: BaseException | None = None) -> Job:
        """Undo steps, last first. One that fails does not keep the others from being undone.

        Raises:
            LeftoversError: some could not be undone.
        """
        self._stop.accept()
        failed = [number for number in reversed(begun) if not self._undo(number)]
        if failed:
            raise LeftoversError(
                f"{_sentence(error)}, and not everything could be undone",
                self._plan.identity.job,
                [self._plan.steps[number].leftover() for number in failed],
                cause=error,
            ) from error
        return self._journals.close(self._journal, "ROLLED_BACK", self._reporter.note)

    def _ensure(self, number: int) -> None:
        step = self._plan.steps[number]
        self._stop.check()
        self._reporter.started(number + 1, len(self._plan.steps), step.title)
        self._note("INTENT", step=number)
        self._begun.append(number)
        if not any(later.needs_lock for later in self._plan.steps[number:]):
            self._release()
        touched = False
        try:
            already = step.is_done(self._host)
            touched = not already
            observed = step.apply(self._host, self._tick) if touched else {}
        except RaptorError as error:
            self._failed(number, error, touched=touched)
            return
        self._note("DONE", step=number, observed=observed, already=already)
        self._say(number, StepState.ALREADY if already else StepState.DONE)

    def _failed(self, number: int, error: RaptorError, *, touched: bool) -> None:
        step = self._plan.steps[number]
        if not touched and step.reversible:  # not even the probe got an answer: nothing to undo
            self._begun.remove(number)
        if step.deferrable and not isinstance(error, StoppedError):
            self._note("DEFERRED", step=number, problem=error.brief, touched=touched)
            self._deferred[number] = error.brief
            self._say(number, StepState.DEFERRED, error.brief)
            return
        self._note("FAILED", step=number, problem=error.brief, touched=touched)
        self._say(number, StepState.MAYBE, error.brief)
        raise error

    def _note(self, kind: str, **data: object) -> None:
        try:
            self._journal.write(kind, **data)
        except OSError as error:
            raise HostError(
                f"the journal {self._journal.path} cannot be written: {error.strerror}"
            ) from error

    def _undo(self, number: int) -> bool:
        step = self._plan.steps[number]
        self._reporter.started(number + 1, len(self._plan.steps), f"undo: {step.title}")
        error = attempt(lambda: self._journal.write("UNDO", step=number))
        # An act that cannot be written down is still undone: the journal then says "maybe".
        error = attempt(lambda: step.undo(self._host, self._tick)) or error
        if error is None:
            error = attempt(lambda: self._journal.write("UNDONE", step=number))
        else:
            problem = _sentence(error)
            attempt(lambda: self._journal.write("UNDO_FAILED", step=number, problem=problem))
        state = StepState.UNDO_FAILED if error else StepState.UNDONE
        self._say(number, state, _sentence(error) if error else "")
        return error is None

    def _past_return(self) -> bool:
        return any(not self._plan.steps[number].reversible for number in self._begun)

    def _leave_open(self, error: BaseException, number: int) -> LeftoversError:
        remaining = [*self._deferred, *range(number, len(self._plan.steps))]
        return LeftoversError(
            f"{_sentence(error)}; it is not finished",
            self._plan.identity.job,
            [self._plan.steps[n].leftover() for n in remaining],
            cause=error,
        )

    def _pending(self) -> LeftoversError:
        reason = next(iter(self._deferred.values()))
        return LeftoversError(
            f"all is done but for DNS: {reason}",
            self._plan.identity.job,
            [self._plan.steps[number].leftover() for number in self._deferred],
            code=Code.DNS_PENDING,
        )

    def _tick(self, done: int, total: int) -> None:
        self._reporter.progress(done, total)
        self._stop.check()

    def _say(self, number: int, state: StepState, problem: str = "") -> None:
        step = self._plan.steps[number]
        self._reporter.ended(number + 1, len(self._plan.steps), step.title, state, problem)


def attempt(act: Callable[[], object]) -> Exception | None:
    """Try something that must not keep the rest from happening.

    This is the engine's edge: a defect of ours in a step is a failure of the step like any other,
    or it would leave half a machine behind.
    """
    try:
        act()
    except Exception as error:  # noqa: BLE001
        return error
    return None


def _ended(job: str, error: Exception) -> Exception:
    if isinstance(error, OSError):
        error = HostError(f"{error.filename or 'the host'}: {error.strerror}")
    if isinstance(error, RaptorError) and not isinstance(error, StoppedError | WaitError):
        return RolledBackError(job, error)
    return error


def _sentence(error: BaseException | None) -> str:
    if isinstance(error, RaptorError):
        return error.brief
    return f"{type(error).__name__}: {error}" if error else "an earlier command was cut off"
