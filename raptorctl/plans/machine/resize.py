"""Resize: a machine gets a larger disk, other CPUs, other memory; or why it cannot."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from raptorctl.errors import RefusedError
from raptorctl.model.cpuset import CpuSet, cpu_count
from raptorctl.model.domain import Domain, State
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.names import MachineName
from raptorctl.model.settings import Settings
from raptorctl.model.sizes import Size
from raptorctl.model.volume import Volume, is_overlay
from raptorctl.plans.machine import existing
from raptorctl.plans.machine.existing import Existing
from raptorctl.plans.part import cpus, growth, hardware, room, session_host
from raptorctl.plans.part.growth import Growth
from raptorctl.plans.plan import Identity, Plan
from raptorctl.plans.tenant.quota import Usage, refuse_over
from raptorctl.render.domain_xml import resized_domain
from raptorctl.steps.definition import DropSaved, PinDomain, RedefineDomain
from raptorctl.steps.step import Step


@dataclass(frozen=True)
class ResizeRequest:
    """What a person asks for; None leaves it as it is.

    Args:
        name: whose machine, and which.
        size: of its volume, bytes.
        cpus: one host CPU for each virtual CPU, in order.
        memory: bytes.
        vcpus: how many virtual CPUs; where they are pinned, those it has as far as they go.
        drop_saved: give up what a saved machine would resume with.
    """

    name: MachineName
    size: Size | None = None
    cpus: CpuSet | None = None
    memory: Size | None = None
    vcpus: int | None = None
    drop_saved: bool = False


@dataclass(frozen=True)
class Resized:
    """A machine as it is, and as it is to be; `moves` where it runs on other CPUs than asked."""

    name: MachineName
    volume: Volume
    domain: Domain
    size: Size
    cpus: CpuSet
    memory: Size
    vcpus: int
    moves: bool = False

    @property
    def growth(self) -> Size:
        """Bytes that the volume grows by; 0 for none."""
        return Size(self.size - self.volume.size)

    @property
    def disk(self) -> Growth:
        """Its first disk, as it is to be."""
        return Growth(self.name, self.volume, self.domain, self.size, self.name.growth)

    @property
    def redefines(self) -> bool:
        """Whether CPUs or memory change."""
        domain = self.domain
        return (self.cpus, self.vcpus, self.memory) != (domain.pins, domain.vcpus, domain.memory)

    @property
    def processors(self) -> str:
        """Its CPUs to be, as people read them."""
        return f"CPUs {self.cpus}" if self.cpus else cpu_count(self.vcpus)

    @property
    def kept(self) -> tuple[str, ...]:
        """What it runs with until its next start."""
        if not self.domain.state.active:
            return ()
        runs = self.domain.now
        where = f" on {runs.pins}" if runs.pins else ""
        numbers = (f"{cpu_count(runs.vcpus)}{where}",) if self.vcpus != runs.vcpus else ()
        return numbers + ((f"{runs.memory} of memory",) if self.memory != runs.memory else ())

    @property
    def usage(self) -> Usage:
        """What it takes of its owner's quota beyond what it has."""
        return Usage(
            cpus=max(0, len(self.cpus) - self.domain.most_cpus),
            memory=Size(max(0, self.memory - self.domain.held_memory)),
            size=self.growth,
        )


def plan_resize(
    request: ResizeRequest, settings: Settings, facts: HostFacts, identity: Identity
) -> Plan:
    """Decide how a machine gets another size, or why it cannot.

    Raises:
        RefusedError: the host's state forbids it; the message says who or what is in the way.
    """
    change = _change(request, existing.whole(request.name, facts), settings, facts)
    _refuse_saved(request, change.domain)
    others = replace(facts, domains=tuple(d for d in facts.domains if d != change.domain))
    _refuse(change, settings, facts, others)
    if change.growth:
        room.refuse_missing_disks(facts)
    steps = tuple(_steps(change, identity))
    return Plan(
        verb="resize",
        identity=identity,
        reservation=Reservation(identity.job, change.name.domain, cpus=change.cpus),
        steps=steps,
        summary=_summary(change) if steps else f"machine {change.name} is already so",
        notes=tuple(_notes(request, change, others)) if steps else (),
    )


def _change(
    request: ResizeRequest, there: Existing, settings: Settings, facts: HostFacts
) -> Resized:
    extent = facts.group.extent if facts.group else 1
    asked = request.cpus or cpus.more_or_fewer(there.domain.pins, request.vcpus, settings, facts)
    asked = asked or CpuSet()
    return Resized(
        name=request.name,
        volume=there.volume,
        domain=there.domain,
        size=request.size.rounded_up(extent) if request.size else there.volume.size,
        cpus=asked or there.domain.pins,
        memory=request.memory or there.domain.memory,
        vcpus=len(asked) if asked else request.vcpus or there.domain.vcpus,
        moves=bool(asked) and _moves(asked, there.domain),
    )


def _moves(asked: CpuSet, domain: Domain) -> bool:
    """Whether a machine runs with as many CPUs, and not on these."""
    runs, emulator = domain.now, cpus.emulator_kept(domain, asked)
    as_many = domain.state.active and len(asked) == (runs.vcpus or len(runs.pins))
    return as_many and (asked, emulator.ascending()) != (runs.pins, runs.emulator.ascending())


def _refuse_saved(request: ResizeRequest, domain: Domain) -> None:
    """Refuse to change what a saved machine would not know of when it resumes."""
    if domain.state is State.SAVED and not request.drop_saved:
        runs = domain.now
        with_what = f"CPUs {runs.pins}" if runs.pins else cpu_count(runs.vcpus)
        raise RefusedError(
            f"machine {request.name} is saved, and would resume with {with_what} and "
            f"{runs.memory} of memory",
            resolution=f"raptorctl start {request.name} first, or --drop-saved to give up what "
            "was saved, as if its power had been cut",
            code=Code.MACHINE_SAVED,
            subject=str(request.name),
        )


def _refuse(change: Resized, settings: Settings, facts: HostFacts, others: HostFacts) -> None:
    if change.growth:
        _refuse_growth(change, facts)
    if change.cpus != change.domain.pins or change.moves:
        share = bool(change.domain.mark and change.domain.mark.shares)
        cpus.refuse(change.cpus, settings, others, share=share)
    if change.vcpus > change.domain.vcpus:
        cpus.refuse_many(change.vcpus, change.domain.xml, facts)
    hardware.refuse_uneven(change.memory, change.domain.hugepages)
    promised = session_host.promised(settings, others)
    if change.memory > change.domain.memory and promised + change.memory > facts.memory:
        raise RefusedError(
            f"{change.memory} of memory asked; the host has {facts.memory}"
            + (f", of which {promised} is promised to other machines" if promised else ""),
            code=Code.MEMORY_UNAVAILABLE,
        )
    if tenant := facts.tenant(change.name.tenant):
        refuse_over(tenant, change.usage, facts)


def _refuse_growth(change: Resized, facts: HostFacts) -> None:
    volume, name = change.volume, change.name
    if change.growth < 0:
        raise RefusedError(
            f"machine {name} has {volume.size} of disk, and a disk only grows: whatever its guest "
            f"keeps beyond {change.size} would be lost",
            resolution="provision a smaller machine and copy what matters",
            code=Code.DISK_TOO_SMALL,
            subject=str(name),
        )
    growth.refuse(change.disk, facts)


def _steps(change: Resized, identity: Identity) -> Iterator[Step]:
    # What takes long comes first: it changes nothing of the machine.
    if is_overlay(change.volume.group):
        yield from _own_steps(change)
        return
    if change.growth:
        yield change.disk.reserved(identity)
    yield from _definition(change)
    if change.growth:
        yield change.disk.taken(identity)
    yield from _dropped(change)
    if change.growth:
        yield change.disk.given(identity)


def _dropped(change: Resized) -> Iterator[Step]:
    """Last of what may fail, as there is no way back from it."""
    domain = change.domain
    if domain.state is State.SAVED:
        yield DropSaved("it would resume as it was", domain.name, domain.uuid)


def _own_steps(change: Resized) -> Iterator[Step]:
    yield from _definition(change)
    if change.growth:
        yield change.disk.enlarged()
    yield from _dropped(change)


def _definition(change: Resized) -> Iterator[Step]:
    domain = change.domain
    emulator = cpus.emulator_kept(domain, change.cpus)
    if change.redefines:
        yield RedefineDomain(
            reason=f"{_counted(change)}, {change.memory} of memory",
            name=domain.name,
            uuid=domain.uuid,
            before=domain.xml,
            xml=resized_domain(domain.xml, change.cpus, emulator, change.memory, change.vcpus),
        )
    if change.moves:
        yield PinDomain(
            reason="as many as it has, so it need not start anew",
            name=domain.name,
            uuid=domain.uuid,
            before=(domain.now.pins, domain.now.emulator),
            pins=(change.cpus, emulator),
        )


def _counted(change: Resized) -> str:
    return cpu_count(change.vcpus) + (f" on {change.cpus}" if change.cpus else "")


def _summary(change: Resized) -> str:
    return (
        f"machine {change.name}: {change.size} on {change.volume.name}, {change.processors}, "
        f"{change.memory} of memory"
    )


def _notes(request: ResizeRequest, change: Resized, others: HostFacts) -> Iterator[str]:
    domain = change.domain
    if domain.state is State.SAVED:
        yield "what was saved of it is given up, as if its power had been cut"
    if change.kept:
        yield (
            "that takes effect when it is stopped and started, not at a reboot; until then it "
            f"runs with {' and '.join(change.kept)}"
        )
    if change.growth:
        yield "its partitions and file systems do not grow by themselves: see growpart, resize2fs"
    if request.size and change.growth and change.size != request.size:
        yield f"size {request.size} is rounded up to whole extents: {change.size}"
    if change.cpus != domain.pins:
        yield from cpus.notes(change.name, change.cpus, others)
