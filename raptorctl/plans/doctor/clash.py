"""Two machines in one place: a slot, a MAC address, a CPU. Which of them goes, a person says."""

from collections.abc import Iterable, Iterator

from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain
from raptorctl.model.probe import Verdict
from raptorctl.plans.doctor.fault import Fault, Faults, Scene

Owners = dict[str, list[Domain]]


def clashes(scene: Scene) -> Faults:
    """Find every place that has two machines, one of them ours."""
    yield from _slots(scene)
    yield from _macs(scene)
    yield from _cpus(scene)


def _slots(scene: Scene) -> Faults:
    bridges = {slot.bridge: f"slot {slot.number}" for slot in scene.settings.slot}
    for bridge, owners in _shared((d, d.held_bridges) for d in scene.facts.domains):
        if bridge in bridges:
            what = f"{_named(owners)} share bridge {bridge}"
            yield _fault(bridges[bridge], bridge, what, owners)


def _macs(scene: Scene) -> Faults:
    for mac, owners in _shared((d, d.held_macs) for d in scene.facts.domains):
        yield _fault("mac", mac, f"{_named(owners)} share MAC {mac}", owners)


def _cpus(scene: Scene) -> Faults:
    """Tell each group of machines once, with all CPUs that it shares."""
    reserved = scene.settings.cpus.reserved  # QEMU's threads of any number of machines may be there
    places = ((d, map(str, d.held_cpus - reserved)) for d in scene.facts.domains if not _shares(d))
    groups: dict[str, tuple[list[Domain], list[int]]] = {}
    for cpu, owners in _shared(places):
        groups.setdefault(_named(owners), (owners, []))[1].append(int(cpu))
    for named, (owners, numbers) in groups.items():
        shared = CpuSet(tuple(sorted(numbers)))
        yield _fault("cpus", f"CPU {shared}", f"{named} share CPU {shared}", owners)


def _shares(domain: Domain) -> bool:
    """Whether it was to have CPUs of others; `cpu map` says so."""
    return bool(domain.mark and domain.mark.shares)


def _shared(places: Iterable[tuple[Domain, Iterable[str]]]) -> Iterator[tuple[str, list[Domain]]]:
    found: Owners = {}
    for domain, names in places:
        for name in dict.fromkeys(names):
            found.setdefault(name, []).append(domain)
    for name, owners in found.items():
        if len(owners) > 1 and any(domain.ours for domain in owners):
            yield name, owners


def _fault(check: str, on: str, what: str, owners: list[Domain]) -> Fault:
    latest = max((d for d in owners if d.ours), key=lambda d: d.mark.created if d.mark else "")
    foreign = [domain.name for domain in owners if not domain.ours]
    away = f"take {foreign[0]} away (virsh edit)" if foreign else ""
    return Fault(check, on, what, away or f"raptorctl deprovision {latest.name}", Verdict.FAIL)


def _named(owners: list[Domain]) -> str:
    return " and ".join(sorted(domain.name for domain in owners))
