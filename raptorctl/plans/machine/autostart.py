"""Autostart: whether a machine starts with the host, or on a session host with its session."""

from typing import Final

from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.names import MachineName
from raptorctl.model.settings import Settings
from raptorctl.plans.machine import existing
from raptorctl.plans.plan import Identity, Plan
from raptorctl.steps.definition import SetAutostart

WHEN: Final = (
    "it starts when libvirt's session begins: with your first command after a login, and at boot"
    " with a user unit (docs/own-host.md)"
)


def plan_autostart(
    name: MachineName, settings: Settings, facts: HostFacts, identity: Identity, *, on: bool
) -> Plan:
    """Decide how a machine comes to start by itself, or not to.

    Raises:
        RefusedError: it is not there, or not whole; or a job works on it.
    """
    domain = existing.whole(name, facts).domain
    by = "with the host" if settings.has_tenants else "with your libvirt session"
    summary = f"{name} {'starts' if on else 'does not start'} {by}"
    step = SetAutostart(reason="asked for", name=domain.name, uuid=domain.uuid, on=on)
    already = domain.autostart == on
    return Plan(
        verb="autostart",
        identity=identity,
        reservation=Reservation(identity.job, name.domain),
        steps=() if already else (step,),
        summary=f"{summary}, as before" if already else summary,
        notes=(WHEN,) if on and not settings.has_tenants else (),
    )
