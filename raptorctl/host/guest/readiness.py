"""How far a guest is: one look for each thing that can be waited for."""

import json
from collections.abc import Callable
from typing import Final

from raptorctl.drivers.guest import Guests
from raptorctl.model import first_boot
from raptorctl.model.domain import Domain
from raptorctl.model.guest import Awaited, Endpoint, Sight, is_banner
from raptorctl.model.slot import Slot

RESULT: Final = "/run/cloud-init/result.json"
"""What cloud-init leaves when it has finished (its docs, "Reported finished state")."""

Look = Callable[[], Sight]


def looks(
    guests: Guests, domain: Domain, slot: Slot, at: Endpoint, console: Callable[[], str]
) -> dict[Awaited, Look]:
    """Return a look for each thing that can be waited for.

    Args:
        guests: the driver.
        domain: the machine's.
        slot: its place on the network.
        at: its ssh server.
        console: what its console said since it was switched on.
    """
    return {
        Awaited.IP: lambda: address(guests, slot),
        Awaited.SSH: lambda: ssh(guests, at),
        Awaited.CLOUD_INIT: lambda: cloud_init(guests, domain, console()),
        Awaited.AGENT: lambda: agent(guests, domain),
    }


def address(guests: Guests, slot: Slot) -> Sight:
    """Whether the slot's MAC answers at one of the slot's addresses."""
    if not slot.addresses:
        return Sight(so=False, seen="", problem="its network is QEMU's own; wait for its ssh")
    for one in map(str, slot.addresses):
        if guests.alive(slot, one):
            return Sight(so=True, seen=f"{slot.mac} answers at {one}")
    there = [n for n in guests.neighbours(slot.bridge) if n.mac and n.mac != slot.mac]
    other = f"; {there[0].mac} is at {there[0].address}" if there else ""
    asked = " and ".join(map(str, slot.addresses))
    return Sight(so=False, seen=f"no answer of {slot.mac} at {asked}{other}")


def ssh(guests: Guests, at: Endpoint) -> Sight:
    """Whether an ssh server greets."""
    said = guests.banner(at)
    return Sight(so=is_banner(said), seen=f"{at}: {said}")


def agent(guests: Guests, domain: Domain) -> Sight:
    """Whether the guest's agent answers."""
    why_not = guests.ping_agent(domain.uuid)
    return Sight(so=not why_not, seen=why_not or "the guest's agent answers")


def cloud_init(guests: Guests, domain: Domain, console: str) -> Sight:
    """Whether cloud-init has finished well: by the console, or the agent where that is mute."""
    if console.strip():
        return first_boot.cloud_init(console)
    told = guests.agent_file(domain.uuid, RESULT)
    return by_result(told) if told else Sight(so=False, seen="a console that has said nothing yet")


def by_result(told: str) -> Sight:
    """Read cloud-init's own result file."""
    try:
        errors = json.loads(told)["v1"]["errors"]
    except (ValueError, LookupError, TypeError, RecursionError):
        errors = None
    if not isinstance(errors, list):
        return Sight(so=False, seen=f"a {RESULT} that is incomplete")
    if errors:
        return Sight(so=False, seen=str(errors[0]), problem=f"it failed: {errors[0]}")
    return Sight(so=True, seen=f"{RESULT} tells no error")
