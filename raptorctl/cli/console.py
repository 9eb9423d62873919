"""`raptorctl console`: a machine's console, for its owner and for admins."""

import sys
from typing import Annotated

import typer

from raptorctl.api.session import Session
from raptorctl.cli import options
from raptorctl.cli.options import example
from raptorctl.cli.output import Colour, painted, tell
from raptorctl.cli.session import session_of
from raptorctl.cli.terminal import key_within, raw, window
from raptorctl.errors import RefusedError
from raptorctl.model.domain import Domain
from raptorctl.model.error_code import Code

ESCAPE = b"\x1d"
Force = Annotated[bool, typer.Option("--force", help="Disconnect whoever is attached.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=example("raptorctl console alice dev"))(console)


def console(context: typer.Context, words: options.Words, force: Force = False) -> None:
    """Attach to a machine's console, also across reboots; ^] detaches."""
    name = options.machine_name(words)
    session = session_of(context, root=False)
    domain = session.machine(name)
    if not domain.state.active:
        raise RefusedError(
            f"{domain.name} is {domain.state.value}",
            resolution=f"raptorctl start {domain.name}",
            code=Code.MACHINE_OFF,
            subject=domain.name,
        )
    _hello(domain)
    _attached(session, domain, force=force)
    tell("")


def _hello(domain: Domain) -> None:
    said = f"console of {domain.name}; ^] leaves"
    if size := window(sys.stdin.fileno()):
        # libvirt's stream has no way to say so.
        said += f"; the guest does not know the window: stty rows {size[0]} cols {size[1]}"
    tell(painted(said, Colour.FAINT, sys.stderr))


def _attached(session: Session, domain: Domain, *, force: bool) -> None:
    from raptorctl.engine.stop import Stop

    source, sink = sys.stdin.fileno(), sys.stdout.fileno()
    with Stop() as stop, raw(source):
        while not session.host.consoles.attach(
            domain.uuid, source, sink, force=force, tick=stop.check
        ):
            force = False  # who has it by then has taken it from us
            _note(f"the console of {domain.name} ended; waiting for it, ^] leaves")
            while not _runs(session, domain):
                stop.check()
                if key_within(source, 1.0, ESCAPE):
                    return
            _note(f"{domain.name} runs again")


def _runs(session: Session, domain: Domain) -> bool:
    there = session.host.domains.named(domain.name)
    if there is None:
        raise RefusedError(
            f"{domain.name} is gone", code=Code.MACHINE_NOT_FOUND, subject=domain.name
        )
    return there.state.active


def _note(text: str) -> None:
    # The terminal is raw: a line needs its carriage return.
    tell(painted(f"\r\n{text}\r", Colour.FAINT, sys.stderr))
