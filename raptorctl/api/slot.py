"""Slots: who has which, and how it is reached."""

from typing import TYPE_CHECKING

from raptorctl.api.session import Session
from raptorctl.errors import RefusedError
from raptorctl.model.error_code import Code

if TYPE_CHECKING:
    from raptorctl.model.slot_map import SlotDetails


def shown(session: Session, number: int) -> "SlotDetails":
    """Return all there is to say of a slot.

    Raises:
        InputError: there is no such slot.
        RefusedError: this host has none.
    """
    from raptorctl.model.slot_map import SlotDetails
    from raptorctl.model.zone import pointer_name
    from raptorctl.plans.part import records, slots

    settings = session.settings
    if session.on_session_host:
        raise RefusedError(
            "this host is your own, and has no slots",
            resolution="`raptorctl show` tells how a machine is reached",
            code=Code.SESSION_HOST,
        )
    slot = settings.find_slot(number)
    facts = session.facts(records.pointer_queries(settings) if settings.has_dns else ())
    use = next(use for use in slots.slot_uses(settings, facts) if use.slot == slot)
    zones = settings.dns.reverse_zones
    named = ((str(at), pointer_name(at, zones)) for at in slot.addresses)
    pointers = tuple((at, name) for at, name in named if name)
    (way,) = session.host.links.ways([slot])
    return SlotDetails(use, way, pointers, facts.records, facts.dns_problem)
