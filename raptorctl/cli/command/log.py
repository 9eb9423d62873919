"""`raptorctl log`: what a machine's console said."""

import codecs
import sys
from typing import Annotated

import typer

from raptorctl.api import log as api
from raptorctl.cli import options
from raptorctl.cli.options import example
from raptorctl.cli.session import session_of
from raptorctl.errors import InputError
from raptorctl.model.text import harmless

Lines = Annotated[
    int, typer.Option("-n", "--lines", min=1, max=100_000, help="Number of lines to show.")
]
Follow = Annotated[bool, typer.Option("--follow", help="Keep printing new lines; ^C stops.")]
Console = Annotated[bool, typer.Option("--console", help="The console log (the default).")]
Steps = Annotated[bool, typer.Option("--steps", help="Output of steps in the guest; for admins.")]
Raw = Annotated[bool, typer.Option("--raw", help="Do not remove terminal control sequences.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=example("raptorctl log alice dev -n 50 --follow"))(log)


def log(
    context: typer.Context,
    words: options.Words,
    lines: Lines = 200,
    follow: Follow = False,
    raw: Raw = False,
    console: Console = False,
    steps: Steps = False,
) -> None:
    """Show the console log of a machine, or the output of steps that ran in its guest."""
    if console and steps:
        raise InputError("--console and --steps are two logs", resolution="look at one of them")
    name = options.machine_name(words)
    session = session_of(context, root=steps)
    try:
        said = api.steps if steps else api.console
        # A letter may come in two pieces.
        for text in codecs.iterdecode(
            said(session, name, lines, follow=follow), "utf-8", "replace"
        ):
            sys.stdout.write(text if raw else harmless(text))
            sys.stdout.flush()
    except KeyboardInterrupt:
        pass
