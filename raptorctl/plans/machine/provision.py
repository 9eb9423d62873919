"""Provision: a machine stands, pinned, clean, named in DNS. All of it is decided here, purely."""

from collections.abc import Iterable
from dataclasses import replace

from raptorctl.errors import InputError, RefusedError
from raptorctl.model.cpuset import cpu_count
from raptorctl.model.domain import Mark
from raptorctl.model.domain_spec import DomainSpec
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.record import in_the_way
from raptorctl.model.session_host import DISK
from raptorctl.model.settings import Settings
from raptorctl.model.spec import MachineSpec
from raptorctl.model.volume import device_path
from raptorctl.plans.machine import existing
from raptorctl.plans.machine.choice import Choice, ProvisionRequest
from raptorctl.plans.part import (
    address,
    cpus,
    disk,
    expiry,
    extra,
    hardware,
    log,
    need,
    net,
    records,
    room,
    seed,
    session_host,
)
from raptorctl.plans.part import image as images
from raptorctl.plans.part import medium as drive
from raptorctl.plans.part.owner import find_owner, qemu_id
from raptorctl.plans.plan import Identity, Plan
from raptorctl.plans.tenant.quota import refuse_over
from raptorctl.render.domain_xml import render_domain
from raptorctl.steps.domain import DefineDomain, StartDomain
from raptorctl.steps.record import AddRecords
from raptorctl.steps.slot import TakeSlot
from raptorctl.steps.step import Step


def plan_provision(
    request: ProvisionRequest, settings: Settings, facts: HostFacts, identity: Identity
) -> Plan:
    """Decide how a machine comes to be, or why it cannot.

    Raises:
        InputError: the request names something this host never has.
        RefusedError: the host's state forbids it; the message says who or what is in the way.
    """
    existing.refuse_reserved(request.name, facts)
    if there := existing.find(request.name, facts):
        from raptorctl.plans.machine import again

        return again.already(request, there, settings, facts, identity)
    need.refuse_unready(settings, facts)
    request = _with_cpus(request, settings, facts)
    notes = _check(request, settings, facts)
    choice = _choose(request, settings, facts, identity)
    if tenant := facts.tenant(choice.name.tenant):
        refuse_over(tenant, choice.usage, facts)
    images.refuse_large(choice.image, choice.size)
    room.refuse_large(choice.all_disks, settings, facts)
    _refuse_taken_names(choice, settings, facts)
    return Plan(
        verb="provision",
        identity=identity,
        reservation=Reservation(identity.job, choice.name.domain, choice.place, choice.cpus),
        steps=(*choice.owner.steps, *_steps(request, choice, settings, facts, identity)),
        summary=_summary(choice),
        notes=(
            *choice.owner.notes,
            *notes,
            *disk.notes(request.spec.size, choice.size),
            *images.notes(choice.image, choice.iso),
            *extra.notes(choice.disks),
            *records.missing_pointers(choice.wiring.slot, settings),
            *seed.notes(request, settings, facts),
            *choice.wiring.notes(settings),
            *session_host.notes(choice.all_disks, settings, facts),
        ),
    )


def render_xml(
    request: ProvisionRequest, settings: Settings, facts: HostFacts, identity: Identity
) -> str:
    """Render what provision would define, whatever else is on the host.

    Raises:
        InputError: the template or the slot is not there.
    """
    request = _with_cpus(request, settings, facts)
    return _xml(request, _choose(request, settings, facts, identity), settings, facts, identity)


def _with_cpus(request: ProvisionRequest, settings: Settings, facts: HostFacts) -> ProvisionRequest:
    """Choose CPUs for who said only how many; on a session host there are none to choose."""
    found = cpus.chosen(request.spec.cpus, settings, facts)
    return replace(request, spec=MachineSpec(cpus=found or None).over(request.spec))


def _check(request: ProvisionRequest, settings: Settings, facts: HostFacts) -> tuple[str, ...]:
    room.refuse_old_nvram(request.name, settings, facts)
    log.refuse_old(request.name, settings, facts)
    seed.refuse_old(request.name, settings, facts)
    seed.refuse_stranger(request, facts)
    room.refuse_large(request.spec.size or DISK, settings, facts)
    room.refuse_memory(request.spec.memory or settings.machine.memory, settings, facts)
    _refuse_cpus(request, settings, facts)
    hardware.refuse(request.spec, settings, facts)
    return cpus.notes(request.name, request.pins, facts)


def _refuse_cpus(request: ProvisionRequest, settings: Settings, facts: HostFacts) -> None:
    share, asked = bool(request.spec.share), request.spec.emulator_cpus
    cpus.refuse(request.pins, settings, facts, share=share)
    if share:
        session_host.refuse_pins(settings, "--share")
    if asked:
        session_host.refuse_pins(settings, "--emulator-cpus")
        cpus.refuse_emulator(asked, request.pins, settings, facts, share=share)


def _choose(
    request: ProvisionRequest, settings: Settings, facts: HostFacts, identity: Identity
) -> Choice:
    group = room.group(settings, facts)
    spec = request.spec
    template = spec.template or settings.machine.template
    if template not in facts.templates:
        known = ", ".join(sorted(facts.templates)) or "none"
        raise InputError(f"there is no template {template}", resolution=f"there is: {known}")
    cpus.refuse_many(request.vcpus or len(request.pins), facts.templates[template], facts)
    image = images.chosen(request.found or spec.image, facts)
    return Choice(
        name=request.name,
        size=session_host.disk_size(spec.size, image).rounded_up(group.extent),
        cpus=request.pins,
        memory=spec.memory or settings.machine.memory,
        wiring=net.choose(spec, settings, facts),
        template=template,
        owner=find_owner(request.name.tenant, spec.keys or (), settings, facts, identity),
        image=image,
        vcpus=request.vcpus,
        disks=extra.chosen(request.name, spec.disks or {}, request.found_disks, facts),
        iso=drive.chosen(request.found_iso or spec.iso, facts),
    )


def _refuse_taken_names(choice: Choice, settings: Settings, facts: HostFacts) -> None:
    fqdn = settings.fqdn(choice.name)
    if record := in_the_way(fqdn, facts.records):
        raise RefusedError(records.told(record, fqdn), resolution=records.remedy(record, fqdn))


def _steps(
    request: ProvisionRequest,
    choice: Choice,
    settings: Settings,
    facts: HostFacts,
    identity: Identity,
) -> Iterable[Step]:
    name, slot, job = choice.name, choice.wiring.slot, identity.job
    wanted_disk = disk.Disk(name, choice.size, choice.place, choice.image)
    yield from disk.made(wanted_disk, settings, identity, "the machine's disk")
    for one in choice.disks:
        yield from one.steps(settings, identity)
    yield from drive.copied(name, choice.iso, settings)
    guest = seed.guest(name, slot, facts.templates[choice.template], settings, identity)
    guest = seed.wired(guest, choice.wiring.macs(identity.uuid))
    yield from seed.seed_steps(request, guest, identity, settings, facts)
    yield DefineDomain(
        reason=_definition_reason(choice),
        job=job,
        name=name.domain,
        uuid=identity.uuid,
        volume=name.volume,
        nvram=f"{settings.libvirt.nvram_dir}/{name.nvram}",
        xml=_xml(request, choice, settings, facts, identity),
        log=log.console_log(name, settings, facts),
    )
    if slot:
        yield TakeSlot(
            reason="nobody else may have this bridge or MAC",
            number=slot.number,
            bridge=slot.bridge,
            mac=slot.mac,
            uuid=identity.uuid,
        )
    yield from address.reserved(choice.wiring.others, identity.uuid, name.domain)
    for wanted in records.wanted(name, slot, job, settings):
        yield AddRecords(reason=records.reason(wanted), zone=wanted.zone, records=wanted.records)
    if request.start:
        yield StartDomain(
            reason="asked to run",
            job=job,
            name=name.domain,
            uuid=identity.uuid,
            volume=name.volume,
            at_boot=settings.has_tenants,
        )


def _definition_reason(choice: Choice) -> str:
    where = cpu_count(len(choice.cpus) or choice.vcpus)
    where += f" on {choice.cpus}" if choice.cpus else ""
    return f"{where}, {choice.memory} of memory"


def _xml(
    request: ProvisionRequest,
    choice: Choice,
    settings: Settings,
    facts: HostFacts,
    identity: Identity,
) -> str:
    boot = request.first_boot
    spec = DomainSpec(
        mark=Mark(
            tenant=choice.name.tenant,
            machine=choice.name.machine,
            slot=choice.place or 0,
            job=identity.job,
            created=identity.at,
            created_by=identity.by,
            template=choice.template,
            image=images.said(choice.image),
            host_key=boot.host_key.public if boot and boot.host_key else "",
            ssh=choice.wiring.ssh,
            made=seed.made(request, facts),
            shares="cpus" if request.spec.share else "",
            file=request.file,
            reserved=address.said(choice.wiring.others),
            expires=expiry.day(request.spec.expires, settings, identity),
        ),
        uuid=identity.uuid,
        accelerator=facts.accelerator,
        memory=choice.memory,
        cpus=choice.cpus,
        emulator=cpus.emulator(choice.cpus, request.spec.emulator_cpus),
        disk=device_path(settings.storage.volume_group, choice.name.volume),
        slot=choice.wiring.slot,
        libvirt=hardware.firmware(request.spec, settings, facts),
        qemu_id=qemu_id(choice.owner, settings),
        log=log.console_log(choice.name, settings, facts),
        seed=seed.seed_path(choice.name, settings) if boot else "",
        graphics=request.spec.graphics,
        vcpus=choice.vcpus,
        backing=disk.backing(choice.image, settings),
        tpm=request.spec.tpm,
        boot=request.spec.boot or (),
        hugepages=request.spec.hugepages,
        pages_by_memfd=not settings.pins_cpus,
        disks=tuple(one.device(settings, facts) for one in choice.disks),
        forwards=choice.wiring.forwards,
        iso=drive.path_of(choice.name, choice.iso, settings),
        nics=choice.wiring.nics(identity.uuid),
    )
    return render_domain(facts.templates[choice.template], spec)


def _summary(choice: Choice) -> str:
    further = "".join(f"{one.size} on {one.volume}, " for one in choice.disks)
    return (
        f"machine {choice.name}: {choice.size} on {choice.name.volume}, {further}"
        f"{choice.processors}, {choice.memory} of memory, {choice.wiring.told}"
    )
