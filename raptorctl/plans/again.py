"""Provision of what is there: already so, or different."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from raptorctl.errors import RefusedError
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.settings import Settings
from raptorctl.plans import existing
from raptorctl.plans import image as images
from raptorctl.plans.plan import Identity, Plan

if TYPE_CHECKING:
    from raptorctl.plans.provision import ProvisionRequest


def already(
    request: "ProvisionRequest",
    there: existing.Existing,
    settings: Settings,
    facts: HostFacts,
    identity: Identity,
) -> Plan:
    """Return a plan without a step, for a machine that is there and as asked.

    Raises:
        RefusedError: it differs; says in what.
    """
    if differences := tuple(_differences(request, there, settings, facts)):
        raise RefusedError(
            f"machine {request.name} exists and differs: {'; '.join(differences)}",
            resolution="see `raptorctl show`, or deprovision it first",
        )
    return Plan(
        verb="provision",
        identity=identity,
        reservation=Reservation(identity.job, request.name.domain),
        steps=(),
        summary=f"machine {request.name} is already so",
    )


def _differences(
    request: "ProvisionRequest", there: existing.Existing, settings: Settings, facts: HostFacts
) -> Iterable[str]:
    """What was asked for in words; a default that was not asked for differs from nothing."""
    extent = facts.group.extent if facts.group else 1
    asked_size = request.size.rounded_up(extent) if request.size else None
    pairs = [
        ("size", there.volume.size, asked_size),
        ("CPUs", there.domain.pins, request.cpus or None),
        ("number of CPUs", there.domain.vcpus, request.cpu_count or None),
        ("memory", there.domain.memory, request.memory),
        ("slot", there.mark.place, request.slot),
        ("template", there.mark.template, request.template),
    ]
    for what, has, asked in pairs:
        if asked is not None and has != asked:
            yield f"{what} {has}, not {asked}"
    image = images.chosen(request.image, facts)
    if image and image.digest and image.digest != there.mark.image_digest:
        yield f"image {there.mark.image_name or 'none'}, not {image.name}"
    if request.start and not there.domain.state.active:
        yield "it does not run"
    if not there.volume.clean:
        yield f"volume {there.volume.name} is not clean"
    fqdn = settings.fqdn(request.name)
    if fqdn and not facts.dns_problem and all(record.name != fqdn for record in facts.records):
        yield "it has no DNS records"
