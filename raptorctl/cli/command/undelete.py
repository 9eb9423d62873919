"""`raptorctl undelete`: a machine that was removed and kept comes back."""

import typer

from raptorctl.api import machine
from raptorctl.cli import ask, options
from raptorctl.cli.change import perform
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=options.example("sudo raptorctl undelete alice dev"))(undelete)


@spread
def undelete(
    context: typer.Context,
    words: options.Words,
    *,
    run: options.Manner,
) -> None:
    """Bring back a machine that was removed with --keep, with its disks.

    It has the slot and the CPUs that it had if they are free, else others.
    """
    session = session_of(context)
    change = machine.undelete(session, options.machine_name(words))
    perform(session, change, run, ask.before_it_comes(asks=run.asks))
