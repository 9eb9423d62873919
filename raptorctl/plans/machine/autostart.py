"""Autostart: whether a machine starts with the host."""

from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.names import MachineName
from raptorctl.plans.machine import existing
from raptorctl.plans.plan import Identity, Plan
from raptorctl.steps.definition import SetAutostart


def plan_autostart(name: MachineName, facts: HostFacts, identity: Identity, *, on: bool) -> Plan:
    """Decide how a machine comes to start with the host, or not to.

    Raises:
        RefusedError: it is not there, or not whole; or a job works on it.
    """
    domain = existing.whole(name, facts).domain
    summary = f"{name} {'starts' if on else 'does not start'} with the host"
    step = SetAutostart(reason="asked for", name=domain.name, uuid=domain.uuid, on=on)
    already = domain.autostart == on
    return Plan(
        verb="autostart",
        identity=identity,
        reservation=Reservation(identity.job, name.domain),
        steps=() if already else (step,),
        summary=f"{summary}, as before" if already else summary,
    )
