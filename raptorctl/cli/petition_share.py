"""`raptorctl request share`, `unshare` and `shares`: tenants let each other use their machines."""

from typing import Annotated

import typer

from raptorctl.cli import options, share
from raptorctl.cli.listing import Listed
from raptorctl.cli.options import example
from raptorctl.cli.petition import Machine, asked, send
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.model.codec import decode
from raptorctl.model.share import Share

Other = Annotated[
    str, typer.Argument(metavar="TENANT", help="Who is to be let in: `bob`.", show_default=False)
]


def register(group: typer.Typer) -> None:
    """Add the commands to those of requests."""
    said = "raptorctl request"
    lines = (f"{said} share dev bob --console --until 2027-01-31",)
    group.command("share", epilog=example(*lines))(share_machine)
    group.command("unshare", epilog=example(f"{said} unshare dev bob"))(unshare)
    group.command("shares", epilog=example(f"{said} shares"))(shares)


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


@spread
def shares(context: typer.Context, *, how: Listed) -> None:
    """List what you share, and what others share with you."""
    said = asked(session_of(context, root=False), {"verb": "shares"})["shares"]
    share.show([decode(Share, one) for one in said], "nothing is shared", how)
