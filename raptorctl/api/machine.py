"""Machines: which there are, all about one, and what changes one from its beginning to its end."""

from dataclasses import replace
from typing import TYPE_CHECKING

from raptorctl.api.session import Session
from raptorctl.model.machine import Machine, machines, machines_seen, no_such_machine
from raptorctl.model.machine_details import MachineDetails, describe
from raptorctl.model.names import MachineName

if TYPE_CHECKING:
    from raptorctl.api.change import Change
    from raptorctl.model.facts import HostFacts
    from raptorctl.plans.machine.choice import ProvisionRequest
    from raptorctl.plans.machine.rebuild import RebuildRequest
    from raptorctl.plans.machine.resize import ResizeRequest
    from raptorctl.plans.machine.retire import RetireRequest


def listed(session: Session, tenant: str | None = None) -> list[Machine]:
    """Return the machines that the caller sees, by name.

    Args:
        session: the host, and who asks.
        tenant: only this one's.
    """
    # A tenant may ask libvirt, which shows them their own, but not LVM.
    seen = (
        machines(*session.inventory())
        if session.is_root
        else machines_seen(session.host.domains.list(), session.caller.name)
    )
    return [
        machine
        for machine in seen
        if tenant in {None, machine.name.tenant} and session.caller.sees(machine.name.tenant)
    ]


def with_expiry(session: Session, found: list[Machine]) -> list[Machine]:
    """Return machines of `listed`, each with the day on which it expires.

    It stands in the definitions, of which root reads none for a list: each costs libvirt a question
    to polkit. Others have read it with the rest, and on a session host nothing expires.

    Args:
        session: the host, and who asks.
        found: the machines.
    """
    if not found or not session.is_root or session.on_session_host:
        return found
    marks = (domain.mark for domain in session.host.domains.list() if domain.ours)
    days = {mark.name: mark.expires for mark in marks if mark}
    return [replace(machine, expires=days.get(machine.name, "")) for machine in found]


def shown(session: Session, name: MachineName) -> MachineDetails:
    """Return all about one machine; what only root may ask is left out for others.

    Raises:
        MissingError: there is none of that name for the caller.
    """
    from raptorctl.render.read_domain import read_graphics

    facts = _facts(session, name)
    details = describe(name, session.settings, facts)
    if details is None or not session.caller.sees(name.tenant):
        raise no_such_machine(name)
    domain = facts.domain(name)
    screen = read_graphics(domain.xml) if domain and domain.xml else None
    shared = not session.is_root and session.caller.name != name.tenant
    return replace(
        details,
        machine=replace(details.machine, shared=shared),
        screen=screen.value if screen and screen.is_there else "",
    )


def provision(request: "ProvisionRequest") -> "Change":
    """Make a machine: volume, domain, slot, DNS names; and start it."""
    from raptorctl.api.change import Change
    from raptorctl.plans.machine.provision import plan_provision
    from raptorctl.plans.part.records import queries

    return Change(
        verb="provision",
        name=str(request.name),
        queries=lambda settings: queries(request.name, settings),
        people=(request.name.tenant,),
        decide=lambda settings, facts, job: plan_provision(request, settings, facts, job),
    )


def rebuild(request: "RebuildRequest") -> "Change":
    """Give a machine a new disk; name, UUID, MAC, addresses, CPUs and memory are kept."""
    from raptorctl.api.change import Change
    from raptorctl.plans.machine.rebuild import plan_rebuild

    return Change(
        verb="rebuild",
        name=str(request.name),
        decide=lambda settings, facts, job: plan_rebuild(request, settings, facts, job),
    )


def resize(request: "ResizeRequest") -> "Change":
    """Change a machine's disk size, CPUs or memory; anything not asked for is kept."""
    from raptorctl.api.change import Change
    from raptorctl.plans.machine.resize import plan_resize

    return Change(
        verb="resize",
        name=str(request.name),
        decide=lambda settings, facts, job: plan_resize(request, settings, facts, job),
    )


def deprovision(name: MachineName, timeout: float | None = None, *, data: bool = False) -> "Change":
    """Remove a machine for good: its DNS names, its domain, and its volume, wiped first.

    Args:
        name: the machine's.
        timeout: seconds that its guest has to shut down before it is switched off; None for the
            settings', 0 for at once.
        data: whether disks that were to outlive it go as well.
    """
    from raptorctl.api.change import Change
    from raptorctl.plans.machine.deprovision import plan_deprovision, with_data
    from raptorctl.plans.part.records import queries

    return Change(
        verb="deprovision",
        name=str(name),
        queries=lambda settings: queries(name, settings),
        decide=lambda settings, facts, identity: plan_deprovision(
            name, settings, with_data(name, facts) if data else facts, identity, timeout
        ),
    )


def retire(request: "RetireRequest") -> "Change":
    """Remove a machine and keep its disks for a while: its name and its slot are free."""
    from raptorctl.api.change import Change
    from raptorctl.plans.machine.retire import plan_retire
    from raptorctl.plans.part.records import queries

    return Change(
        verb="retire",
        name=str(request.name),
        queries=lambda settings: queries(request.name, settings),
        decide=lambda settings, facts, job: plan_retire(request, settings, facts, job),
    )


def extend(name: MachineName, text: str) -> "Change":
    """Have a machine expire on another day, or never.

    Args:
        name: the machine's.
        text: `2027-01-31`, `90d`, `never`.
    """
    from raptorctl.api.change import Change
    from raptorctl.plans.machine.expiry import plan_extend

    return Change(
        verb="extend",
        name=str(name),
        decide=lambda settings, facts, job: plan_extend(name, text, settings, facts, job),
    )


def undelete(session: Session, name: MachineName) -> "Change":
    """Bring a machine back whose disks were kept.

    Args:
        session: whose journals tell how it was defined.
        name: what it was called.
    """
    from raptorctl.api.change import Change
    from raptorctl.plans.machine.undelete import plan_undelete
    from raptorctl.plans.part.records import queries

    return Change(
        verb="undelete",
        name=str(name),
        queries=lambda settings: queries(name, settings),
        people=(name.tenant,),
        decide=lambda settings, facts, job: plan_undelete(
            name, session.past(), settings, facts, job
        ),
    )


def autostart(name: MachineName, *, on: bool) -> "Change":
    """Start a machine with the host, on a session host with libvirt's session; or not."""
    from raptorctl.api.change import Change
    from raptorctl.plans.machine.autostart import plan_autostart

    return Change(
        verb="autostart",
        name=str(name),
        decide=lambda settings, facts, job: plan_autostart(name, settings, facts, job, on=on),
    )


def _facts(session: Session, name: MachineName) -> "HostFacts":
    from raptorctl.model.facts import HostFacts
    from raptorctl.plans.part.records import queries

    if session.is_root:
        return session.facts(queries(name, session.settings))
    return HostFacts(domains=(session.machine(name),), dns_problem="only root asks the server")
