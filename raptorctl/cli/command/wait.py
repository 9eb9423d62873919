"""`raptorctl wait`: known when up."""

from typing import Annotated

import typer

from raptorctl.api.guest import wait_for
from raptorctl.cli import options
from raptorctl.cli.guest import Timeout, guest_of, telling
from raptorctl.cli.options import Output, example
from raptorctl.cli.output import Format, plain, say, say_json
from raptorctl.model.guest import Awaited
from raptorctl.model.guest_step import ENTRY

For = Annotated[Awaited, typer.Option("--for", help="State to wait for.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=example("raptorctl wait alice dev --for ssh --timeout 120"))(wait)


def wait(
    context: typer.Context,
    words: options.Words,
    awaited: For = Awaited.SSH,
    timeout: Timeout = ENTRY,
    form: Output = Format.TEXT,
) -> None:
    """Wait until a machine reaches a state; on timeout, exit with 5 and say what was seen."""
    guest = guest_of(context, words)
    sight, seconds = wait_for(guest, awaited, timeout, telling)
    already = not seconds
    if form is Format.JSON:
        said = {"machine": guest.domain.name, "for": awaited.value, "already": already}
        say_json({**said, "seconds": round(seconds, 2), "seen": sight.seen})
        return
    when = "already so" if already else f"after {seconds:.1f} s"
    say(f"{guest.domain.name}: {awaited.value}, {when}: {plain(sight.seen)}")
