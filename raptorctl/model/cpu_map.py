"""Host CPUs x machines: who is pinned where, what is the host's own, what is free."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.names import split_domain
from raptorctl.model.topology import Cpu, Topology

T = TypeVar("T")


@dataclass(frozen=True)
class Pin:
    """One virtual CPU's place.

    Args:
        domain: libvirt's name of it; a machine's, or somebody else's.
        vcpu: the virtual CPU's number, or None while the domain is not defined yet.
    """

    domain: str
    vcpu: int | None


@dataclass(frozen=True)
class CpuUse:
    """One host CPU, and who has it.

    Args:
        cpu: number, socket, core and NUMA node.
        siblings: the CPUs of the same core, itself included.
        reserved: the host's own, by the settings.
        pins: virtual CPUs that are pinned to it; more than one is an overlap.
        emulators: domains whose emulator threads may run on it.
    """

    cpu: Cpu
    siblings: CpuSet
    reserved: bool = False
    pins: tuple[Pin, ...] = ()
    emulators: tuple[str, ...] = ()

    @property
    def free(self) -> bool:
        """Whether a machine may be pinned to it."""
        return not (self.reserved or self.pins or self.emulators)

    def encode(self) -> dict[str, Any]:
        """Return the shape that `cpu map -o json` documents."""
        return {
            "cpu": self.cpu.number,
            "node": self.cpu.node,
            "socket": self.cpu.socket,
            "core": self.cpu.core,
            "siblings": list(self.siblings),
            "reserved": self.reserved,
            "free": self.free,
            "pins": [{"domain": pin.domain, "vcpu": pin.vcpu} for pin in self.pins],
            "emulators": list(self.emulators),
        }


@dataclass(frozen=True)
class CpuMap:
    """All online CPUs, ordered by node, socket, core and number."""

    cpus: tuple[CpuUse, ...] = ()

    @property
    def free(self) -> CpuSet:
        """The CPUs that `provision --cpus` would accept."""
        return CpuSet(tuple(sorted(use.cpu.number for use in self.cpus if use.free)))

    @property
    def split_cores(self) -> tuple[tuple[CpuSet, tuple[str, ...]], ...]:
        """Cores whose SMT siblings belong to different tenants, and the domains on them."""
        cores = {use.siblings: self._domains_on(use.siblings) for use in self.cpus}
        return tuple((core, on) for core, on in cores.items() if len({*map(_owner, on)}) > 1)

    def _domains_on(self, core: CpuSet) -> tuple[str, ...]:
        wanted = set(core)
        pins = (pin for use in self.cpus if use.cpu.number in wanted for pin in use.pins)
        return tuple(sorted({pin.domain for pin in pins}))

    def encode(self) -> dict[str, Any]:
        """Return the shape that `cpu map -o json` documents."""
        return {"cpus": [use.encode() for use in self.cpus], "free": list(self.free)}


def cpu_map(facts: HostFacts, reserved: CpuSet) -> CpuMap:
    """Lay the pins of all domains and of unfinished jobs over the host's CPUs."""
    pins = _by_cpu([*_pins(facts.domains), *_planned(facts.reservations, facts.domains)])
    emulators = _by_cpu((cpu, d.name) for d in facts.domains for cpu in d.emulator)
    kept = set(reserved)
    uses = (
        CpuUse(
            cpu,
            siblings=_siblings(facts.topology, cpu),
            reserved=cpu.number in kept,
            pins=tuple(pins.get(cpu.number, ())),
            emulators=tuple(emulators.get(cpu.number, ())),
        )
        for cpu in facts.topology.cpus
    )
    return CpuMap(tuple(sorted(uses, key=_position)))


def _siblings(topology: Topology, cpu: Cpu) -> CpuSet:
    return topology.siblings(cpu.number).ascending()


def _position(use: CpuUse) -> tuple[int, int, int, int]:
    cpu = use.cpu
    return (cpu.node, cpu.socket, cpu.core, cpu.number)


def _pins(domains: Iterable[Domain]) -> Iterator[tuple[int, Pin]]:
    for domain in domains:
        yield from ((cpu, Pin(domain.name, vcpu)) for vcpu, cpu in enumerate(domain.pins))


def _planned(
    reservations: Iterable[Reservation], domains: Iterable[Domain]
) -> Iterator[tuple[int, Pin]]:
    known = {domain.name for domain in domains}
    for held in reservations:
        if held.machine not in known:
            yield from ((cpu, Pin(held.machine, None)) for cpu in held.cpus)


def _by_cpu(pairs: Iterable[tuple[int, T]]) -> dict[int, list[T]]:
    grouped: dict[int, list[T]] = {}
    for cpu, item in pairs:
        grouped.setdefault(cpu, []).append(item)
    return grouped


def _owner(domain: str) -> str:
    """Domains without a tenant in their name each count as an owner of their own."""
    name = split_domain(domain)
    return name.tenant if name else domain
