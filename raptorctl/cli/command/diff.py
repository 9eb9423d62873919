"""`raptorctl diff`: what a file of machines says, beside what stands."""

from typing import Annotated

import typer

from raptorctl.api import raptor_file as api
from raptorctl.cli import raptor_file
from raptorctl.cli.options import Output, example
from raptorctl.cli.output import Format, say, say_json
from raptorctl.cli.session import session_of
from raptorctl.model.exit_code import DIFFERS
from raptorctl.model.file_plan import Allowed

EXAMPLE = example("sudo raptorctl diff", "sudo raptorctl diff lab.toml alice-web --exit-code")
ExitCode = Annotated[
    bool, typer.Option("--exit-code", help=f"Exit with {DIFFERS} if anything differs.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLE)(diff)


def diff(
    context: typer.Context,
    words: raptor_file.Words = None,
    variables: raptor_file.Variables = None,
    said: raptor_file.FormatOfFile = None,
    exit_code: ExitCode = False,
    form: Output = Format.TEXT,
) -> None:
    """Show what differs between a file of machines and what stands, both ways."""
    session = session_of(context)
    wish = raptor_file.named(session, words, variables, said).wish(session, looks=True)
    rows = api.plan_of(session, wish, Allowed()).lasting
    if form is Format.JSON:
        say_json({"rows": [row.encode() for row in rows]})
    else:
        say("\n".join(raptor_file.laid_out(rows) or ["nothing differs"]))
    if rows and exit_code:
        raise typer.Exit(DIFFERS)
