"""`raptorctl export`: what stands, as a file of machines."""

from typing import Annotated

import typer

from raptorctl.api.export import export as api
from raptorctl.cli.options import Output, example
from raptorctl.cli.output import Format, say, say_json
from raptorctl.cli.session import session_of
from raptorctl.model.names import parse_tenant, parse_words
from raptorctl.model.session_host import session_words

EXAMPLE = example("sudo raptorctl export > raptor.toml", "sudo raptorctl export alice web")
Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TENANT] [MACHINE]", help="Only this tenant's, or this one.", show_default=False
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLE)(export)


def export(context: typer.Context, words: Words = None, form: Output = Format.TEXT) -> None:
    """Print what stands as a file of machines, so that `diff` finds no difference."""
    session, given = session_of(context), list(words or ())
    if session.on_session_host:
        given = session_words(given, session.settings.owner)
    tenant = machine = None
    if len(given) == 1 and "-" not in given[0]:
        tenant = parse_tenant(given[0])
    elif given:
        name = parse_words(given)
        tenant, machine = name.tenant, name.machine
    text = api(session, tenant, machine)
    if form is Format.JSON:
        say_json({"file": text})
    else:
        say(text.rstrip("\n"))
