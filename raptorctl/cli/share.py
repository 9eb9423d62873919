"""`raptorctl tenant share`, `unshare` and `shares`: what tenants let each other do."""

from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

from raptorctl.cli import ask, options
from raptorctl.cli.change import perform
from raptorctl.cli.listing import Listed, View, show_list
from raptorctl.cli.options import example, named
from raptorctl.cli.output import table, width_of_output
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.errors import InputError
from raptorctl.model.names import parse_share_words, parse_tenant
from raptorctl.model.share import Grant, Share, parse_until

Words = Annotated[
    list[str],
    typer.Argument(
        metavar="TENANT MACHINE OTHER",
        help="`alice dev bob`, also written `alice-dev bob`.",
        show_default=False,
    ),
]
Console = Annotated[bool, typer.Option("--console", help="Let them see it, and have its console.")]
Operate = Annotated[
    bool, typer.Option("--operate", help="Let them start, stop and use it as its owner does.")
]
Until = Annotated[
    str | None,
    typer.Option(
        "--until",
        metavar="DATE",
        help="First day without it: 2027-01-31, 90d, 12w; or 12h. Default: never.",
        show_default=False,
    ),
]
OfTenant = Annotated[
    str | None,
    typer.Argument(metavar="TENANT", help="Only what they share or use.", show_default=False),
]


def register(group: typer.Typer) -> None:
    """Add the commands to those of tenants."""
    said = "sudo raptorctl tenant"
    lines = (
        f"{said} share alice dev bob --console --until 2027-01-31",
        f"{said} share alice-dev bob --operate --until 8h",
    )
    group.command("share", epilog=example(*lines))(share)
    group.command("unshare", epilog=example(f"{said} unshare alice dev bob"))(unshare)
    group.command("shares", epilog=example(f"{said} shares bob"))(shares)


@spread
def share(
    context: typer.Context,
    words: Words,
    console: Console = False,
    operate: Operate = False,
    until: Until = None,
    *,
    run: options.Manner,
) -> None:
    """Let another tenant have the console of a machine, or operate it, until a day."""
    from raptorctl.api.share import share as shared
    from raptorctl.plans.machine.share import ShareRequest

    name, other = parse_share_words(words)
    grant = granted(console=console, operate=operate)
    wanted = named("--until", parse_until, until or "never")
    asks = ask.before_it_comes(asks=run.asks)
    perform(session_of(context), shared(ShareRequest(name, other, grant, wanted)), run, asks)


def granted(*, console: bool, operate: bool) -> Grant:
    """What is shared, by two options of which one has to be given.

    Raises:
        InputError: neither was, or both.
    """
    if console is operate:
        raise InputError("what is shared is not said", resolution="say --console or --operate")
    return Grant.CONSOLE if console else Grant.OPERATE


@spread
def unshare(context: typer.Context, words: Words, *, run: options.Unasked) -> None:
    """End what another tenant may do with a machine, and their connections to libvirt."""
    from raptorctl.api.share import unshare as unshared

    perform(session_of(context), unshared(*parse_share_words(words)), run)


@spread
def shares(context: typer.Context, tenant: OfTenant = None, *, how: Listed) -> None:
    """List what tenants share: machine, with whom, what, until when."""
    from raptorctl.api.share import every

    wanted = None if tenant is None else parse_tenant(tenant)
    found = every(session_of(context), wanted)
    show(found, f"{wanted} shares nothing" if wanted else "nothing is shared", how)


def show(found: Sequence[Share], nothing: str, how: Listed) -> None:
    """Print shares.

    Args:
        found: those.
        nothing: what is said of none.
        how: which keys of them, and in which form.
    """
    show_list(found, View("shares", Share.encode, _rows, nothing, ("machine", "tenant")), how)


def _rows(found: Iterable[Share]) -> list[str]:
    cells = [(one.machine, one.tenant, one.grant.value, one.day or "-") for one in found]
    return table(("MACHINE", "TENANT", "MAY", "UNTIL"), cells, columns=width_of_output())
