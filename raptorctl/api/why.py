"""How far a machine's boot came, what it hangs at, and what to try."""

import time
from typing import TYPE_CHECKING

from raptorctl.api.guest import console_since
from raptorctl.api.session import Session
from raptorctl.errors import RefusedError
from raptorctl.model.domain import Domain
from raptorctl.model.guest import Sight, endpoint, place_of
from raptorctl.model.names import MachineName

if TYPE_CHECKING:
    from raptorctl.model.first_boot import BootFacts, Explanation


def explained(session: Session, name: MachineName) -> "tuple[Domain, Explanation]":
    """Return a machine's domain, and the stages of its boot as they show from outside.

    Raises:
        MissingError: there is no such machine for the caller.
    """
    from raptorctl.model.first_boot import explain

    domain = session.machine(name)
    started = session.host.guests.started(domain.name)
    console = console_since(session, name, started)
    return domain, explain(console, _facts(session, domain, started))


def _facts(session: Session, domain: Domain, started: float | None) -> "BootFacts":
    from raptorctl.host.guest import readiness
    from raptorctl.model.first_boot import BootFacts

    guests, settings, on = session.host.guests, session.settings, domain.state.active
    slot, at = place_of(domain, settings), endpoint(domain, settings)
    off = Sight(so=False, seen="it is off")
    greets = readiness.ssh(guests, at) if on else off
    # QEMU's own network shows nothing of addresses, but who greets by ssh has one.
    placed = greets if session.on_session_host and greets.so else None
    return BootFacts(
        state=domain.state.value,
        active=on,
        seconds=None if started is None else max(0.0, time.time() - started),
        # On a network of libvirt's, the bridge has ports of other machines.
        frames=guests.packets(slot.bridge) if on and slot.number else None,
        leases=guests.leases(slot.mac, started or 0.0) if on else (),
        address=off if not on else placed or readiness.address(guests, slot),
        ssh=greets,
        agent=_agent(session, domain) if on else off,
        mac=slot.mac,
    )


def _agent(session: Session, domain: Domain) -> Sight | None:
    from raptorctl.host.guest import readiness

    try:
        return readiness.agent(session.host.guests, domain)
    except RefusedError:  # polkit: the agent is for admins
        return None
