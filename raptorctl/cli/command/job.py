"""`raptorctl job`: what was done, when, by whom."""

from collections.abc import Iterable
from typing import Annotated

import typer

from raptorctl.cli.listing import Listed, View, show_list
from raptorctl.cli.options import Output, example
from raptorctl.cli.output import Format, plain, say, say_json, table, width_of_output
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.model.codec import encode
from raptorctl.model.job import Act, Job, JobStep

JobText = Annotated[str, typer.Argument(metavar="JOB", help="Job ID, or its beginning.")]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer()
    group.command("list", epilog=example("sudo raptorctl job list"))(list_jobs)
    group.command("show", epilog=example("sudo raptorctl job show 20261120-204001-3f9c"))(show)
    app.add_typer(group, name="job")


@spread
def list_jobs(context: typer.Context, *, how: Listed) -> None:
    """List jobs, oldest first."""
    jobs = session_of(context).journals.jobs()
    show_list(jobs, View("jobs", encode, _rows, "there are no jobs", ("id",)), how)


def show(context: typer.Context, job: JobText, form: Output = Format.TEXT) -> None:
    """Show one job, step by step."""
    found = session_of(context).journals.find(job)
    if form is Format.JSON:
        say_json(encode(found))
    else:
        say("\n".join(_lines(found)))


def _rows(jobs: Iterable[Job]) -> list[str]:
    head = ("JOB", "WHAT", "MACHINE", "BY", "OUTCOME")
    rows = [(job.id, job.verb, job.machine, job.by, job.outcome.value) for job in jobs]
    return table(head, rows, columns=width_of_output())


def _lines(job: Job) -> Iterable[str]:
    yield f"job      {plain(job.id)}"
    yield f"what     {job.verb} {plain(job.machine)}: {job.outcome.value}"
    yield f"wanted   {plain(job.summary)}"
    yield f"by       {plain(job.by)}"
    yield f"started  {job.started}"
    yield f"ended    {job.ended or '-'}"
    if job.damage:
        yield f"damage   {plain(job.damage)}"
    if job.steps:
        yield from ("", *_timeline(job))
    yield from (f"problem in step {n}: {plain(s.problem)}" for n, s in _problems(job))


def _timeline(job: Job) -> Iterable[str]:
    """What happened when, in seconds after the beginning, and how long it took."""
    rows = [_row(job, act) for act in job.timeline]
    begun = {act.step for act in job.timeline}
    for number, step in enumerate(job.steps, start=1):
        if number not in begun:
            rows.append(("-", "-", str(number), step.state.value, step.title))
    head = ("AT", "TOOK", "STEP", "STATE", "WHAT")
    yield from table(head, rows, right=("AT", "TOOK", "STEP"))
    if job.timeline:
        yield f"{_tenths(job.seconds)} s in all"


def _row(job: Job, act: Act) -> tuple[str, ...]:
    title = f"undo: {act.title}" if act.undo else act.title
    after = _tenths(job.seconds_until(act.started))
    return (after, _tenths(act.seconds), str(act.step), act.state.value, title)


def _tenths(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.1f}"


def _problems(job: Job) -> Iterable[tuple[int, JobStep]]:
    return ((n, step) for n, step in enumerate(job.steps, start=1) if step.problem)
