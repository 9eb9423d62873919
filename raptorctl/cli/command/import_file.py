"""`raptorctl import`: another tool's file of machines, as a file of ours."""

from typing import Annotated

import typer

from raptorctl.api.import_file import import_file
from raptorctl.cli.options import Output, example, given_text
from raptorctl.cli.output import Format, say, say_json
from raptorctl.cli.session import session_of
from raptorctl.model.names import parse_tenant
from raptorctl.model.raptor_file import LARGEST

EXAMPLE = example(
    "raptorctl import VMFile.kdl > raptor.toml",
    "sudo raptorctl import registry.yaml --tenant alice",
)
File = Annotated[
    str, typer.Argument(metavar="FILE", help="A VMFile.kdl or registry.yaml.", show_default=False)
]
Tenant = Annotated[
    str,
    typer.Option(
        "--tenant", metavar="NAME", help="On a shared host: whose machines they become.",
        show_default=False,
    ),
]  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import", epilog=EXAMPLE)(import_)


def import_(
    context: typer.Context, file: File, tenant: Tenant = "", form: Output = Format.TEXT
) -> None:
    """Print a VMFile or a registry of vmp as a file of ours; comments say what has no place."""
    session = session_of(context)
    owner = session.settings.owner if session.own else ""
    text = given_text(file, LARGEST)
    found = import_file(text, file, owner, parse_tenant(tenant) if tenant else "")
    if form is Format.JSON:
        say_json({"file": found})
    else:
        say(found.rstrip("\n"))
