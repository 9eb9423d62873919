"""`raptorctl ip`: where a machine is, and who says so."""

import typer

from raptorctl.cli import options
from raptorctl.cli.options import Output, example
from raptorctl.cli.output import Format, say, say_json, table, width_of_output
from raptorctl.cli.session import Session, session_of
from raptorctl.errors import RefusedError
from raptorctl.model.domain import Domain
from raptorctl.model.guest import GuestAddress, addresses, endpoint, place_of


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=example("raptorctl ip alice dev", "raptorctl ip alice dev -o json"))(ip)


def ip(context: typer.Context, words: options.Words, form: Output = Format.TEXT) -> None:
    """Show a machine's addresses, from its slot, the neighbour table and the guest agent."""
    session = session_of(context, root=False)
    domain = session.machine(options.machine_name(words))
    slot = place_of(domain, session.settings)
    neighbours = session.host.guests.neighbours(slot.bridge)
    found = addresses(slot, neighbours, _told(session, domain))
    if session.own:
        found = (GuestAddress(str(endpoint(domain, session.settings)), ("forward",)), *found)
    if form is Format.JSON:
        say_json({"machine": domain.name, "addresses": [one.encode() for one in found]})
        return
    rows = [[one.address, ", ".join(one.sources)] for one in found]
    say("\n".join(table(["ADDRESS", "FROM"], rows, columns=width_of_output())))


def _told(session: Session, domain: Domain) -> tuple[str, ...]:
    if not domain.state.active:
        return ()
    try:
        return session.host.guests.agent_addresses(domain.uuid)
    except RefusedError:  # the agent is for admins
        return ()
