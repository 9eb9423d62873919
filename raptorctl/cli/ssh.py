"""`raptorctl ssh`: into a machine, by a host key that is known."""

from pathlib import Path
from typing import Annotated, Final

import typer

from raptorctl.cli import options
from raptorctl.cli.guest import User, guest_of, wait_for
from raptorctl.cli.options import example
from raptorctl.errors import InputError
from raptorctl.model.guest import Awaited
from raptorctl.model.host_key import check
from raptorctl.model.names import shown

PATIENCE: Final = 10.0
"""Seconds for the server to greet."""

Words = Annotated[
    list[str],
    typer.Argument(
        metavar="TENANT MACHINE [-- CMD...]",
        help="`alice dev`, also written `alice-dev`; then what to run there.",
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
        help="Your private key. Default: what ssh itself takes.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    lines = ("raptorctl ssh alice dev", "raptorctl ssh alice dev -- uptime")
    app.command(epilog=example(*lines))(ssh)


def ssh(context: typer.Context, words: Words, user: User = None, identity: Identity = None) -> None:
    """Log in to a machine, or run a command there. Only a host key that is known is trusted."""
    machine, command = parted(words)
    guest = guest_of(context, machine)
    login = guest.login(user, identity)
    # A first boot may start sshd anew a moment after it first answered.
    wait_for(guest, Awaited.SSH, PATIENCE)
    guests = guest.session.host.guests
    check(login.name, login.host_keys, guests.shown_keys(guest.at))
    raise typer.Exit(guests.log_in(login, command))


def parted(words: list[str]) -> tuple[list[str], list[str]]:
    """Tell a machine's words from those of a command.

    click takes `--` away, so that a machine is one word with a hyphen, or else two.
    """
    count = 1 if "-" in words[0] else 2
    if len(words) < count:
        raise InputError(f"{shown(words[0])} does not name a machine", resolution="say `alice dev`")
    return words[:count], words[count:]
