"""`raptorctl deprovision`: nothing of a machine is left."""

from collections.abc import Iterator
from typing import Annotated

import typer

from raptorctl.api import machine
from raptorctl.api.change import Done
from raptorctl.cli import ask, options
from raptorctl.cli.change import perform
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.errors import InputError

EXAMPLE = options.example(
    "sudo raptorctl deprovision alice dev",
    "sudo raptorctl deprovision alice dev --force -y",
)
Seconds = Annotated[
    float | None,
    options.seconds(
        "--timeout",
        "How long its guest has to shut down before it is switched off. Default: the settings'.",
        most=3600,
        default=False,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Power it off at once.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLE)(deprovision)


@spread
def deprovision(
    context: typer.Context,
    words: options.Words,
    timeout: Seconds = None,
    force: Force = False,
    *,
    run: options.Manner,
) -> None:
    """Remove a machine for good: its DNS names, its domain, and its volume, wiped first."""
    if force and timeout is not None:
        raise InputError("--force waits for nobody", resolution="leave out --timeout")
    name = options.machine_name(words)
    wait = 0.0 if force else timeout
    asks = ask.before_it_goes(str(name), asks=run.asks)
    change = machine.deprovision(name, wait)
    perform(session_of(context), change, run, asks, says=told)


def told(done: Done) -> Iterator[str]:
    """Say what was wiped, how that is known, and what is true now."""
    yield from done.receipts
    yield done.plan.summary
