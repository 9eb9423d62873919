"""Provision: a machine stands, pinned, clean, named in DNS. All of it is decided here, purely."""

from collections.abc import Iterable
from dataclasses import dataclass

from raptorctl.errors import InputError, MissingError, RefusedError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import DomainSpec, Mark
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.names import MachineName
from raptorctl.model.record import (
    ZoneRecords,
    forward_records,
    owner_text,
    pointer,
    readable,
    zone_of,
)
from raptorctl.model.settings import Settings
from raptorctl.model.sizes import Size
from raptorctl.model.slot import Slot
from raptorctl.model.volume import VolumeGroup, device_path, ownership_tags
from raptorctl.plans import cpus, existing, slots
from raptorctl.plans.plan import Identity, Plan
from raptorctl.render.domain_xml import render_domain
from raptorctl.steps.domain import DefineDomain, StartDomain
from raptorctl.steps.record import AddRecords
from raptorctl.steps.slot import TakeSlot
from raptorctl.steps.step import Step
from raptorctl.steps.volume import CreateVolume, ZeroVolume


@dataclass(frozen=True)
class ProvisionRequest:
    """What a person asks for.

    Args:
        name: whose machine, and which.
        size: of its volume, bytes.
        cpus: one host CPU for each virtual CPU, in order.
        memory: bytes, or None for the settings' default.
        slot: a number, or None for the first free one.
        template: its name, or None for the settings' default.
        start: whether to start it.
    """

    name: MachineName
    size: Size
    cpus: CpuSet
    memory: Size | None = None
    slot: int | None = None
    template: str | None = None
    start: bool = True


@dataclass(frozen=True)
class Choice:
    """A request with every default and every free choice filled in."""

    name: MachineName
    size: Size
    cpus: CpuSet
    memory: Size
    slot: Slot
    template: str


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
        return _already(request, there, facts, identity)
    notes = _check(request, settings, facts)
    choice = _choose(request, settings, facts)
    _refuse_silent_dns(facts)
    _refuse_taken_names(choice, settings, facts)
    return Plan(
        verb="provision",
        identity=identity,
        reservation=Reservation(identity.job, choice.name.domain, choice.slot.number, choice.cpus),
        steps=tuple(_steps(request, choice, settings, facts, identity)),
        summary=_summary(choice),
        notes=(*notes, *_size_notes(request, choice), *_zone_notes(choice, settings)),
    )


def render_xml(
    request: ProvisionRequest, settings: Settings, facts: HostFacts, identity: Identity
) -> str:
    """Render what provision would define, whatever else is on the host.

    Raises:
        InputError: the template or the slot is not there.
    """
    return _xml(_choose(request, settings, facts), settings, facts, identity)


def wanted_records(
    name: MachineName, slot: Slot, job: str, settings: Settings
) -> tuple[ZoneRecords, ...]:
    """All records of a machine, by zone: the forward ones first."""
    zone = f"{settings.dns.zone.rstrip('.')}."
    fqdn = name.fqdn(zone)
    forward = ZoneRecords(zone, forward_records(fqdn, slot.addresses, owner_text(name, job)))
    pointers = [pointer(address, fqdn) for address in slot.addresses]
    zones = [zone_of(record.name, settings.dns.reverse_zones) for record in pointers]
    return (
        forward,
        *(ZoneRecords(z, (p,)) for z, p in zip(zones, pointers, strict=True) if z is not None),
    )


def queries(name: MachineName, settings: Settings) -> tuple[tuple[str, str], ...]:
    """What the survey has to ask the DNS server: the machine's name, and every slot's addresses."""
    fqdn = name.fqdn(settings.dns.zone)
    forward = [(fqdn, kind) for kind in ("A", "AAAA", "TXT")]
    addresses = [address for slot in settings.slot for address in slot.addresses]
    names = [f"{address.reverse_pointer}." for address in addresses]
    known = [n for n in names if zone_of(n, settings.dns.reverse_zones)]
    return (*forward, *((name, "PTR") for name in known))


def paths(name: MachineName, settings: Settings) -> tuple[str, ...]:
    """Which files the survey has to look for: the firmware, and the machine's NVRAM."""
    libvirt = settings.libvirt
    return (
        libvirt.firmware_code,
        libvirt.firmware_vars,
        f"{libvirt.nvram_dir}/{name.nvram}",
    )


def _already(
    request: ProvisionRequest, there: existing.Existing, facts: HostFacts, identity: Identity
) -> Plan:
    if differences := tuple(_differences(request, there, facts)):
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
    request: ProvisionRequest, there: existing.Existing, facts: HostFacts
) -> Iterable[str]:
    """What was asked for in words; a default that was not asked for differs from nothing."""
    asked_size = request.size.rounded_up(facts.group.extent) if facts.group else request.size
    pairs = [
        ("size", there.volume.size, asked_size),
        ("CPUs", there.domain.pins, request.cpus),
        ("memory", there.domain.memory, request.memory),
        ("slot", there.mark.slot, request.slot),
        ("template", there.mark.template, request.template),
    ]
    for what, has, asked in pairs:
        if asked is not None and has != asked:
            yield f"{what} {has}, not {asked}"
    if request.start and not there.domain.state.active:
        yield "it does not run"


def _check(request: ProvisionRequest, settings: Settings, facts: HostFacts) -> tuple[str, ...]:
    _refuse_missing_firmware(settings, facts)
    _refuse_large(request, settings, facts)
    _refuse_memory(request, settings, facts)
    cpus.refuse(request.name, request.cpus, settings, facts)
    return cpus.notes(request.name, request.cpus, facts)


def _choose(request: ProvisionRequest, settings: Settings, facts: HostFacts) -> Choice:
    group = _group(settings, facts)
    template = request.template or settings.machine.template
    if template not in facts.templates:
        known = ", ".join(sorted(facts.templates)) or "none"
        raise InputError(f"there is no template {template}", resolution=f"there is: {known}")
    return Choice(
        name=request.name,
        size=request.size.rounded_up(group.extent),
        cpus=request.cpus,
        memory=request.memory or settings.machine.memory,
        slot=slots.choose(request.slot, settings, facts),
        template=template,
    )


def _group(settings: Settings, facts: HostFacts) -> VolumeGroup:
    if facts.group is None:
        raise MissingError(
            f"there is no volume group {settings.storage.volume_group}",
            resolution=f"make it, or name another in {settings.file}: storage.volume_group",
        )
    return facts.group


def _refuse_large(request: ProvisionRequest, settings: Settings, facts: HostFacts) -> None:
    group = _group(settings, facts)
    if request.size.rounded_up(group.extent) > group.free:
        raise RefusedError(f"{request.size} asked; volume group {group.name} has {group.free} free")


def _refuse_memory(request: ProvisionRequest, settings: Settings, facts: HostFacts) -> None:
    asked = request.memory or settings.machine.memory
    promised = Size(sum(domain.memory for domain in facts.domains))
    if promised + asked > facts.memory:
        raise RefusedError(
            f"{asked} of memory asked; the host has {facts.memory}"
            + (f", of which {promised} is promised to other machines" if promised else "")
        )


def _refuse_missing_firmware(settings: Settings, facts: HostFacts) -> None:
    for path in (settings.libvirt.firmware_code, settings.libvirt.firmware_vars):
        if path not in facts.files:
            raise MissingError(
                f"there is no firmware at {path}",
                resolution=f"install OVMF (Debian: ovmf), or correct libvirt in {settings.file}",
            )


def _refuse_silent_dns(facts: HostFacts) -> None:
    if facts.dns_problem:
        raise MissingError(facts.dns_problem)


def _refuse_taken_names(choice: Choice, settings: Settings, facts: HostFacts) -> None:
    fqdn = choice.name.fqdn(settings.dns.zone)
    pointers = {pointer(address, fqdn).name for address in choice.slot.addresses}
    for record in facts.records:
        if record.name == fqdn or record.name in pointers:
            raise RefusedError(
                f"DNS has {record.type} {readable(record.name)} already: {record.value}",
                resolution="remove it, or choose another name or slot",
            )


def _steps(
    request: ProvisionRequest,
    choice: Choice,
    settings: Settings,
    facts: HostFacts,
    identity: Identity,
) -> Iterable[Step]:
    name, slot, job = choice.name, choice.slot, identity.job
    yield CreateVolume(
        reason="the machine's disk",
        job=job,
        name=name.volume,
        size=choice.size,
        tags=ownership_tags(name, job, slot.number),
    )
    yield ZeroVolume(reason="no earlier owner's data may show", job=job, name=name.volume)
    yield DefineDomain(
        reason=f"{len(choice.cpus)} CPUs on {choice.cpus}, {choice.memory} of memory",
        job=job,
        name=name.domain,
        uuid=identity.uuid,
        volume=name.volume,
        nvram=f"{settings.libvirt.nvram_dir}/{name.nvram}",
        xml=_xml(choice, settings, facts, identity),
    )
    yield TakeSlot(
        reason="nobody else may have this bridge or MAC",
        number=slot.number,
        bridge=slot.bridge,
        mac=slot.mac,
        uuid=identity.uuid,
    )
    for wanted in wanted_records(name, slot, job, settings):
        yield AddRecords(reason=_dns_reason(wanted), zone=wanted.zone, records=wanted.records)
    if request.start:
        yield StartDomain(
            reason="asked to run",
            job=job,
            name=name.domain,
            uuid=identity.uuid,
            volume=name.volume,
        )


def _xml(choice: Choice, settings: Settings, facts: HostFacts, identity: Identity) -> str:
    spec = DomainSpec(
        mark=Mark(
            tenant=choice.name.tenant,
            machine=choice.name.machine,
            slot=choice.slot.number,
            job=identity.job,
            created=identity.at,
            created_by=identity.by,
            template=choice.template,
        ),
        uuid=identity.uuid,
        accelerator=facts.accelerator,
        memory=choice.memory,
        cpus=choice.cpus,
        emulator=cpus.emulator(choice.cpus),
        disk=device_path(settings.storage.volume_group, choice.name.volume),
        slot=choice.slot,
        libvirt=settings.libvirt,
    )
    return render_domain(facts.templates[choice.template], spec)


def _dns_reason(wanted: ZoneRecords) -> str:
    reverse = any(record.type == "PTR" for record in wanted.records)
    return "the address names the machine" if reverse else "the name finds the machine"


def _summary(choice: Choice) -> str:
    return (
        f"machine {choice.name}: {choice.size} on {choice.name.volume}, CPUs {choice.cpus}, "
        f"{choice.memory} of memory, slot {choice.slot.number}"
    )


def _size_notes(request: ProvisionRequest, choice: Choice) -> Iterable[str]:
    if choice.size != request.size:
        yield f"size {request.size} is rounded up to whole extents: {choice.size}"


def _zone_notes(choice: Choice, settings: Settings) -> Iterable[str]:
    for address in choice.slot.addresses:
        if zone_of(f"{address.reverse_pointer}.", settings.dns.reverse_zones) is None:
            yield f"{address} gets no PTR record: no reverse zone of the settings holds it"
