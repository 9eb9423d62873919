"""Disks of a machine that stands: added, grown, kept or not, removed; or why not."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from raptorctl.errors import DiffersError, RefusedError
from raptorctl.model.disk import Bus, DiskSpec, ExtraDisk, disks
from raptorctl.model.domain import Domain
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.image import Image
from raptorctl.model.names import MachineName
from raptorctl.model.retired import retired
from raptorctl.model.settings import Settings
from raptorctl.model.sizes import Size
from raptorctl.model.spec import MachineSpec
from raptorctl.model.volume import Volume, device_path, is_overlay
from raptorctl.plans.machine import diff_disk, existing, retirement, wipe
from raptorctl.plans.machine.again import told
from raptorctl.plans.machine.difference import Standing
from raptorctl.plans.machine.disk_refusal import refuse_saved, refuse_smaller
from raptorctl.plans.machine.existing import Existing
from raptorctl.plans.part import disk, extra, growth, room
from raptorctl.plans.past import NOTHING, Past
from raptorctl.plans.plan import Identity, Plan
from raptorctl.plans.tenant.quota import Usage, refuse_over
from raptorctl.render.disk_xml import bus_of, disk_element, with_disk, without_disk
from raptorctl.steps.definition import RedefineDomain
from raptorctl.steps.disk import KeepDisk, PlugDisk, UnplugDisk
from raptorctl.steps.step import Step
from raptorctl.steps.volume import RetireVolume


@dataclass(frozen=True)
class DiskRequest:
    """A further disk that a machine is to have.

    Args:
        machine: whose machine, and which.
        name: the disk's.
        spec: what it should be.
        found: the image of the spec, where the caller has looked it up.
    """

    machine: MachineName
    name: str
    spec: DiskSpec
    found: Image | None = None


def plan_add(
    request: DiskRequest, settings: Settings, facts: HostFacts, identity: Identity
) -> Plan:
    """Decide how a machine gets a disk more, or why it cannot.

    Raises:
        DiffersError: it has a disk of that name, which is otherwise.
        RefusedError: the host's state forbids it.
    """
    there = existing.whole(request.machine, facts)
    if one := find_attached(request.machine, request.name, facts, there.domain):
        return _already(request, one, there, facts, identity)
    room.refuse_missing_disks(facts)
    refuse_saved(there.domain)
    found = {request.name: request.found} if request.found else {}
    (added,) = extra.chosen(request.machine, {request.name: request.spec}, found, facts)
    room.refuse_large(added.grown, settings, facts)
    if tenant := facts.tenant(request.machine.tenant):
        refuse_over(tenant, Usage(size=added.grown), facts)
    steps = (*added.steps(settings, identity), *_given(added, there.domain, settings, facts))
    summary = f"disk {added.name} of {added.machine}: {added.size} on {added.volume}"
    plan = _plan("disk-add", request.machine, identity, steps, summary)
    return replace(plan, notes=(*extra.notes((added,)), *_add_notes(added, there.domain)))


def plan_remove(
    which: tuple[MachineName, str],
    settings: Settings,
    facts: HostFacts,
    identity: Identity,
    past: Past = NOTHING,
) -> Plan:
    """Decide how a disk goes, whether a machine has it or not; or why it cannot.

    Args:
        which: a machine, there or gone, and the name of its disk.
        settings: the host's.
        facts: the host.
        identity: of the job.
        past: what journals tell of the machine whose first disk it was.

    Raises:
        RefusedError: somebody else uses it, or its machine does not let go of it now.
    """
    machine, name = which
    existing.refuse_reserved(machine, facts)
    one = next((one for one in disks(facts.volumes, machine) if one.name == name), None)
    if one:
        room.refuse_missing_disks(facts)
        wipe.refuse_in_use(replace(one.volume, is_open=False), _without(one.machine, facts))
    path = device_path(settings.storage.volume_group, machine.disk(name))
    detached = tuple(_detached(path, facts.domain(machine)))
    if one and not detached:
        wipe.refuse_in_use(one.volume, facts)
    gone = _gone(one.volume, tuple(_papers(one.volume, facts, past))) if one else ()
    steps = (*detached, *gone)
    left = f"nothing of disk {machine} {name} is left"
    summary = left if steps else f"there is no disk {name} of {machine}"
    return _plan("disk-remove", machine, identity, steps, summary)


def plan_grow(
    machine: MachineName, name: str, size: Size, facts: HostFacts, identity: Identity
) -> Plan:
    """Decide how a disk grows, or why it cannot.

    Raises:
        RefusedError: the host's state forbids it.
    """
    one, domain = _growing(machine, name, facts)
    wanted = size.rounded_up(facts.group.extent if facts.group else 1)
    if wanted == one.volume.size:
        return _plan("disk-grow", machine, identity, (), f"disk {one} is already so")
    room.refuse_missing_disks(facts)
    if domain:
        refuse_saved(domain)
    grown = growth.Growth(machine, one.volume, domain, wanted, machine.disk_growth(name))
    refuse_smaller(one, wanted)
    growth.refuse(grown, facts)
    if tenant := facts.tenant(machine.tenant):
        refuse_over(tenant, Usage(size=grown.more), facts)
    summary = f"disk {one} has {wanted}"
    plan = _plan("disk-grow", machine, identity, tuple(grown.steps(identity)), summary)
    note = "its file systems do not grow by themselves: see growpart, resize2fs"
    rounded = f"size {size} is rounded up to whole extents: {wanted}"
    return replace(plan, notes=(note, *((rounded,) if wanted != size else ())))


def _growing(machine: MachineName, name: str, facts: HostFacts) -> tuple[ExtraDisk, Domain | None]:
    """The disk, and the domain that has it; a kept one may have none."""
    found = (one for one in disks(facts.volumes, machine) if one.name == name)
    kept = next((one for one in found if one.volume.kept and not one.volume.retired), None)
    if kept and kept.user(facts.domains) is None:
        existing.refuse_reserved(machine, facts)
        wipe.refuse_in_use(kept.volume, facts)
        return kept, None
    there = existing.whole(machine, facts)
    return _attached(machine, name, facts, there.domain), there.domain


def plan_keep(
    machine: MachineName, name: str, facts: HostFacts, identity: Identity, *, keep: bool
) -> Plan:
    """Decide how a disk comes to outlive its machine, or not.

    Raises:
        RefusedError: the machine has no such disk.
    """
    there = existing.whole(machine, facts)
    one = _attached(machine, name, facts, there.domain)
    room.refuse_missing_disks(facts)
    steps: tuple[Step, ...] = ()
    if one.volume.kept != keep:
        reason = "it is its tenant's" if keep else "it is its machine's"
        steps = (KeepDisk(reason, one.volume.uuid, one.volume.name, keep),)
    said = "outlives" if keep else "goes with"
    return _plan("disk-set", machine, identity, steps, f"disk {one} {said} its machine")


def _plan(
    verb: str, machine: MachineName, identity: Identity, steps: tuple[Step, ...], summary: str
) -> Plan:
    return Plan(verb, identity, Reservation(identity.job, machine.domain), steps, summary)


def find_attached(
    machine: MachineName, name: str, facts: HostFacts, domain: Domain
) -> ExtraDisk | None:
    """Return the disk of that name, if the machine's definition has it."""
    found = (one for one in disks(facts.volumes, machine) if one.name == name)
    return next((one for one in found if one.volume.path in domain.disks), None)


def _attached(machine: MachineName, name: str, facts: HostFacts, domain: Domain) -> ExtraDisk:
    if one := find_attached(machine, name, facts, domain):
        return one
    names = [one.name for one in disks(facts.volumes, machine) if one.volume.path in domain.disks]
    raise RefusedError(
        f"{machine} has no disk {name}",
        resolution=f"it has: {', '.join(names)}" if names else "see `raptorctl disk list`",
        code=Code.DISK_NOT_FOUND,
        subject=name,
    )


def _already(
    request: DiskRequest, one: ExtraDisk, there: Existing, facts: HostFacts, identity: Identity
) -> Plan:
    it = Standing(MachineSpec(), there, facts)
    if lines := tuple(told(diff_disk.differing(request.name, request.spec, one, it))):
        raise DiffersError(
            f"disk {one} exists and differs",
            resolution="ask for what is there, or change it first",
            details="\n".join(lines),
            subject=str(one),
        )
    return _plan("disk-add", request.machine, identity, (), f"disk {one} is already so")


def _given(
    added: extra.AddedDisk, domain: Domain, settings: Settings, facts: HostFacts
) -> Iterator[Step]:
    device = added.device(settings, facts)
    xml = with_disk(domain.xml, device)
    reason = f"its guest finds it as {_node(added)}"
    yield RedefineDomain(reason, domain.name, domain.uuid, domain.xml, xml)
    if domain.state.active and _is_hot(domain, added.spec.bus.value):
        reason = "it need not start anew"
        element = disk_element(xml, device.path)
        yield PlugDisk(reason, domain.name, domain.uuid, device.path, element)


def _node(added: extra.AddedDisk) -> str:
    """What udev's rules call it in a Linux guest (60-persistent-storage.rules)."""
    virtio = added.spec.bus is Bus.VIRTIO
    return f"/dev/disk/by-id/virtio-{added.name}" if virtio else f"a disk of serial {added.name}"


def _add_notes(added: extra.AddedDisk, domain: Domain) -> Iterator[str]:
    if domain.state.active and not _is_hot(domain, added.spec.bus.value):
        yield f"it runs and takes no {added.spec.bus.value} disk meanwhile: stop and start it"


def _is_hot(domain: Domain, bus: str) -> bool:
    """Whether what runs takes, or lets go of, a disk of that bus."""
    if bus == Bus.VIRTIO.value:
        return True
    # Its controller has to be there: libvirt would plug in one of its own choice.
    return bus == Bus.SCSI.value and any(bus_of(domain.xml, p) == bus for p in domain.now.disks)


def _without(machine: MachineName, facts: HostFacts) -> HostFacts:
    """The host, but for a machine's own domain."""
    others = (d for d in facts.domains if not (d.ours and d.name == machine.domain))
    return replace(facts, domains=tuple(others))


def _detached(path: str, domain: Domain | None) -> Iterator[Step]:
    """What takes a disk from its machine; nothing where that does not have it."""
    if domain is None or not domain.ours or path not in domain.held_disks:
        return
    refuse_saved(domain)
    live = domain.live or (domain if domain.state.active else None)
    if live and path in live.disks and not _is_hot(domain, bus_of(domain.xml, path)):
        raise RefusedError(
            f"{domain.name} runs and lets go of no {bus_of(domain.xml, path)} disk meanwhile",
            resolution=f"raptorctl stop {domain.name} first",
            code=Code.MACHINE_ON,
            subject=domain.name,
        )
    if element := disk_element(domain.xml, path):
        reason, xml = "its next start is without it", without_disk(domain.xml, path)
        yield RedefineDomain(reason, domain.name, domain.uuid, domain.xml, xml)
    if domain.state.active:
        reason = "its guest lets go of it"
        yield UnplugDisk(reason, domain.name, domain.uuid, path, element)


def _papers(volume: Volume, facts: HostFacts, past: Past) -> Iterator[Step]:
    """What was set aside with the first disk of a machine, which cannot come back without it."""
    sets = (one for one in retired(facts.volumes) if one.job == volume.retired)
    gone = next(sets, None) if volume.was_first else None
    if gone:
        yield from retirement.papers(gone, past, facts)


def _gone(volume: Volume, papers: tuple[Step, ...]) -> Iterator[Step]:
    if not is_overlay(volume.group):
        yield RetireVolume("nobody may use it", volume.uuid, volume.name, volume.clean)
    yield from papers
    yield from disk.gone(volume)
