"""`raptorctl cdrom`: what is in a machine's CD drive."""

from typing import Annotated

import typer

from raptorctl.cli import options
from raptorctl.cli.change import perform
from raptorctl.cli.options import example
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.errors import InputError

Inserted = Annotated[
    list[str],
    typer.Argument(
        metavar="TENANT MACHINE REF",
        help="`alice dev rescue.iso`: an ISO of the cache, a URL, a file.",
        callback=options.completed,
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer()
    said = "sudo raptorctl cdrom"
    group.command("insert", epilog=example(f"{said} insert alice dev ./rescue.iso"))(insert)
    group.command("eject", epilog=example(f"{said} eject alice dev"))(eject)
    app.add_typer(group, name="cdrom")


@spread
def insert(
    context: typer.Context,
    words: Inserted,
    *,
    run: options.Unasked,
) -> None:
    """Put an ISO into a machine's CD drive, also while it runs."""
    from raptorctl.api import cdrom as api
    from raptorctl.cli.image_choice import begins_as

    *machine, ref = words
    if not machine:
        raise InputError("a machine or an ISO is missing", resolution="e.g. alice dev ./rescue.iso")
    name, session = options.machine_name(machine), session_of(context)
    iso = begins_as(session, ref, dry_run=run.dry_run)
    perform(session, api.insert(name, iso or ref), run)


@spread
def eject(
    context: typer.Context,
    words: options.Words,
    *,
    run: options.Unasked,
) -> None:
    """Empty a machine's CD drive, also while it runs."""
    from raptorctl.api import cdrom as api

    name = options.machine_name(words)
    perform(session_of(context), api.eject(name), run)
