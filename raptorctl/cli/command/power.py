"""`raptorctl start`, `stop`, `reboot`, `reset`, `suspend`, `resume`: for admins and for tenants."""

from collections.abc import Callable
from typing import Annotated

import typer

from raptorctl.api import power as api
from raptorctl.api.power import Did
from raptorctl.api.session import Session
from raptorctl.cli import options
from raptorctl.cli.options import Output, example
from raptorctl.cli.output import Format, say, say_json, tell
from raptorctl.cli.session import session_of
from raptorctl.model.names import MachineName

Seconds = Annotated[
    float | None,
    options.seconds(
        "--timeout", "How long to wait. Default: the settings'.", most=3600, default=False
    ),
]
Force = Annotated[
    bool, typer.Option("--force", help="Power it off if it has not shut down in time.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command, line in (
        (start, "start alice dev"),
        (stop, "stop alice dev --timeout 30 --force"),
        (reboot, "reboot alice dev"),
        (reset, "reset alice dev"),
        (suspend, "suspend alice dev"),
        (resume, "resume alice dev"),
    ):
        app.command(epilog=example(f"raptorctl {line}"))(command)


def start(context: typer.Context, words: options.Words, form: Output = Format.TEXT) -> None:
    """Start a machine; a saved or suspended one continues where it was."""
    _act(context, "start", words, form, api.start)


def stop(
    context: typer.Context,
    words: options.Words,
    timeout: Seconds = None,
    force: Force = False,
    form: Output = Format.TEXT,
) -> None:
    """Shut a machine down by its power button (ACPI), and wait; exit with 5 if it stays on."""

    def act(session: Session, name: MachineName) -> Did:
        def waits(seconds: float) -> None:
            tell(f"{name} is asked to shut down; waiting {seconds:g} s at most")

        return api.stop(session, name, timeout, force=force, waits=waits)

    _act(context, "stop", words, form, act)


def reboot(context: typer.Context, words: options.Words, form: Output = Format.TEXT) -> None:
    """Ask a machine to reboot (ACPI)."""
    _act(context, "reboot", words, form, api.reboot)


def reset(context: typer.Context, words: options.Words, form: Output = Format.TEXT) -> None:
    """Reset a machine at once, like its reset button; unwritten data is lost."""
    _act(context, "reset", words, form, api.reset)


def suspend(context: typer.Context, words: options.Words, form: Output = Format.TEXT) -> None:
    """Pause a machine's CPUs; its memory is kept."""
    _act(context, "suspend", words, form, api.suspend)


def resume(context: typer.Context, words: options.Words, form: Output = Format.TEXT) -> None:
    """Resume a suspended machine."""
    _act(context, "resume", words, form, api.resume)


def _act(
    context: typer.Context,
    verb: str,
    words: list[str],
    form: Format,
    act: Callable[[Session, MachineName], Did],
) -> None:
    name = options.machine_name(words)
    did = act(session_of(context, root=False), name)
    if form is Format.JSON:
        said = {"machine": name.domain, "verb": verb, "already": did.already, "how": did.how}
        say_json(said)
    else:
        say(did.text)
