from raptorctl.model.cpu_map import cpu_map
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain, State
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.machine import machines
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.topology import Cpu, Topology
from raptorctl.model.volume import Volume


def volume(name: str, *tags: str) -> Volume:
    return Volume("uuid", name, "lvm-data", Size(GIB), tags)


def test_only_volumes_whose_name_and_tags_agree_are_machines() -> None:
    volumes = [
        volume("guest-alice-dev", "raptor", "raptor.tenant=alice", "raptor.slot=1"),
        volume("guest-alice-old"),
        volume("guest-bob-x", "raptor", "raptor.tenant=alice"),
        volume("wipe-uuid", "raptor", "raptor.tenant=alice"),
        volume("root"),
    ]
    assert [str(m.name) for m in machines(volumes, {})] == ["alice-dev"]


def test_machines_are_in_order_of_tenant_and_name() -> None:
    names = ["guest-bob-a", "guest-alice-z", "guest-alice-b"]
    volumes = [volume(n, "raptor", f"raptor.tenant={n.split('-')[1]}") for n in names]
    found = machines(volumes, {"bob-a": State.RUNNING, "other": State.OFF})
    assert [str(m.name) for m in found] == ["alice-b", "alice-z", "bob-a"]
    assert [m.state for m in found] == ["no domain", "no domain", "running"]


def facts(**more: object) -> HostFacts:
    topology = Topology(tuple(Cpu(n, 0, n // 2, 0) for n in range(6)))
    return HostFacts(topology=topology, **more)  # type: ignore[arg-type]


def test_free_is_neither_reserved_nor_pinned_nor_an_emulators() -> None:
    domain = Domain("u", "alice-dev", pins=CpuSet((2,)), emulator=CpuSet((3,)))
    assert str(cpu_map(facts(domains=(domain,)), CpuSet((0,))).free) == "1,4,5"


def test_a_job_that_has_not_defined_its_domain_yet_holds_its_cpus() -> None:
    kept = Reservation("job", "alice-dev", 1, CpuSet((4, 5)))
    found = cpu_map(facts(reservations=(kept,)), CpuSet())
    assert str(found.free) == "0-3"
    assert [pin.domain for pin in found.cpus[4].pins] == ["alice-dev"]


def test_a_core_is_shared_only_between_tenants() -> None:
    def on(name: str, cpu: int) -> Domain:
        return Domain(name, name, pins=CpuSet((cpu,)))

    same = cpu_map(facts(domains=(on("alice-a", 0), on("alice-b", 1))), CpuSet())
    other = cpu_map(facts(domains=(on("alice-a", 0), on("bob-b", 1))), CpuSet())
    assert same.split_cores == ()
    assert other.split_cores == ((CpuSet((0, 1)), ("alice-a", "bob-b")),)
