"""`raptorctl import`: another tool's file of machines or builds, as a file of ours."""

import os
from typing import Annotated

import typer

from raptorctl.api.import_build import import_b9
from raptorctl.api.import_file import import_file, refuse_unclear
from raptorctl.api.shell_profile import (
    import_profile,
    is_profile,
    trusted_profile,
    write_user_data,
)
from raptorctl.cli.options import FORMAT_OF_FILE, Output, example, given_text
from raptorctl.cli.output import Format, plain, say, say_json, tell
from raptorctl.cli.raptor_file import given_texts
from raptorctl.cli.session import session_of
from raptorctl.errors import InputError
from raptorctl.model.file_format import FileFormat, ImportFormat
from raptorctl.model.names import parse_tenant
from raptorctl.model.raptor_file import LARGEST
from raptorctl.read.file_format import by_name

EXAMPLE = example(
    "raptorctl import VMFile.kdl > raptor.toml",
    "sudo raptorctl import registry.yaml --tenant alice",
    "raptorctl import web-server.sh --trust > raptor.toml",
    "raptorctl import web.b9 > raptor.toml",
)
File = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="A VMFile.kdl, registry.yaml, PROFILE.sh, or B9's build file or b9.conf.",
        show_default=False,
    ),
]
Tenant = Annotated[
    str,
    typer.Option(
        "--tenant", metavar="NAME", help="On a shared host: whose machines they become.",
        show_default=False,
    ),
]  # fmt: skip
Trust = Annotated[
    bool,
    typer.Option("--trust", help="Run the bash of a PROFILE.sh, shut in by bubblewrap."),
]
FormatOfFile = Annotated[ImportFormat | None, FORMAT_OF_FILE]
UserData = Annotated[
    str,
    typer.Option(
        "--user-data", metavar="PATH",
        help="Where the user-data of a PROFILE.sh is written. Default: NAME.user-data.",
        show_default=False,
    ),
]  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import", epilog=EXAMPLE)(import_)


def import_(
    context: typer.Context,
    file: File,
    tenant: Tenant = "",
    trust: Trust = False,
    user_data: UserData = "",
    said: FormatOfFile = None,
    form: Output = Format.TEXT,
) -> None:
    """Print another tool's file as a file of ours; comments say what has no place."""
    kind = FileFormat(said) if said else by_name(file)
    if kind in {FileFormat.B9, FileFormat.B9_CONF}:
        if tenant or trust or user_data:
            raise InputError("a file of B9 is imported without options", subject=file)
        _show(import_b9(given_text(file, LARGEST), file, kind), form)
        return
    profile = kind is FileFormat.SHELL or (said is None and is_profile(file))
    session = session_of(context, root=not profile)
    owner = session.settings.owner if session.on_session_host else ""
    whose = parse_tenant(tenant) if tenant else ""
    if profile:
        path = trusted_profile(session, file, trusted=trust)
        refuse_unclear(owner, whose)
        _import_profile(path, user_data, whose, form)
        return
    if trust or user_data:
        raise InputError("--trust and --user-data are for a PROFILE.sh", subject=file)
    found = import_file(given_texts(file, kind), file, owner, whose, kind if said else None)
    _show(found, form)


def _import_profile(file: str, user_data: str, tenant: str, form: Format) -> None:
    said = "note: the profile said "
    made = import_profile(file, os.environ, lambda line: tell(said + line), user_data, tenant)
    path = plain(str(made.user_data))
    tell(f"wrote {path}" if write_user_data(made) else f"{path} is already so")
    _show(made.file, form)


def _show(found: str, form: Format) -> None:
    if form is Format.JSON:
        say_json({"file": found})
    else:
        say(found.rstrip("\n"))
