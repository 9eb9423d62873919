"""Finishing or undoing what was cut off."""

from typing import TYPE_CHECKING

from raptorctl.api.change import SILENT
from raptorctl.api.session import Session
from raptorctl.engine.report import Reporter
from raptorctl.errors import InputError

if TYPE_CHECKING:
    from raptorctl.engine.stop import Stop
    from raptorctl.model.job import Job


def recover(
    session: Session, job: str | None = None, reporter: Reporter = SILENT
) -> "tuple[Job, ...]":
    """Finish or undo unfinished jobs; doing it twice changes nothing.

    Args:
        session: the host, and who asks.
        job: only this one, by its identifier or the beginning of it.
        reporter: is told about each step.

    Raises:
        InputError: there is no such job.
        LeftoversError: something is left again.
    """
    from raptorctl.engine.lock import hold_lock
    from raptorctl.engine.stop import Stop

    session.require_root()
    with Stop() as stop, hold_lock(session.lock, "recover", session.caller.name, stop):
        return _really(session, stop, job, reporter)


def abandon(session: Session, job: str, reporter: Reporter = SILENT) -> "Job":
    """Give a job up after cleaning up by hand; noted in the audit log.

    Args:
        session: the host, and who asks.
        job: its identifier or the beginning of it.
        reporter: is told if the audit log could not take it.

    Raises:
        InputError: there is no such job, or it is not open.
    """
    from raptorctl.engine.lock import hold_lock
    from raptorctl.engine.stop import Stop

    session.require_root()
    with Stop() as stop, hold_lock(session.lock, "recover", session.caller.name, stop):
        return _abandoned(session, job, reporter)


def _really(
    session: Session, stop: "Stop", job: str | None, reporter: Reporter
) -> "tuple[Job, ...]":
    from raptorctl.engine import recover as engine
    from raptorctl.host.system.orphans import await_orphans

    if job is not None:
        session.journals.find(job)
    if not session.journals.unfinished():
        session.journals.sweep(reporter.note)
        return ()  # the boot unit asks each time; the host need not answer for that
    await_orphans()
    return engine.recover(session.host, session.journals, reporter, stop, job)


def _abandoned(session: Session, text: str, reporter: Reporter) -> "Job":
    wanted = session.journals.find(text)
    for path in session.journals.open_files():
        if session.journals.read(path).id == wanted.id:
            session.journals.abandon(path, session.caller.name, reporter.note)
            return session.journals.find(wanted.id)
    raise InputError(f"job {wanted.id} is not open: it is {wanted.outcome.value}")
