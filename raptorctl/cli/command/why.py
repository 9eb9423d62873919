"""`raptorctl why`: how far a machine's boot came, what it hangs at, and what to try."""

import sys
from typing import TYPE_CHECKING, Final

import typer

from raptorctl.api.why import explained
from raptorctl.cli import options
from raptorctl.cli.options import Output, example
from raptorctl.cli.output import (
    Colour,
    Format,
    painted,
    plain,
    say,
    say_json,
    speaks_unicode,
    table,
    width_of_output,
)
from raptorctl.cli.session import session_of
from raptorctl.model.domain import Domain

if TYPE_CHECKING:
    from raptorctl.model.first_boot import Explanation, Stage

SIGNS: Final = {"seen": ("✓", "ok"), "failed": ("✗", "!!"), "missing": ("·", "--")}
UNKNOWN: Final = ("?", "??")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=example("raptorctl why alice dev"))(why)


def why(context: typer.Context, words: options.Words, form: Output = Format.TEXT) -> None:
    """Explain how far a machine has booted, what it is waiting for, and what to try."""
    domain, told = explained(session_of(context, root=False), options.machine_name(words))
    if form is Format.JSON:
        say_json({"machine": domain.name, "state": domain.state.value, **told.encode()})
    else:
        say("\n".join(_lines(domain, told)))


def _lines(domain: Domain, told: "Explanation") -> list[str]:
    rows = [[_sign(stage), stage.name, plain(stage.seen)] for stage in told.stages]
    lines = table(["", "STAGE", "SEEN"], rows, columns=width_of_output())
    if not told.problem:
        return [*lines, "", f"{domain.name} is up"]
    problem = painted(plain(told.problem), Colour.STRONG)
    return [*lines, "", f"{domain.name}: {problem}", f"try: {plain(told.advice)}"]


def _sign(stage: "Stage") -> str:
    bright, ascii_sign = SIGNS.get(stage.mark.value, UNKNOWN)
    return bright if speaks_unicode(sys.stdout) else ascii_sign
