"""`raptorctl expire`: what a timer does about what is due."""

import typer

from raptorctl.api.change import Done
from raptorctl.cli import options
from raptorctl.cli.change import carry_out, preview
from raptorctl.cli.command.deprovision import told
from raptorctl.cli.output import Format, say, say_json, tell
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.errors import RaptorError
from raptorctl.model.error_code import Code
from raptorctl.model.several import decisive


def register(app: typer.Typer) -> None:
    """Add the command."""
    lines = ("sudo raptorctl expire", "sudo raptorctl expire --dry-run")
    app.command(epilog=options.example(*lines))(expire)


@spread
def expire(context: typer.Context, *, run: options.Unasked) -> None:
    """Wipe the disks of removed machines that were kept long enough.

    A first run that finds them due notes it; one a day later wipes them.
    A timer runs this every hour.
    """
    from raptorctl.api.expire import due

    session = session_of(context)
    if run.dry_run:
        for change in due(session):
            preview(session, change, run.form)
        return
    done, failed = list[tuple[str, Done]](), list[RaptorError]()
    for change in due(session):
        try:
            done.append((change.name, carry_out(session, change)))
        except RaptorError as error:  # another one's trouble keeps none from being wiped
            tell(f"{change.name}: {error.brief}")
            failed.append(error)
            if Code.INTERRUPTED in {error.code, error.cause}:
                break
    _say(done, run.form)
    if failed:
        raise decisive(failed)


def _say(done: list[tuple[str, Done]], form: Format) -> None:
    if form is Format.JSON:
        say_json({"due": [{"machine": name, **one.encode()} for name, one in done]})
        return
    for line in (line for _, one in done for line in told(one)):
        say(line)
