"""`raptorctl extend`: when a machine expires."""

from typing import Annotated

import typer

from raptorctl.api import machine
from raptorctl.cli import options
from raptorctl.cli.change import perform
from raptorctl.cli.options import named
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.errors import InputError
from raptorctl.model.expiry import parse_expiry

Words = Annotated[
    list[str],
    typer.Argument(
        metavar="TENANT MACHINE DATE|SPAN",
        help="`alice dev 2027-01-31`, `alice dev 90d` from today, `alice dev never`.",
        callback=options.completed,
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=options.example("sudo raptorctl extend alice dev 90d"))(extend)


@spread
def extend(context: typer.Context, words: Words, *, run: options.Unasked) -> None:
    """Have a machine expire on another day, or never."""
    *which, last = words
    if not which:
        raise InputError(
            "a machine or a day is missing", resolution="e.g. alice dev 2027-01-31, or 90d"
        )
    text = named("DATE", parse_expiry, last)
    perform(session_of(context), machine.extend(options.machine_name(which), text), run)
