"""`raptorctl ssh`: into a machine, by a host key that is known."""

from pathlib import Path
from typing import Annotated

import typer

from raptorctl.cli import options
from raptorctl.cli.guest import User, guest_of
from raptorctl.cli.options import example
from raptorctl.errors import InputError
from raptorctl.model.names import shown

Words = Annotated[
    list[str],
    typer.Argument(
        metavar="TENANT MACHINE [-- CMD...]",
        help="`alice dev`, also written `alice-dev`; then a command to run there.",
        callback=options.completed,
        show_default=False,
    ),
]

Identity = Annotated[
    Path | None,
    typer.Option(
        "--identity",
        "--key",
        metavar="FILE",
        help="Your private key. Default: the keys that ssh uses.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    lines = ("raptorctl ssh alice dev", "raptorctl ssh alice dev -- uptime")
    app.command(epilog=example(*lines))(ssh)


def ssh(context: typer.Context, words: Words, user: User = None, identity: Identity = None) -> None:
    """Log in to a machine, or run a command there. Only a host key that is known is trusted."""
    from raptorctl.engine.stop import Stop

    machine, command = parted(words)
    guest = guest_of(context, machine)
    login = guest.login(user, identity)
    with Stop() as stop:
        raise typer.Exit(guest.session.host.guests.log_in(login, command, stop.check))


def parted(words: list[str]) -> tuple[list[str], list[str]]:
    """Tell a machine's words from those of a command.

    click takes `--` away, so that a machine is one word with a hyphen, or else two.
    """
    count = 1 if "-" in words[0] else 2
    if len(words) < count:
        raise InputError(f"{shown(words[0])} does not name a machine", resolution="say `alice dev`")
    return words[:count], words[count:]
