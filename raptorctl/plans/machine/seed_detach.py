"""Taking a seed away: what cloud-init did stays, and nobody can read any more what it was told."""

from collections.abc import Iterator

from raptorctl.errors import RefusedError
from raptorctl.model.domain import Domain, State
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.names import MachineName
from raptorctl.plans.machine import existing
from raptorctl.plans.part.seed import attached
from raptorctl.plans.plan import Identity, Plan
from raptorctl.render.domain_xml import seed_element, without_seed
from raptorctl.steps.definition import RedefineDomain
from raptorctl.steps.seed import DetachSeed, RemoveSeed
from raptorctl.steps.step import Step


def plan_detach(name: MachineName, facts: HostFacts, identity: Identity) -> Plan:
    """Decide how a machine's seed goes.

    Raises:
        RefusedError: there is no such machine, it is saved, or a job works on it.
    """
    domain = existing.whole(name, facts).domain
    path = attached(domain)
    if path and domain.state is State.SAVED:
        raise RefusedError(
            f"machine {name} is saved, and cannot resume without its seed",
            resolution=f"raptorctl start {name} first",
            code=Code.MACHINE_SAVED,
            subject=str(name),
        )
    return Plan(
        verb="seed-detach",
        identity=identity,
        reservation=Reservation(identity.job, name.domain),
        steps=tuple(_steps(domain, path)) if path else (),
        summary=f"{name} has no seed {'any more' if path else 'already'}",
    )


def _steps(domain: Domain, path: str) -> Iterator[Step]:
    yield RedefineDomain(
        reason="it is not there at its next start",
        name=domain.name,
        uuid=domain.uuid,
        before=domain.xml,
        xml=without_seed(domain.xml),
    )
    if domain.state.active:
        yield DetachSeed(
            reason="the guest may hold it open",
            name=domain.name,
            uuid=domain.uuid,
            path=path,
            xml=seed_element(path),
        )
    yield RemoveSeed(reason="its keys are its owner's", path=path)
