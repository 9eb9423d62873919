"""Which host CPUs a machine may be pinned to."""

import re
from collections.abc import Iterator
from typing import Final

from raptorctl.errors import RefusedError
from raptorctl.model.cpuset import CpuSet, cpu_count
from raptorctl.model.domain import Domain, State
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.names import MachineName, split_domain
from raptorctl.model.settings import Settings
from raptorctl.model.topology import SLICE, Topology

PLAIN: Final = 255
"""Virtual CPUs without extended interrupt mode (libvirt, qemu_validate.c)."""
EIM: Final = re.compile(r"""<iommu\b.*?\beim=["']on["']""", re.DOTALL)


def emulator(chosen: CpuSet, asked: CpuSet | None = None) -> CpuSet:
    """Where the emulator's own threads go: as asked, else the last two CPUs of the machine."""
    return asked or CpuSet(chosen.cpus[-2:])


def emulator_kept(domain: Domain, chosen: CpuSet) -> CpuSet:
    """Where they go once a machine has other CPUs: where somebody put them, or with the new set."""
    return emulator(chosen, emulator_asked(domain))


def emulator_asked(domain: Domain) -> CpuSet | None:
    """Where somebody put them; None where they are on the machine's last two."""
    usual = domain.emulator.ascending() == emulator(domain.pins).ascending()
    return None if usual else domain.emulator


def claims(facts: HostFacts) -> Iterator[tuple[str, CpuSet]]:
    """Who has which CPUs: every domain, as defined, running or saved, and every unfinished job."""
    for domain in facts.domains:
        yield f"machine {domain.name}", domain.own_cpus
        for how, form in (("as it runs", domain.live), ("as it was saved", domain.saved)):
            if form:
                yield f"machine {domain.name}, {how}", form.own_cpus
    for kept in facts.reservations:
        yield f"job {kept.job}", kept.cpus


def refuse(chosen: CpuSet, settings: Settings, facts: HostFacts, *, share: bool = False) -> None:
    """Refuse CPUs that are absent, kept from machines, the host's own, or somebody else's.

    Raises:
        RefusedError: names the CPUs and who has them.
    """
    _refuse_unfit(chosen, settings, facts)
    if kept := chosen & settings.cpus.reserved:
        raise RefusedError(
            f"CPU {kept} is kept for the host",
            resolution=_instead(len(chosen), settings, facts),
            code=Code.CPU_UNAVAILABLE,
            subject=str(kept),
        )
    if not share:
        _refuse_taken(chosen, len(chosen), settings, facts)


def refuse_emulator(
    asked: CpuSet, pins: CpuSet, settings: Settings, facts: HostFacts, *, share: bool = False
) -> None:
    """Refuse CPUs for the emulator's threads; those kept for the host serve any number of them.

    Raises:
        RefusedError: names the CPUs and who has them.
    """
    _refuse_unfit(asked, settings, facts)
    if not share:
        _refuse_taken(asked - pins - settings.cpus.reserved, 0, settings, facts)


def _refuse_unfit(chosen: CpuSet, settings: Settings, facts: HostFacts) -> None:
    online = facts.topology.online
    if absent := chosen - online:
        raise RefusedError(
            f"CPU {absent} is absent or offline",
            resolution=f"this host has {online}",
            code=Code.CPU_UNAVAILABLE,
            subject=str(absent),
        )
    if outside := chosen - facts.topology.usable:
        raise RefusedError(
            f"{SLICE} may not use CPU {outside}, so no machine can run there",
            resolution=f"free: {free(settings, facts)}; see cpuset.cpus.effective of {SLICE}",
            code=Code.CPU_UNAVAILABLE,
            subject=str(outside),
        )


def _refuse_taken(chosen: CpuSet, count: int, settings: Settings, facts: HostFacts) -> None:
    for owner, taken in claims(facts):
        if shared := chosen & taken:
            raise RefusedError(
                f"CPU {shared} belongs to {owner}",
                resolution=_instead(count, settings, facts),
                code=Code.CPU_UNAVAILABLE,
                subject=str(shared),
            )


def refuse_none(settings: Settings, facts: HostFacts) -> None:
    """Refuse a host that keeps all of its CPUs for itself.

    Raises:
        RefusedError: names the setting.
    """
    usable = facts.topology.usable
    if settings.pins_cpus and not usable - settings.cpus.reserved:
        bounded = "" if usable == facts.topology.online else f" that {SLICE} may use"
        raise RefusedError(
            f"all CPUs of this host{bounded}, {usable}, are kept for the host",
            resolution=f"name fewer in {settings.file}: cpus.reserved",
            code=Code.CPU_UNAVAILABLE,
            subject=str(usable),
        )


def refuse_many(count: int, template: str, facts: HostFacts) -> None:
    """Refuse more virtual CPUs than a machine can have.

    Args:
        count: virtual CPUs.
        template: the domain's XML, or its template's: whether its IOMMU has what many need.
        facts: the host.

    Raises:
        RefusedError: says how many it can have.
    """
    known = facts.most_vcpus or PLAIN
    most = known if EIM.search(template) else min(known, PLAIN)
    if count > most:
        raise RefusedError(
            f"{count} CPUs asked; a machine has {most} at most",
            resolution=f"--cpus {most}",
            code=Code.CPU_UNAVAILABLE,
        )


def refuse_stuck(domain: Domain, topology: Topology) -> None:
    """Refuse to start a machine that libvirt could not: a thread of it has no CPU to run on.

    The kernel takes a set of which one CPU can be used (sched_setaffinity(2), EINVAL).

    Raises:
        RefusedError: names the machine and the CPUs.
    """
    form = domain.now
    for place in (*form.places, form.emulator, form.iothreads):
        if place and not place & topology.usable:
            raise RefusedError(
                f"machine {domain.name} cannot start: it is {pinned_badly(place, topology)}",
                resolution=moving(domain),
                code=Code.CPU_UNAVAILABLE,
                subject=domain.name,
            )


def pinned_badly(cpus: CpuSet, topology: Topology) -> str:
    """Say why a machine cannot run on CPUs of which none can be used; "" where one can."""
    if absent := cpus - topology.online:
        return f"pinned to CPU {absent.ascending()}, which is not online"
    if outside := cpus - topology.usable:
        return (
            f"pinned to CPU {outside.ascending()}, which {SLICE} may not use "
            f"(it has {topology.usable})"
        )
    return ""


def moving(domain: Domain) -> str:
    """How a machine gets CPUs that it can run on."""
    if domain.state is State.SAVED:
        return (
            "bring the CPU back (`chcpu -e`, AllowedCPUs=), or give up what was saved: "
            f"raptorctl resize {domain.name} --cpus SET --drop-saved"
        )
    return (
        "bring the CPU back (`chcpu -e`, AllowedCPUs=), or "
        f"raptorctl resize {domain.name} --cpus SET"
    )


def chosen(asked: CpuSet | int | None, settings: Settings, facts: HostFacts) -> CpuSet:
    """Choose free CPUs for who said only how many: whole cores first, of one NUMA node if possible.

    On a host of one's own none is given away: its machines run wherever there is time.

    Raises:
        RefusedError: there are not as many.
    """
    if not settings.pins_cpus:
        return CpuSet()
    if isinstance(asked, CpuSet):
        return asked
    left, count = _left(settings, facts), asked or 0
    if len(left) < count:
        raise RefusedError(
            f"{cpu_count(count)} asked; free: {free(settings, facts)}", code=Code.CPU_UNAVAILABLE
        )
    return _best(count, left, facts.topology)


def more_or_fewer(
    has: CpuSet, asked: CpuSet | int | None, settings: Settings, facts: HostFacts
) -> CpuSet | None:
    """Return what a machine that has CPUs is to have; for a number, its own as far as they go.

    Raises:
        RefusedError: not as many are free.
    """
    if not isinstance(asked, int) or not settings.pins_cpus:
        return asked if isinstance(asked, CpuSet) else None
    extra = chosen(asked - len(has), settings, facts) if asked > len(has) else CpuSet()
    return CpuSet((*has.cpus[:asked], *extra))


def _best(count: int, left: CpuSet, topology: Topology) -> CpuSet:
    """Of the scarcest node with enough whole cores, else with enough CPUs; else of any."""
    order = topology.whole_first(left)
    by_node: dict[tuple[int, ...], list[int]] = {}
    for cpu in order:
        by_node.setdefault(topology.nodes(CpuSet((cpu,))), []).append(cpu)
    whole = {cpu for cpu in left if set(topology.siblings(cpu)) <= set(left)}

    def fits(cpus: list[int]) -> tuple[bool, int]:
        return len(whole & set(cpus)) < count, len(cpus)

    enough = sorted((cpus for cpus in by_node.values() if len(cpus) >= count), key=fits)
    return CpuSet(tuple(enough[0] if enough else order.cpus)[:count])


def free(settings: Settings, facts: HostFacts) -> str:
    """What is left, as a person writes it."""
    left = _left(settings, facts)
    return str(left) if left else "none"


def _instead(count: int, settings: Settings, facts: HostFacts) -> str:
    """What is free, and a set of it that would do."""
    left = _left(settings, facts)
    example = f", for example --cpus {_best(count, left, facts.topology).typed}"
    return f"free: {free(settings, facts)}{example if 0 < count <= len(left) else ''}"


def _left(settings: Settings, facts: HostFacts) -> CpuSet:
    left = facts.topology.usable - settings.cpus.reserved
    for _, taken in claims(facts):
        left -= taken
    return left


def notes(name: MachineName, chosen: CpuSet, facts: HostFacts) -> tuple[str, ...]:
    """Warn of what works but costs somebody: shared cores, remote memory."""
    return (*_split_cores(name, chosen, facts), *_split_nodes(chosen, facts))


def _split_cores(name: MachineName, chosen: CpuSet, facts: HostFacts) -> Iterator[str]:
    neighbours = CpuSet(
        tuple({s for cpu in chosen for s in facts.topology.siblings(cpu)} - set(chosen))
    )
    for domain in facts.domains:
        owner = split_domain(domain.name)
        pins = {pin for form in domain.forms for pin in form.pins}
        if (owner is None or owner.tenant != name.tenant) and neighbours & pins:
            shared = (neighbours & pins).ascending()
            yield f"shares a core with {domain.name}: its CPU {shared} is an SMT sibling"


def _split_nodes(chosen: CpuSet, facts: HostFacts) -> Iterator[str]:
    nodes = facts.topology.nodes(chosen)
    if len(nodes) > 1:
        yield f"CPUs {chosen} lie on NUMA nodes {', '.join(map(str, nodes))}"
