from raptorctl.model.cpu_map import cpu_map
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain, Mark, State
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.machine import machines
from raptorctl.model.machine_details import describe
from raptorctl.model.net import read_nets
from raptorctl.model.settings_text import parse_settings
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.topology import Cpu, Topology
from raptorctl.model.volume import Volume
from raptorctl.render.machine_lines import machine_lines
from tests.fakes import SETTINGS_TEXT


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


def test_what_a_machine_is_on_beside_its_slot_is_shown_with_its_mac() -> None:
    mark = Mark("alice", "web", 2, "j", "2026-11-20T12:00:00Z", "me", "t")
    macs = ("52:54:00:00:00:02", "52:54:00:aa:bb:cc", "52:54:00:aa:bb:dd")
    others = read_nets(["bridge:br0", "network:default"])
    domain = Domain("u", "alice-web", macs=macs, mark=mark, others=others)
    seen = describe(mark.name, parse_settings(SETTINGS_TEXT), facts(domains=(domain,)))
    assert seen is not None
    assert seen.encode()["net"] == ["slot:2", "bridge:br0", "network:default"]
    lines = dict(machine_lines(seen))
    assert lines["slot"] == "2: br-vm2, 52:54:00:00:00:02"
    assert (lines["bridge"], lines["network"]) == (f"br0, {macs[1]}", f"default, {macs[2]}")


def test_a_machine_without_a_slot_shows_its_own_mac_and_every_one_its_image_and_autostart() -> None:
    mark = Mark(
        "alice", "web", 0, "j", "2026-11-20T12:00:00Z", "me", "t",
        image=f"debian:13 sha256:{'5e' * 32}", ssh="127.0.0.1:2201",
    )  # fmt: skip
    domain = Domain("u", "alice-web", macs=("52:54:00:aa:bb:cc",), mark=mark, autostart=True)
    seen = describe(mark.name, parse_settings(SETTINGS_TEXT), facts(domains=(domain,)))
    assert seen is not None
    told = seen.encode()
    assert (told["mac"], told["bridge"], told["image"]) == ("52:54:00:aa:bb:cc", None, "debian:13")
    lines = dict(machine_lines(seen))
    assert (lines["mac"], lines["image"]) == ("52:54:00:aa:bb:cc", "debian:13")
    assert lines["autostart"] == "with the host"
