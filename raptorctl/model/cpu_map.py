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
        form: "" where it is defined so; `live` or `saved` where it only runs or was saved so.
    """

    domain: str
    vcpu: int | None
    form: str = ""

    def encode(self) -> dict[str, Any]:
        """Return the shape that `cpu map -o json` documents."""
        return {"domain": self.domain, "vcpu": self.vcpu, "form": self.form or "defined"}


@dataclass(frozen=True)
class CpuUse:
    """One host CPU, and who has it.

    Args:
        cpu: number, socket, core and NUMA node.
        siblings: the CPUs of the same core, itself included.
        reserved: the host's own, by the settings.
        pins: virtual CPUs that are pinned to it; more than one is an overlap.
        emulators: domains whose emulator threads may run on it.
        usable: whether machine.slice has it.
        sharing: those of its domains that were to share it.
    """

    cpu: Cpu
    siblings: CpuSet
    reserved: bool = False
    pins: tuple[Pin, ...] = ()
    emulators: tuple[str, ...] = ()
    usable: bool = True
    sharing: tuple[str, ...] = ()

    @property
    def free(self) -> bool:
        """Whether a machine may be pinned to it."""
        return self.usable and not (self.reserved or self.pins or self.emulators)

    @property
    def owners(self) -> tuple[str, ...]:
        """The domains that are pinned to it, each once."""
        return tuple(dict.fromkeys(pin.domain for pin in self.pins))

    def encode(self) -> dict[str, Any]:
        """Return the shape that `cpu map -o json` documents."""
        return {
            "cpu": self.cpu.number,
            "node": self.cpu.node,
            "socket": self.cpu.socket,
            "core": self.cpu.core,
            "siblings": list(self.siblings),
            "reserved": self.reserved,
            "usable": self.usable,
            "free": self.free,
            "pins": [pin.encode() for pin in self.pins],
            "emulators": list(self.emulators),
            "sharing": list(self.sharing),
        }


@dataclass(frozen=True)
class CpuMap:
    """All online CPUs, ordered by node, socket, core and number.

    Args:
        cpus: those.
        offline: pins to CPUs that are not online, with the CPU's number.
    """

    cpus: tuple[CpuUse, ...] = ()
    offline: tuple[tuple[int, Pin], ...] = ()

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
        return {
            "cpus": [use.encode() for use in self.cpus],
            "free": list(self.free),
            "offline": [{"cpu": cpu, **pin.encode()} for cpu, pin in self.offline],
        }


def cpu_map(facts: HostFacts, reserved: CpuSet) -> CpuMap:
    """Lay the pins of all domains and of unfinished jobs over the host's CPUs."""
    pins = _by_cpu([*_pins(facts.domains), *_planned(facts.reservations, facts.domains)])
    emulators = _by_cpu(_threads(facts.domains))
    sharing = {d.name for d in facts.domains if d.mark and d.mark.shares}
    kept, usable = set(reserved), set(facts.topology.usable)
    uses = (
        CpuUse(
            cpu,
            siblings=_siblings(facts.topology, cpu),
            reserved=cpu.number in kept,
            pins=tuple(pins.get(cpu.number, ())),
            emulators=tuple(emulators.get(cpu.number, ())),
            usable=cpu.number in usable,
            sharing=tuple({p.domain: 0 for p in pins.get(cpu.number, ()) if p.domain in sharing}),
        )
        for cpu in facts.topology.cpus
    )
    offline = sorted(pins.keys() - set(facts.topology.online))
    absent = tuple((cpu, pin) for cpu in offline for pin in pins[cpu])
    return CpuMap(tuple(sorted(uses, key=_position)), absent)


def _siblings(topology: Topology, cpu: Cpu) -> CpuSet:
    return topology.siblings(cpu.number).ascending()


def _position(use: CpuUse) -> tuple[int, int, int, int, int]:
    cpu = use.cpu
    # Cores of two dies of a package may have one number: their threads stay together.
    return (cpu.node, cpu.socket, cpu.core, min(use.siblings, default=cpu.number), cpu.number)


def _pins(domains: Iterable[Domain]) -> Iterator[tuple[int, Pin]]:
    for domain in domains:
        defined = set(_places(domain))
        yield from ((cpu, Pin(domain.name, vcpu)) for vcpu, cpu in _places(domain))
        for name, form in (("live", domain.live), ("saved", domain.saved)):
            for vcpu, cpu in _places(form) if form else ():
                if (vcpu, cpu) not in defined:
                    yield cpu, Pin(domain.name, vcpu, name)


def _places(domain: Domain) -> Iterator[tuple[int, int]]:
    places = domain.places or tuple(CpuSet((cpu,)) for cpu in domain.pins)
    return ((vcpu, cpu) for vcpu, place in enumerate(places) for cpu in place)


def _threads(domains: Iterable[Domain]) -> Iterator[tuple[int, str]]:
    for domain in domains:
        forms = domain.forms
        found = dict.fromkeys(cpu for f in forms for cpu in (*f.emulator, *f.iothreads))
        yield from ((cpu, domain.name) for cpu in found)


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
