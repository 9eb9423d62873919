"""`raptorctl autostart`: whether a machine starts with the host."""

import enum
from typing import Annotated

import typer

from raptorctl.api import machine
from raptorctl.cli import options
from raptorctl.cli.change import perform
from raptorctl.cli.options import example
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.errors import InputError


class Switch(enum.StrEnum):
    """What `autostart` takes."""

    ON = "on"
    OFF = "off"


Words = Annotated[
    list[str],
    typer.Argument(
        metavar="TENANT MACHINE on|off",
        help="`alice dev on`, or `alice-dev on`; on a host of your own `dev on`.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    line = example("sudo raptorctl autostart alice dev off")
    app.command(epilog=line)(autostart)


@spread
def autostart(
    context: typer.Context,
    words: Words,
    *,
    run: options.Unasked,
) -> None:
    """Start a machine with the host (on a session host, with libvirt's session), or not."""
    *named, last = words
    if last not in set(Switch):
        raise InputError("on or off?", resolution="say `autostart alice dev on`")
    name = options.machine_name(options.completed(context, named))
    change = machine.autostart(name, on=last == Switch.ON)
    perform(session_of(context), change, run)
