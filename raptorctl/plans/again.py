"""Provision of what is there: already so, to be started, or different."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from raptorctl.errors import RefusedError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain, State
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.settings import Settings
from raptorctl.model.sizes import Size
from raptorctl.plans import cpus, existing
from raptorctl.plans import image as images
from raptorctl.plans.plan import Identity, Plan
from raptorctl.steps.definition import RunDomain
from raptorctl.steps.step import Step

if TYPE_CHECKING:
    from raptorctl.plans.provision import ProvisionRequest


def already(
    request: "ProvisionRequest",
    there: existing.Existing,
    settings: Settings,
    facts: HostFacts,
    identity: Identity,
) -> Plan:
    """Return a plan for a machine that is there and as asked: to start it if it does not run.

    Raises:
        RefusedError: it differs; says in what. Or it cannot be started now.
    """
    if differences := tuple(_differences(request, there, settings, facts)):
        raise RefusedError(
            f"machine {request.name} exists and differs: {'; '.join(differences)}",
            resolution="see `raptorctl show`, or deprovision it first",
            code=Code.MACHINE_DIFFERS,
            subject=str(request.name),
        )
    steps = tuple(_started(there, facts)) if request.start else ()
    return Plan(
        verb="provision",
        identity=identity,
        reservation=Reservation(identity.job, request.name.domain),
        steps=steps,
        summary=f"machine {request.name} {'is there, and runs' if steps else 'is already so'}",
    )


def _started(there: existing.Existing, facts: HostFacts) -> Iterable[Step]:
    domain, state = there.domain, there.domain.state
    if state.runs:
        return
    cpus.refuse_stuck(domain, facts.topology)
    if not state.can_run:
        raise RefusedError(
            f"{domain.name} is {state.value}",
            resolution=restart(domain),
            code=Code.MACHINE_STUCK,
            subject=domain.name,
        )
    was = {State.SAVED: "what was saved of it goes on", State.OFF: "asked to run"}
    yield RunDomain(
        reason=was.get(state, f"it is {state.value}"),
        name=domain.name,
        uuid=domain.uuid,
        volume=there.volume.name,
    )


def restart(domain: Domain) -> str:
    """What brings a machine back that is neither off nor running."""
    return f"raptorctl stop {domain.name} --timeout 0 --force, then start it"


def _differences(
    request: "ProvisionRequest", there: existing.Existing, settings: Settings, facts: HostFacts
) -> Iterable[str]:
    """What was asked for in words; a default that was not asked for differs from nothing."""
    extent = facts.group.extent if facts.group else 1
    asked_size = request.size.rounded_up(extent) if request.size else None
    pairs = [
        ("size", there.volume.size, asked_size),
        *_asked(request, there.domain),
        ("slot", there.mark.place, request.slot),
        ("template", there.mark.template, request.template),
    ]
    for what, has, asked in pairs:
        if asked is not None and has != asked:
            yield f"{what} {has}, not {asked}"
    yield from _forms_differ(request, there.domain)
    image = images.chosen(request.image, facts)
    if image and image.digest and image.digest != there.mark.image_digest:
        yield f"image {there.mark.image_name or 'none'}, not {image.name}"
    if not there.volume.clean:
        yield f"volume {there.volume.name} is not clean"
    fqdn = settings.fqdn(request.name)
    if fqdn and not facts.dns_problem and all(record.name != fqdn for record in facts.records):
        yield "it has no DNS records"


def _forms_differ(request: "ProvisionRequest", domain: Domain) -> Iterable[str]:
    for how, form in (("it runs", domain.live), ("it was saved", domain.saved)):
        for what, has, asked in _asked(request, form) if form else ():
            if asked is not None and has != asked:
                yield f"{how} with {what} {has}, not {asked}"


def _asked(
    request: "ProvisionRequest", form: Domain
) -> Iterable[tuple[str, CpuSet | int | Size, CpuSet | int | Size | None]]:
    """What a machine has of what was asked for, in any of its forms."""
    yield "CPUs", form.pins, request.cpus or None
    yield "number of CPUs", form.vcpus, request.cpu_count or None
    yield "memory", form.memory, request.memory
