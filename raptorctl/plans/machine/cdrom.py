"""What is in a machine's CD drive: inserted, ejected; or why not."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from raptorctl.model.domain import Domain
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.image import Image
from raptorctl.model.medium import inserted
from raptorctl.model.names import MachineName
from raptorctl.model.settings import Settings
from raptorctl.plans.machine import existing
from raptorctl.plans.machine.disk_refusal import refuse_saved
from raptorctl.plans.part import image as images
from raptorctl.plans.part import medium
from raptorctl.plans.plan import Identity, Plan
from raptorctl.render.cdrom_xml import drive_element, with_medium
from raptorctl.steps.definition import RedefineDomain
from raptorctl.steps.medium import ChangeMedium
from raptorctl.steps.step import Step


@dataclass(frozen=True)
class MediumRequest:
    """What a machine's drive is to hold.

    Args:
        machine: whose machine, and which.
        iso: the image, or what it is asked for by; None for nothing.
    """

    machine: MachineName
    iso: Image | str | None = None


def plan_insert(
    request: MediumRequest, settings: Settings, facts: HostFacts, identity: Identity
) -> Plan:
    """Decide how an ISO gets into a machine's drive, which it is given if it has none.

    Raises:
        RefusedError: it is no ISO, or the machine's state forbids it.
    """
    name, domain = request.machine, existing.whole(request.machine, facts).domain
    image = medium.chosen(request.iso, facts)
    path = medium.path_of(name, image, settings)
    called = image.name if image else ""
    if path == inserted(domain) and path not in facts.unreadable:
        return _plan(
            "cdrom-insert", name, identity, (), f"{name} has {called} in its drive already"
        )
    refuse_saved(domain, "what was in its CD drive")
    steps = (*medium.copied(name, image, settings), *_changed(domain, path))
    summary = f"{name} has {called} in its CD drive"
    plan = _plan("cdrom-insert", name, identity, steps, summary)
    return replace(plan, notes=(*images.notes(image), *_notes(domain)))


def plan_eject(name: MachineName, facts: HostFacts, identity: Identity) -> Plan:
    """Decide how a machine's drive comes to be empty; the drive stays.

    Raises:
        RefusedError: the machine's state forbids it.
    """
    domain = existing.whole(name, facts).domain
    if not any(path for form in domain.forms for path in form.cdroms):
        return _plan("cdrom-eject", name, identity, (), f"nothing is in a CD drive of {name}")
    refuse_saved(domain, "what was in its CD drive")
    steps = tuple(_changed(domain, ""))
    return _plan("cdrom-eject", name, identity, steps, f"nothing is in the CD drive of {name}")


def _plan(
    verb: str,
    name: MachineName,
    identity: Identity,
    steps: tuple[Step, ...],
    summary: str,
) -> Plan:
    return Plan(verb, identity, Reservation(identity.job, name.domain), steps, summary)


def _changed(domain: Domain, path: str) -> Iterator[Step]:
    xml = with_medium(domain.xml, path)
    reason = "its next start brings it" if path else "its next start is without it"
    if path != inserted(domain):
        yield RedefineDomain(reason, domain.name, domain.uuid, domain.xml, xml)
    live = _live(domain)
    if live and live.cdroms:
        paths = (inserted(live), path)
        before = with_medium(domain.xml, paths[0])
        drives = (drive_element(before), drive_element(xml))
        reason = "its guest finds it now" if path else "its guest lets go of it"
        yield ChangeMedium(reason, domain.name, domain.uuid, paths, drives)
    yield from medium.gone(domain, keep=path)


def _live(domain: Domain) -> Domain | None:
    return domain.live or (domain if domain.state.active else None)


def _notes(domain: Domain) -> Iterator[str]:
    live = _live(domain)
    if live and not live.cdroms:
        yield "it runs without a CD drive, and gets one at its next start: stop and start it"
    if not any(form.cdroms for form in domain.forms) and "cdrom" not in domain.boot:
        yield "it boots from its disk alone: `provision --boot cdrom,disk` is for a rescue disc"
