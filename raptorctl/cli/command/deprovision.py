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
from raptorctl.model.look import parse_span

EXAMPLE = options.example(
    "sudo raptorctl deprovision alice dev",
    "sudo raptorctl deprovision alice dev --force -y",
    "sudo raptorctl deprovision alice dev --keep 7d",
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
Keep = Annotated[
    str | None,
    typer.Option(
        "--keep",
        metavar="SPAN",
        help="Keep its disks so long, for `undelete`: 12h, 7d, 4w. Then they are wiped.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLE)(deprovision)


@spread
def deprovision(
    context: typer.Context,
    words: options.Words,
    timeout: Seconds = None,
    force: Force = False,
    keep: Keep = None,
    *,
    run: options.Manner,
) -> None:
    """Remove a machine for good: its DNS names, its domain, and its volume, wiped first.

    With --keep it goes as well, but `undelete` can bring it back.
    """
    if force and timeout is not None:
        raise InputError("--force waits for nobody", resolution="leave out --timeout")
    name = options.machine_name(words)
    wait = 0.0 if force else timeout
    if keep is None:
        asks = ask.before_it_goes(str(name), asks=run.asks)
        change = machine.deprovision(name, wait)
    else:
        from raptorctl.plans.machine.retire import RetireRequest

        asks = ask.before_it_comes(asks=run.asks)
        span = options.named("--keep", parse_span, keep)
        change = machine.retire(RetireRequest(name, span, wait))
    perform(session_of(context), change, run, asks, says=told)


def told(done: Done) -> Iterator[str]:
    """Say what was wiped, how that is known, and what is true now."""
    yield from done.receipts
    yield done.plan.summary
