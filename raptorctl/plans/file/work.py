"""Jobs that only files of machines ask for: all numbers at once, a disk, that steps are done."""

from dataclasses import replace

from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.names import MachineName
from raptorctl.model.settings import Settings
from raptorctl.model.spec import MachineSpec
from raptorctl.plans.machine import existing
from raptorctl.plans.machine.disk import (
    DiskRequest,
    find_attached,
    plan_add,
    plan_grow,
    plan_keep,
)
from raptorctl.plans.machine.resize import ResizeRequest, plan_resize
from raptorctl.plans.part import cpus
from raptorctl.plans.plan import Identity, Plan
from raptorctl.render.domain_xml import marked_domain
from raptorctl.steps.definition import RedefineDomain


def plan_numbers(
    name: MachineName, spec: MachineSpec, settings: Settings, facts: HostFacts, identity: Identity
) -> Plan:
    """Decide how a machine gets the disk size, CPUs and memory of a spec.

    Raises:
        RefusedError: the host's state forbids it.
    """
    pins = cpus.more_or_fewer(existing.whole(name, facts).domain.pins, spec.cpus, settings, facts)
    request = ResizeRequest(name, spec.size, pins, spec.memory)
    if isinstance(spec.cpus, int) and not settings.pins_cpus:
        request = replace(request, vcpus=spec.cpus)
    return plan_resize(request, settings, facts, identity)


def plan_disk(
    request: DiskRequest, settings: Settings, facts: HostFacts, identity: Identity
) -> Plan:
    """Decide how a disk comes to be as asked, whether or not the machine has it.

    Raises:
        RefusedError: the host's state forbids it.
    """
    machine, name, spec = request.machine, request.name, request.spec
    there = existing.whole(machine, facts)
    if find_attached(machine, name, facts, there.domain) is None:
        return plan_add(request, settings, facts, identity)
    kept = plan_keep(machine, name, facts, identity, keep=spec.outlives)
    if spec.size is None:
        return kept
    grown = plan_grow(machine, name, spec.size, facts, identity)
    return replace(grown, verb=kept.verb, steps=(*kept.steps, *grown.steps))


def plan_steps_done(name: MachineName, digest: str, facts: HostFacts, identity: Identity) -> Plan:
    """Decide how a machine's mark comes to say which steps were done in its guest.

    Raises:
        RefusedError: it is not there, or not whole; or a job works on it.
    """
    there = existing.whole(name, facts)
    domain, mark = there.domain, replace(there.mark, steps=digest)
    step = RedefineDomain(
        reason="so that they are not done twice",
        name=domain.name,
        uuid=domain.uuid,
        before=domain.xml,
        xml=marked_domain(domain.xml, mark),
    )
    return Plan(
        verb="steps-done",
        identity=identity,
        reservation=Reservation(identity.job, name.domain),
        steps=() if mark == there.mark else (step,),
        summary=f"{name}: its steps are done",
    )
