"""`raptorctl ip`: where a machine is, and who says so."""

import typer

from raptorctl.api.guest import located
from raptorctl.cli import options
from raptorctl.cli.options import Output, example
from raptorctl.cli.output import Format, say, say_json, table, width_of_output
from raptorctl.cli.session import session_of


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=example("raptorctl ip alice dev", "raptorctl ip alice dev -o json"))(ip)


def ip(context: typer.Context, words: options.Words, form: Output = Format.TEXT) -> None:
    """Show a machine's addresses, from slot, network, neighbour table and guest agent."""
    name = options.machine_name(words)
    found = located(session_of(context, root=False), name)
    if form is Format.JSON:
        say_json({"machine": name.domain, "addresses": [one.encode() for one in found]})
        return
    rows = [[one.address, ", ".join(one.sources)] for one in found]
    say("\n".join(table(["ADDRESS", "FROM"], rows, columns=width_of_output())))
