"""`raptorctl web`: the host in a browser."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from raptorctl.api.caller import Caller
from raptorctl.api.session import Session
from raptorctl.cli.listing import Listed, View, show_list
from raptorctl.cli.options import Output, example
from raptorctl.cli.output import Format, say, say_json, table, tell, width_of_output
from raptorctl.cli.session import Typed, session_of
from raptorctl.cli.spread import spread
from raptorctl.errors import InputError, MissingError
from raptorctl.model.codec import encode
from raptorctl.model.error_code import Code

if TYPE_CHECKING:
    from types import ModuleType

    from raptorctl.web.logins import PageAnswers, PageLogin

Port = Annotated[
    int | None,
    typer.Option(
        "--port",
        min=1,
        max=65535,
        metavar="N",
        help="Port of 127.0.0.1. Default: 8440, or any that is free.",
        show_default=False,
    ),
]
Which = Annotated[
    str | None,
    typer.Argument(
        metavar="LOGIN", help="As `web sessions` lists it, or an account.", show_default=False
    ),
]
All = Annotated[bool, typer.Option("--all", help="Log everybody out.")]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(invoke_without_command=True)
    group.callback(epilog=example("raptorctl web", "raptorctl web --port 9000"))(web)
    group.command("sessions", epilog=example("raptorctl web sessions"))(sessions)
    group.command("logout", epilog=example("raptorctl web logout --all"))(logout)
    app.add_typer(group, name="web")


def web(context: typer.Context, port: Port = None) -> None:
    """Open the host's page on 127.0.0.1 and print a link that logs in once, within 60 seconds.

    Where the page is open already, print another link; tenants of a shared host get one to theirs.
    """
    if context.invoked_subcommand:
        return
    session = session_of(context, root=False)
    if not session.is_root:
        _show_tenants(port)
        return
    server = _server()
    from raptorctl.web.control import ask

    who = session.caller.name
    if said := ask(server.place(session), {"do": "link", "who": who}):
        _show(said["link"])
        return
    _ = session.settings  # what is wrong with them is said here, and not on a page
    listening = server.bound(port)
    settings = session.settings_file
    try:
        server.serve(session, _maker(session, settings), listening, _show)
    except KeyboardInterrupt:
        tell("the page is closed")


def _show_tenants(port: int | None) -> None:
    from raptorctl.api.web import ask

    if port is not None:
        raise InputError("the port of a shared host's page is its settings'")
    say(ask({"do": "link"})["link"])
    tell("good once, for 60 seconds")


def _maker(session: Typed, settings: Path) -> Any:
    def make(who: str) -> Session:
        return Session(settings, Caller(who or session.caller.name, root=os.geteuid() == 0))

    return make


def _show(link: str) -> None:
    say(link)
    tell("good once, for 60 seconds; `raptorctl web` prints another; ^C closes the page")


def _server() -> "ModuleType":
    """Import what the page needs.

    Raises:
        MissingError: a part of it is not installed.
    """
    try:
        from raptorctl.web import serve
    except ModuleNotFoundError as error:
        raise MissingError(
            f"the page needs {(error.name or '').partition('.')[0]}, which is not installed",
            resolution="install raptorctl[web], or python3-starlette, python3-uvicorn, "
            "python3-websockets and python3-jinja2",
            subject=error.name or "",
        ) from error
    return serve


@spread
def sessions(context: typer.Context, *, how: Listed) -> None:
    """List who is logged in to the page; for root on a shared host, to tenants' pages, too."""
    found = _asked(context, {"do": "sessions"})
    show_list(found.logins, View("sessions", encode, _rows, "nobody is logged in", ("id",)), how)
    found.raise_if_silent()


def _rows(found: Iterable["PageLogin"]) -> list[str]:
    cells = [(one.id, one.tenant or "-", one.account, one.since, one.browser) for one in found]
    head = ("LOGIN", "TENANT", "ACCOUNT", "SINCE", "BROWSER")
    return table(head, cells, columns=width_of_output())


def logout(
    context: typer.Context,
    which: Which = None,
    everybody: All = False,
    form: Output = Format.TEXT,
) -> None:
    """End logins to the page, and all that is open for them; root's ends tenants' logins, too."""
    if (which is None) is not everybody or which == "":
        raise InputError("say which login, or --all", resolution="see `raptorctl web sessions`")
    found = _asked(context, {"do": "logout", "which": which} if which else {"do": "logout-all"})
    if not found.ended and which and not found.silent:
        raise MissingError(
            f"there is no login {which}",
            resolution="see `raptorctl web sessions`",
            code=Code.WEB_LOGIN_NOT_FOUND,
            subject=which,
        )
    if form is Format.JSON:
        say_json({"ended": found.ended})
    else:
        say(f"{found.ended} logged out")
    found.raise_if_silent()


def _asked(context: typer.Context, question: dict[str, str]) -> "PageAnswers":
    session = session_of(context, root=False)
    from raptorctl.web.logins import everywhere, of_one, read

    if not session.is_root:
        from raptorctl.api.web import ask

        return read(ask(question), session.caller.name)
    _server()
    from raptorctl.web.serve import place

    own = place(session)
    return of_one(own, question) if session.on_session_host else everywhere(own, question)
