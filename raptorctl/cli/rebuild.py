"""`raptorctl rebuild`: the same machine with a disk that begins anew."""

from typing import Annotated

import typer

from raptorctl.cli import ask, options
from raptorctl.cli.change import Change, perform
from raptorctl.cli.deprovision import told
from raptorctl.cli.options import DryRun, Output, Yes
from raptorctl.cli.output import Format
from raptorctl.cli.session import session_of

EXAMPLE = options.example(
    "sudo raptorctl rebuild alice dev",
    "sudo raptorctl rebuild alice dev --image debian:13 --reset-nvram",
)
NewImage = Annotated[
    str | None,
    typer.Option(
        "--image",
        metavar="REF",
        help="What the disk begins as. Default: what it began as the last time.",
        show_default=False,
    ),
]
ResetNvram = Annotated[bool, typer.Option("--reset-nvram", help="Forget its UEFI variables.")]
LeaveOff = Annotated[bool, typer.Option("--no-start", help="Do not start it.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(short_help="Give a machine a new disk.", epilog=EXAMPLE)(rebuild)


def rebuild(
    context: typer.Context,
    words: options.Words,
    image: NewImage = None,
    reset_nvram: ResetNvram = False,
    no_start: LeaveOff = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    form: Output = Format.TEXT,
) -> None:
    """Give a machine a new disk; name, UUID, MAC, addresses, CPUs and memory stay."""
    from raptorctl.plans.rebuild import RebuildRequest, plan_rebuild

    name = options.machine_name(words)
    wanted = RebuildRequest(name, image, reset_nvram, start=not no_start)
    change = Change(
        verb="rebuild",
        name=str(name),
        decide=lambda settings, facts, identity: plan_rebuild(wanted, settings, facts, identity),
        confirm=ask.before_it_goes(str(name), asks=not yes and not dry_run),
    )
    perform(session_of(context), change, form, dry_run=dry_run, says=told)
