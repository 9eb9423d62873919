"""Undelete: a machine that was retired comes back, with its disks, at a place that is free."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from raptorctl.errors import RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.expiry import plus
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.names import MachineName
from raptorctl.model.record import in_the_way
from raptorctl.model.retired import Retired, retired
from raptorctl.model.settings import Settings
from raptorctl.model.slot import Slot
from raptorctl.model.volume import DUE
from raptorctl.plans.machine import cpus_back, existing, retirement
from raptorctl.plans.machine.cpus_back import CpusBack
from raptorctl.plans.machine.retire import refuse_session
from raptorctl.plans.machine.retirement import Retirement
from raptorctl.plans.part import address, log, medium, need, records, room, seed, slots
from raptorctl.plans.part.owner import find_owner
from raptorctl.plans.past import Past
from raptorctl.plans.plan import Identity, Plan
from raptorctl.plans.tenant.quota import Usage, refuse_over
from raptorctl.render.cdrom_xml import with_medium
from raptorctl.render.disk_xml import without_disk
from raptorctl.render.domain_xml import marked_domain
from raptorctl.render.network_xml import moved_domain
from raptorctl.steps.definition import SetAutostart
from raptorctl.steps.domain import RestoreDomain, StartDomain
from raptorctl.steps.rebuild import PutBack
from raptorctl.steps.record import AddRecords
from raptorctl.steps.retire import KeepVolume, ReturnVolume
from raptorctl.steps.slot import TakeSlot
from raptorctl.steps.step import Step


@dataclass(frozen=True)
class Return:
    """A machine that comes back, with every choice made.

    Args:
        gone: what is kept of it.
        was: how it was.
        slot: where it will be; None for nowhere.
        cpus: where it will run.
        lost: disks that are not there any more, or somebody else's by now: their paths.
        expires: the day on which it expires; another than it had, if that is over.
    """

    gone: Retired
    was: Retirement
    slot: Slot | None
    cpus: CpusBack
    lost: tuple[str, ...]
    expires: str

    @property
    def moves(self) -> bool:
        """Whether it has another slot than it had."""
        return self.slot is not None and self.slot.number != self.was.mark.place


def plan_undelete(
    name: MachineName, past: Past, settings: Settings, facts: HostFacts, identity: Identity
) -> Plan:
    """Decide how the machine of that name that was retired last comes back, or why it cannot.

    Args:
        name: what it was called.
        past: what journals tell: how it was defined.
        settings: the host's.
        facts: the host.
        identity: of the job.

    Raises:
        RefusedError: the host's state forbids it.
    """
    refuse_session(settings)
    existing.refuse_reserved(name, facts)
    _refuse_there(name, facts)
    need.refuse_unready(settings, facts)
    gone = _latest(name, facts, past)
    was = retirement.told(gone, past)
    _refuse_unfit(gone, was, facts)
    _refuse_papers(name, settings, facts)
    wish = _choose(gone, was, settings, facts, identity)
    _refuse_nets(was, facts)
    _refuse_owner(name, settings, facts, identity)
    _refuse_room(wish, settings, facts)
    return Plan(
        verb="undelete",
        identity=identity,
        reservation=Reservation(
            identity.job, name.domain, wish.slot.number if wish.slot else None, wish.cpus.pins
        ),
        steps=tuple(_steps(wish, settings, facts)),
        summary=_summary(wish),
        notes=tuple(_notes(wish, facts)),
    )


def _refuse_there(name: MachineName, facts: HostFacts) -> None:
    if existing.find(name, facts):
        raise RefusedError(
            f"another machine is called {name}",
            resolution=f"remove it first, or keep it too: raptorctl deprovision {name} --keep 7d",
            code=Code.IN_USE,
            subject=str(name),
        )


def _latest(name: MachineName, facts: HostFacts, past: Past) -> Retired:
    found = [one for one in retired(facts.volumes) if one.name == name]
    if not found:
        raise RefusedError(
            f"nothing of a machine {name} is kept",
            resolution="see `raptorctl disk list`",
            code=Code.MACHINE_NOT_FOUND,
            subject=str(name),
        )
    # An identifier knows seconds only.
    order = {job.id: number for number, (job, _) in enumerate(past.jobs)}
    return max(found, key=lambda one: order.get(one.job, -1))


def _refuse_unfit(gone: Retired, was: Retirement, facts: HostFacts) -> None:
    first = next((one for one in gone.disks if one.volume.uuid == was.first.uuid), None)
    if first is None:
        raise RefusedError(
            f"the first disk of {gone.name} is gone",
            resolution="its other disks can be taken up: see `raptorctl disk list`",
            code=Code.DISK_NOT_FOUND,
            subject=str(gone.name),
        )
    room.refuse_missing_disks(facts)
    room.refuse_unclean(first.volume)
    if retirement.in_use(first.volume, facts):
        raise RefusedError(
            f"volume {first.volume.name} is in use",
            resolution="see `lsof`, `dmsetup ls`, `raptorctl disk list`",
            code=Code.IN_USE,
            subject=first.volume.name,
        )


def _refuse_papers(name: MachineName, settings: Settings, facts: HostFacts) -> None:
    room.refuse_old_nvram(name, settings, facts)
    log.refuse_old(name, settings, facts)
    seed.refuse_old(name, settings, facts)
    fqdn = settings.fqdn(name)
    if record := in_the_way(fqdn, facts.records):
        raise RefusedError(records.told(record, fqdn), resolution=records.remedy(record, fqdn))


def _refuse_nets(was: Retirement, facts: HostFacts) -> None:
    for net in (net for net in was.domain.others if net.ip):
        there = net.name in facts.networks
        problem, todo = address.obstacle(net, facts) if there else ("is not active", "")
        if problem:
            raise RefusedError(
                f"network {net.name} {problem}", resolution=todo, code=Code.NO_NETWORK
            )


def _choose(
    gone: Retired, was: Retirement, settings: Settings, facts: HostFacts, identity: Identity
) -> Return:
    slot = None
    if was.mark.place is not None:
        old = next((one for one in settings.slot if one.number == was.mark.place), None)
        free = old is not None and not slots.obstacle(old, settings, facts)
        slot = old if free else slots.choose(None, settings, facts)
    today, expires = identity.at[:10], was.mark.expires
    if expires and expires <= today:
        expires = plus(today, max(1, settings.expiry.grace_days))
    lost = tuple(_lost(was, facts))
    cpus = cpus_back.chosen(was.domain, settings, facts)
    return Return(gone, was, slot, cpus, lost, expires)


def _lost(was: Retirement, facts: HostFacts) -> Iterator[str]:
    own = {one.uuid for one in was.disks}
    by_path = {volume.path: volume for volume in facts.volumes}
    for path in was.domain.disks:
        volume = by_path.get(path)
        mine = volume is not None and volume.owner == was.mark.name and volume.disk != ""
        usable = volume is not None and mine and not retirement.in_use(volume, facts)
        names_disk = "/disk-" in path
        if names_disk and not (usable and volume and (volume.uuid in own or volume.kept)):
            yield path


def _refuse_owner(
    name: MachineName, settings: Settings, facts: HostFacts, identity: Identity
) -> None:
    owner = find_owner(name.tenant, (), settings, facts, identity)
    if owner.steps:
        raise RefusedError(
            f"there is no tenant {name.tenant} any more",
            resolution=f"raptorctl tenant add {name.tenant}",
            code=Code.TENANT_NOT_FOUND,
            subject=name.tenant,
        )


def _refuse_room(wish: Return, settings: Settings, facts: HostFacts) -> None:
    domain = wish.was.domain
    room.refuse_memory(domain.memory, settings, facts)
    if tenant := facts.tenant(wish.gone.name.tenant):
        # What its disks take is counted already.
        refuse_over(tenant, Usage(1, domain.vcpus, domain.memory), facts)


def _steps(wish: Return, settings: Settings, facts: HostFacts) -> Iterator[Step]:
    was, name = wish.was, wish.gone.name
    domain, job = was.domain, was.mark.job
    by_uuid = {one.volume.uuid: one.volume for one in wish.gone.disks}
    for kept in was.disks:
        if volume := by_uuid.get(kept.uuid):
            yield _returned(wish, kept, volume.due)
    for one in was.aside:
        yield PutBack("as it was", one.what, one.aside, one.path)
    xml = _xml(wish, facts)
    yield RestoreDomain("the same machine", job, domain.name, domain.uuid, name.volume, xml)
    if wish.slot:
        at = wish.slot
        reason = "nobody else may have this bridge or MAC"
        yield TakeSlot(reason, at.number, at.bridge, at.mac, domain.uuid)
    yield from address.reserved(domain.others, domain.uuid, domain.name)
    for wanted in records.wanted(name, wish.slot, was.mark.names_job, settings):
        yield AddRecords(reason=records.reason(wanted), zone=wanted.zone, records=wanted.records)
    if was.definition.autostart:
        yield SetAutostart("as it did before", domain.name, domain.uuid, on=True)
    if was.definition.was_active:
        yield StartDomain("it ran", job, domain.name, domain.uuid, name.volume, at_boot=False)


def _returned(wish: Return, kept: KeepVolume, due: str) -> ReturnVolume:
    remove = (*kept.add, *((f"{DUE}{due}",) if due else ()))
    add: tuple[str, ...] = ()
    if wish.moves and wish.slot and kept is wish.was.first:
        add = (f"raptor.slot={wish.slot.number}",)
        remove = (*remove, f"raptor.slot={wish.was.mark.slot}")
    return ReturnVolume("it is its machine's", kept.uuid, kept.name, kept.before, add, remove)


def _xml(wish: Return, facts: HostFacts) -> str:
    was, xml = wish.was, wish.cpus.placed(wish.was.definition.xml)
    for path in wish.lost:
        xml = without_disk(xml, path)
    if medium.copies(was.domain):
        xml = with_medium(xml, "")
    mark = replace(was.mark, expires=wish.expires, warned="", due="")
    if wish.slot and wish.moves:
        before = next(iter(was.domain.macs), "")
        xml = moved_domain(xml, before, wish.slot)
        mark = replace(mark, slot=wish.slot.number)
    return xml if mark == was.mark else marked_domain(xml, mark)


def _summary(wish: Return) -> str:
    where = f" on slot {wish.slot.number}" if wish.slot else ""
    pins = f", CPUs {wish.cpus.pins}" if wish.cpus.pins else ""
    return f"machine {wish.gone.name} is back{where}{pins}"


def _notes(wish: Return, facts: HostFacts) -> Iterator[str]:
    was = wish.was
    if wish.moves and wish.slot:
        yield (
            f"slot {was.mark.slot} is taken: it has slot {wish.slot.number} now, and a guest "
            "that knows its address by itself has to be told"
        )
    yield from wish.cpus.notes()
    for path in wish.lost:
        yield f"{path} is not its any more, and was taken out of its definition"
    if wish.expires != was.mark.expires:
        name = wish.gone.name
        yield f"it had expired; now it does on {wish.expires}: raptorctl extend {name} 90d"
    if medium.copies(was.domain):
        yield "its CD drive is empty"
