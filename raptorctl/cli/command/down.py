"""`raptorctl down`: the machines of a file are stopped, or removed."""

from dataclasses import dataclass
from typing import Annotated

import typer

from raptorctl.api import down as api
from raptorctl.cli import ask, options, raptor_file
from raptorctl.cli.command.power import Force, Seconds
from raptorctl.cli.command.up import KeepGoing
from raptorctl.cli.onlooker import onlooker
from raptorctl.cli.options import example
from raptorctl.cli.output import Format, say, say_json
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.cli.watch import Stream, Watch, refuse_unwatchable
from raptorctl.errors import InputError
from raptorctl.model.error_code import Code
from raptorctl.model.file_plan import FilePlan

EXAMPLE = example("sudo raptorctl down", "sudo raptorctl down lab.toml alice-web --destroy")
Destroy = Annotated[bool, typer.Option("--destroy", help="Remove them for good, disks wiped.")]
WithData = Annotated[
    bool, typer.Option("--with-data", help="With --destroy: disks that say keep as well.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLE)(down)


@dataclass(frozen=True)
class DownWay:
    """How they go."""

    destroy: Destroy = False
    with_data: WithData = False
    timeout: Seconds = None
    force: Force = False
    keep_going: KeepGoing = False
    watch: Watch = False


@spread
def down(
    context: typer.Context,
    words: raptor_file.Words = None,
    variables: raptor_file.Variables = None,
    said: raptor_file.FormatOfFile = None,
    *,
    way: DownWay,
    run: options.Manner,
) -> None:
    """Stop the machines of a file, in reverse order; with --destroy, remove them for good."""
    session = session_of(context)
    refuse_unwatchable(run.form, watch=way.watch)
    if way.with_data and not way.destroy:
        raise InputError("--with-data removes for good", resolution="say --destroy with it")
    named = raptor_file.named(session, words, variables, said)
    file = named.read(session)
    plan = api.plan_of(session, file, named.machines, destroy=way.destroy, data=way.with_data)
    if run.dry_run:
        _shown(plan, run.form)
        return
    if plan.destroyed and not run.yes:
        _agreed(plan)
    eye = Stream() if way.watch else onlooker(plan)
    work = api.Down(
        session, plan, way.timeout, way.force, way.keep_going, way.with_data, eye.show, file
    )
    raptor_file.told(work.run(), plan, run.form, eye)
    if not plan.rows and run.form is Format.TEXT:
        say(_NOTHING)


_NOTHING = "none of its machines is there to stop or remove"


def _shown(plan: FilePlan, form: Format) -> None:
    if form is Format.JSON:
        say_json({"plan": {"rows": [row.encode() for row in plan.rows]}})
    else:
        say("\n".join(raptor_file.laid_out(plan.rows) or [_NOTHING]))


def _agreed(plan: FilePlan) -> None:
    names = ", ".join(plan.destroyed)
    data = [f"{row.subject}'s {row.key}" for row in plan.rows if row.key.startswith("disk ")]
    names += f", and {', '.join(data)}" if data else ""
    ask.refuse_unseen("that disks are lost", plan.destroyed[0])
    if not ask.agree(f"Everything of {names} will be gone. Go on?"):
        raise InputError("not confirmed, nothing was touched", code=Code.NOT_CONFIRMED)
