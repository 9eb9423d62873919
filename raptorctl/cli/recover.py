"""`raptorctl recover`: finish or undo what was cut off."""

from typing import TYPE_CHECKING, Annotated

import typer

from raptorctl.cli import progress
from raptorctl.cli.identity import who
from raptorctl.cli.options import Output, example
from raptorctl.cli.output import Format, say, say_json
from raptorctl.cli.session import Session, session_of
from raptorctl.errors import InputError
from raptorctl.model.codec import encode

if TYPE_CHECKING:
    from raptorctl.engine.stop import Stop
    from raptorctl.model.job import Job

JobText = Annotated[
    str | None,
    typer.Argument(metavar="JOB", help="Only this job. Default: all.", show_default=False),
]
Abandon = Annotated[
    bool,
    typer.Option(
        "--abandon", help="Give JOB up after cleaning up by hand; noted in the audit log."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=example("sudo raptorctl recover"))(recover)


def recover(
    context: typer.Context,
    job: JobText = None,
    abandon: Abandon = False,
    form: Output = Format.TEXT,
) -> None:
    """Finish or undo unfinished jobs; doing it twice changes nothing."""
    if abandon and job is None:
        raise InputError("--abandon needs a JOB", resolution="see `raptorctl job list`")
    session = session_of(context)
    jobs = _recovered(session, job, abandon)
    if form is Format.JSON:
        say_json({"jobs": [encode(job) for job in jobs]})
        return
    for ended in jobs:
        say(f"job {ended.id}: {ended.verb} {ended.machine} {ended.outcome.value}")
    if not jobs:
        say("there is nothing to recover")


def _recovered(session: Session, job: str | None, abandon: bool) -> "tuple[Job, ...]":
    from raptorctl.engine.lock import hold_lock
    from raptorctl.engine.stop import Stop

    with Stop() as stop, hold_lock(session.lock, "recover", who(), stop):
        if abandon and job is not None:
            return (_abandoned(session, job),)
        return _really(session, stop, job)


def _really(session: Session, stop: "Stop", job: str | None) -> "tuple[Job, ...]":
    from raptorctl.engine import recover as engine
    from raptorctl.host.orphans import await_orphans

    if job is not None:
        session.journals.find(job)
    if not session.journals.unfinished():
        session.journals.sweep()
        return ()  # the boot unit asks each time; the host need not answer for that
    await_orphans()
    return engine.recover(session.host, session.journals, progress.reporter(), stop, job)


def _abandoned(session: Session, text: str) -> "Job":
    wanted = session.journals.find(text)
    for path in session.journals.open_files():
        if session.journals.read(path).id == wanted.id:
            session.journals.abandon(path, who())
            return session.journals.find(wanted.id)
    raise InputError(f"job {wanted.id} is not open: it is {wanted.outcome.value}")
