"""A machine's console: bytes both ways, by callbacks."""

from collections.abc import Callable

from raptorctl.api.power import refuse_off
from raptorctl.api.session import Session
from raptorctl.drivers.domain import ConsoleStream, Ears
from raptorctl.errors import RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.names import MachineName


def opened(
    session: Session,
    name: MachineName,
    ears: Ears,
    *,
    force: bool = False,
    tick: Callable[[], None] = lambda: None,
) -> ConsoleStream:
    """Connect with a machine's console.

    Args:
        session: the host, and who asks.
        name: the machine's.
        ears: told, in a thread of the driver's, what it says and that it has ended: the machine
            went off, or somebody took it over. Waiting in there keeps all consoles waiting.
        force: take it over from whoever has it.
        tick: called several times a second until there is one; what it raises ends the attempt.

    Returns:
        What is typed goes there; to be closed in the end.

    Raises:
        MissingError: there is no such machine for the caller.
        RefusedError: it is off.
        HostError: somebody else has its console.
    """
    domain = session.machine(name)
    refuse_off(domain)
    return session.host.consoles.open(domain.uuid, ears, force=force, tick=tick)


def runs(session: Session, name: MachineName) -> bool:
    """Whether a machine whose console ended runs, so that it can be opened again.

    Raises:
        RefusedError: it was removed.
    """
    there = session.host.domains.named(name.domain)
    if there is None:
        raise RefusedError(
            f"{name.domain} is gone", code=Code.MACHINE_NOT_FOUND, subject=name.domain
        )
    return there.state.active
