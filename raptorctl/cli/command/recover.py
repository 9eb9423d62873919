"""`raptorctl recover`: finish or undo what was cut off."""

from typing import TYPE_CHECKING, Annotated

import typer

from raptorctl.api import recover as api
from raptorctl.cli import progress
from raptorctl.cli.options import Output, example
from raptorctl.cli.output import Format, say, say_json
from raptorctl.cli.session import session_of
from raptorctl.errors import InputError
from raptorctl.model.codec import encode

if TYPE_CHECKING:
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
    reporter = progress.reporter()
    if abandon and job is not None:
        jobs: tuple[Job, ...] = (api.abandon(session, job, reporter),)
    else:
        jobs = api.recover(session, job, reporter)
    if form is Format.JSON:
        say_json({"jobs": [encode(job) for job in jobs]})
        return
    for ended in jobs:
        say(f"job {ended.id}: {ended.verb} {ended.machine} {ended.outcome.value}")
    if not jobs:
        say("there is nothing to recover")
