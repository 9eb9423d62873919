"""`raptorctl why`: how far a machine's boot came, what it hangs at, and what to try."""

import sys
import time
from typing import TYPE_CHECKING, Final

import typer

from raptorctl.cli import options
from raptorctl.cli.guest import console_since
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
from raptorctl.cli.session import Session, session_of
from raptorctl.errors import RefusedError
from raptorctl.model.domain import Domain
from raptorctl.model.guest import Sight, endpoint, place_of

if TYPE_CHECKING:
    from raptorctl.model.first_boot import BootFacts, Explanation, Stage

SIGNS: Final = {"seen": ("✓", "ok"), "failed": ("✗", "!!"), "missing": ("·", "--")}
UNKNOWN: Final = ("?", "??")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=example("raptorctl why alice dev"))(why)


def why(context: typer.Context, words: options.Words, form: Output = Format.TEXT) -> None:
    """Explain how far a machine has booted, what it is waiting for, and what to try."""
    from raptorctl.model.first_boot import explain

    name = options.machine_name(words)
    session = session_of(context, root=False)
    domain = session.machine(name)
    started = session.host.guests.started(domain.name)
    console = console_since(session, name, started)
    told = explain(console, _facts(session, domain, started))
    if form is Format.JSON:
        say_json({"machine": domain.name, "state": domain.state.value, **told.encode()})
    else:
        say("\n".join(_lines(domain, told)))


def _facts(session: Session, domain: Domain, started: float | None) -> "BootFacts":
    from raptorctl.host import readiness
    from raptorctl.model.first_boot import BootFacts

    guests, settings, on = session.host.guests, session.settings, domain.state.active
    slot, at = place_of(domain, settings), endpoint(domain, settings)
    off = Sight(so=False, seen="it is off")
    greets = readiness.ssh(guests, at) if on else off
    # QEMU's own network shows nothing of addresses, but who greets by ssh has one.
    placed = greets if session.own and greets.so else None
    return BootFacts(
        state=domain.state.value,
        active=on,
        seconds=None if started is None else max(0.0, time.time() - started),
        frames=guests.packets(slot.bridge) if on else None,
        leases=guests.leases(slot.mac, started or 0.0) if on else (),
        address=off if not on else placed or readiness.address(guests, slot),
        ssh=greets,
        agent=_agent(session, domain) if on else off,
        mac=slot.mac,
    )


def _agent(session: Session, domain: Domain) -> Sight | None:
    from raptorctl.host import readiness

    try:
        return readiness.agent(session.host.guests, domain)
    except RefusedError:  # polkit: the agent is for admins
        return None


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
