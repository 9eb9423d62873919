"""Volumes that wait for their wipe, and taking it up again."""

from raptorctl.api.change import Change
from raptorctl.api.session import Session
from raptorctl.model.wipe import Unwiped
from raptorctl.plans.machine.wipe import plan_wipe, unwiped


def waiting(session: Session) -> tuple[Unwiped, ...]:
    """Return volumes that are out of use and not wiped, or were never finished, and why."""
    session.require_root()
    return tuple(unwiped(session.host.volumes.list(), session.past()))


def resume(session: Session, volume: str | None = None) -> Change:
    """Wipe a volume that no job finishes any more, read it back, and remove it.

    Args:
        session: whose journals tell which job held it.
        volume: its name or LVM UUID; None for all.
    """
    return Change(
        verb="wipe",
        name=volume or "--all",
        decide=lambda _settings, facts, identity: plan_wipe(
            volume, session.past(), facts, identity
        ),
    )
