"""Recover: finish or undo what an earlier command could not.

A job that was killed is undone, unless its wipe had begun: then it is finished. Recovering twice
changes nothing, and recovering may itself be killed at any moment.
"""

from pathlib import Path

from raptorctl.drivers.host import Host
from raptorctl.engine.apply import Context, Run
from raptorctl.engine.history import History
from raptorctl.engine.journal import Journal
from raptorctl.engine.journals import Journals
from raptorctl.engine.report import Reporter
from raptorctl.engine.stop import Stop
from raptorctl.errors import HostError, JournalError, RaptorError, StoppedError
from raptorctl.model.job import Job, Outcome
from raptorctl.model.several import decisive


def recover(
    host: Host, journals: Journals, reporter: Reporter, stop: Stop, job: str | None = None
) -> tuple[Job, ...]:
    """Recover every unfinished job, or only `job`. One that cannot be does not stop the others.

    Returns:
        The jobs, as they ended.

    Raises:
        InputError: there is no such job.
        StoppedError: by a signal, at a step's edge.
        RaptorError: see `decisive`, when there were several problems.
    """
    context = Context(host, journals, reporter, stop)
    wanted = journals.find(job).id if job else None
    journals.sweep(reporter.note)
    ended: list[Job] = []
    problems: list[RaptorError] = []
    for path in journals.open_files():
        history = journals.read(path)
        if wanted not in {None, history.id} or history.outcome is Outcome.RUNNING:
            continue
        if not history.outcome.is_open:
            continue  # another process had it, and ended while we were at an earlier one
        try:
            ended.append(_recover_one(path, history, context))
        except StoppedError:
            raise
        except RaptorError as error:
            reporter.note(str(error))
            problems.append(error)
        except OSError as error:
            problems.append(HostError(f"the journal {path} cannot be written: {error.strerror}"))
            reporter.note(str(problems[-1]))
    if problems:
        raise decisive(problems)
    return tuple(ended)


def _recover_one(path: Path, history: History, context: Context) -> Job:
    if history.plan is None or history.damage:
        raise JournalError(
            f"journal {path} is damaged ({history.damage}) and is not acted on",
            resolution="look at it and at `raptorctl doctor`; "
            f"when the host is clean, `raptorctl recover --abandon {history.id}`",
        )
    forward = history.goes_forward
    plan = history.plan
    doing = "finishing" if forward else "undoing"
    context.reporter.note(f"{doing} {plan.verb} {plan.reservation.machine}")
    with Journal.reopen(path) as journal:
        run = Run(plan, journal, context)
        if forward:
            return run.forward(committed=True)
        return run.back(history.to_undo())
