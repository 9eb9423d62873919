"""`raptorctl request share` and `unshare`: tenants let each other use their machines."""

from typing import Annotated

import typer

from raptorctl.cli import options, share
from raptorctl.cli.options import example
from raptorctl.cli.petition import Machine, send
from raptorctl.cli.spread import spread

Other = Annotated[
    str, typer.Argument(metavar="TENANT", help="Who is to be let in: `bob`.", show_default=False)
]


def register(group: typer.Typer) -> None:
    """Add the commands to those of requests."""
    said = "raptorctl request"
    lines = (f"{said} share dev bob --console --until 2027-01-31",)
    group.command("share", epilog=example(*lines))(share_machine)
    group.command("unshare", epilog=example(f"{said} unshare dev bob"))(unshare)


@spread
def share_machine(
    context: typer.Context,
    machine: Machine,
    other: Other,
    console: share.Console = False,
    operate: share.Operate = False,
    until: share.Until = None,
    *,
    run: options.Manner,
) -> None:
    """Request that another tenant has the console of your machine, or operates it."""
    grant = share.granted(console=console, operate=operate).value
    said = {"other": other, "grant": grant, "until": until}
    send(context, "share", machine, said, run)


@spread
def unshare(context: typer.Context, machine: Machine, other: Other, *, run: options.Manner) -> None:
    """Request that another tenant is let into your machine no more."""
    send(context, "share-end", machine, {"other": other}, run)
