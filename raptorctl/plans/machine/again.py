"""Provision of what is there: already so, to be started, or different."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from raptorctl.errors import DiffersError, RefusedError
from raptorctl.model.domain import Domain, State
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.settings import Settings
from raptorctl.plans.machine import diff, existing
from raptorctl.plans.machine.difference import Difference, Standing, When
from raptorctl.plans.part import address, cpus, medium
from raptorctl.plans.part import image as images
from raptorctl.plans.plan import Identity, Plan
from raptorctl.steps.definition import RunDomain
from raptorctl.steps.fit import refuse_damaged
from raptorctl.steps.step import Step

if TYPE_CHECKING:
    from raptorctl.plans.machine.choice import ProvisionRequest


def already(
    request: "ProvisionRequest",
    there: existing.Existing,
    settings: Settings,
    facts: HostFacts,
    identity: Identity,
) -> Plan:
    """Return a plan for a machine that is there and as asked: to start it if it does not run.

    Raises:
        DiffersError: it differs; says in what.
        RefusedError: it cannot be started now.
    """
    if differences := tuple(_differences(request, there, settings, facts)):
        raise DiffersError(
            f"machine {request.name} exists and differs",
            resolution="ask for what is there, or change it first",
            details="\n".join(differences),
            subject=str(request.name),
        )
    mended = tuple(address.again(there.domain, facts))
    steps = tuple(_started(there, facts)) if request.start else ()
    return Plan(
        verb="provision",
        identity=identity,
        reservation=Reservation(identity.job, request.name.domain),
        steps=(*mended, *steps),
        summary=f"machine {request.name} {_state(there.domain, starts=bool(steps))}",
    )


def _state(domain: Domain, *, starts: bool) -> str:
    """What it was, and what comes of it; or what lets it go on, where nobody asked for that."""
    state = domain.state
    if starts:
        return "was off: it is started" if state is State.OFF else f"was {state.value}: it goes on"
    if state.stands_still or state is State.SAVED:
        verb = "start" if state is State.SAVED else "resume"
        return f"is already so, and {state.value}: `raptorctl {verb} {domain.name}` lets it go on"
    return "is already so"


def _started(there: existing.Existing, facts: HostFacts) -> Iterable[Step]:
    domain, state = there.domain, there.domain.state
    if state.runs:
        return
    cpus.refuse_stuck(domain, facts.topology)
    if not state.active:
        for volume in facts.volumes:
            if volume.path in {there.volume.path, *domain.disks}:
                refuse_damaged(volume, facts.damaged)
        medium.refuse_unreadable(domain, facts)
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
    image = images.chosen(request.found or request.spec.image, facts)
    iso = medium.chosen(request.found_iso or request.spec.iso, facts)
    found = diff.compare(Standing(request.spec, there, facts, image, iso))
    yield from told(one for one in found if one.when is not When.SAME)
    if not there.volume.clean:
        yield f"volume {there.volume.name} is not clean"
    fqdn = settings.fqdn(request.name)
    if (
        fqdn
        and there.mark.place
        and not facts.dns_problem
        and all(record.name != fqdn for record in facts.records)
    ):
        yield "it has no DNS records"


def told(differences: Iterable[Difference]) -> Iterator[str]:
    """Say what differs, a line each, and below what changes it; those of one command together."""
    by_remedy: dict[tuple[When, str], list[str]] = {}
    for one in differences:
        by_remedy.setdefault((one.when, one.how), []).append(f"{one.told}: {one.when.value}")
    for (_, how), lines in by_remedy.items():
        yield from lines
        yield f"  {how}"
