"""The command line as a whole: which commands there are, and the options before them."""

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.main import get_command

from raptorctl import __version__
from raptorctl.cli.commands import Commands
from raptorctl.cli.options import Details, SettingsFile, example
from raptorctl.cli.output import say
from raptorctl.cli.session import Typed, session_of
from raptorctl.errors import RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.settings_file import DEFAULT_FILE

app = typer.Typer(
    name="raptorctl",
    cls=Commands,
    help="Machines for many people on one server.",
    epilog=example("sudo raptorctl provision alice dev --size 40G --cpus 4-7"),
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        say(f"raptorctl {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    settings: SettingsFile = Path(DEFAULT_FILE),
    verbose: Details = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Machines for many people on one server."""
    session = session_of(context, root=False)
    session.settings_file = settings
    session.details = verbose
    _refuse_shared(session, context.invoked_subcommand or "")


SHARED: Final = {
    "tenant": "tenants beside you",
    "access": "accounts that could be let in",
    "slot": "slots",
    "cpu": "CPUs that belong to machines",
    "wipe": "volumes that wait for a wipe: files are removed at once",
}
"""Commands for hosts that are shared, and what a host of one's own has none of."""


def _refuse_shared(session: Typed, name: str) -> None:
    """Refuse what makes no sense on a host of one's own; its help can be read.

    Raises:
        RefusedError: says what there is none of.
    """
    if name in SHARED and session.on_session_host and not {"-h", "--help"} & set(session.typed):
        raise RefusedError(
            f"this host is your own, and has no {SHARED[name]}",
            code=Code.SESSION_HOST,
            subject=name,
        )


@cache
def command() -> Any:
    """Return the whole as click's command object, which may be run without it printing errors.

    It keeps nothing of a run, so one is enough for a process that runs several.
    """
    return get_command(app)
