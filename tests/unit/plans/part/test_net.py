"""A machine's network: what is rendered, what is refused by name, and what `--net` takes."""

from dataclasses import replace
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

import pytest

from raptorctl.errors import InputError, RaptorError, RefusedError, SettingsError
from raptorctl.model.guest import endpoint, place_of
from raptorctl.model.net import Forward, Net, NetworkSettings, read_nets
from raptorctl.model.network import LibvirtNetwork
from raptorctl.model.seed import FirstBoot, Network, SeedGuest
from raptorctl.model.session_host import mac_of
from raptorctl.model.settings_text import parse_settings
from raptorctl.model.slot import Bridge
from raptorctl.model.spec import MachineSpec
from raptorctl.plans.machine.again import told
from raptorctl.plans.machine.choice import ProvisionRequest
from raptorctl.plans.machine.diff import compare
from raptorctl.plans.machine.difference import Standing, When
from raptorctl.plans.machine.existing import Existing
from raptorctl.plans.machine.provision import plan_provision
from raptorctl.plans.part.net import is_met
from raptorctl.plans.plan import Plan
from raptorctl.render.cloud_config import network_config
from raptorctl.render.read_domain import read_domain
from raptorctl.render.user_network import forwarded_elsewhere
from raptorctl.steps.seed import WriteSeed
from tests.fakes import SETTINGS_TEXT, but, settings
from tests.session_host import SessionWorld
from tests.unit.plans.machine.test_provision import ALICE, JOB, facts, whole_machine
from tests.unit.plans.part.test_session import WEB, planned, xml_of

NONE = read_nets(["none"])
PORTS = read_nets(["user:8443-443,8080-80"])


@pytest.fixture
def world(tmp_path: Path) -> SessionWorld:
    return SessionWorld(tmp_path)


def shared(request: ProvisionRequest = ALICE, **changes: Any) -> Plan:
    return plan_provision(request, settings(), replace(facts(), **changes), JOB)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is no network interface"), ("tap", "is no network interface"),
        ("none:1", "is no network interface"), ("slot:", "is no network interface"),
        ("slot:0", "'0' is no slot"), ("slot:256", "'256' is no slot"),
        ("user:80", "'80' forwards no port"), ("user:80-80", "port 80 of the host is not yours"),
        ("user:8080-0", "'0' is no port"), ("user:8080-65536", "'65536' is no port"),
        ("user:8080-80,8080-81", "forwards one port twice"), ("user:８０８０-80", "is no port"),
        ("user:" + ",".join(f"{port}-80" for port in range(2000, 2033)), "33 ports are too many"),
    ],
)  # fmt: skip
def test_what_is_no_interface_is_refused_with_what_one_is(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        Net(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("bridge", "'' is not a bridge's name"), ("bridge:-x", "is not a bridge's name"),
        ("bridge:sixteen-letters-", "is not a bridge's name"), ("network:a/b", "a network's name"),
        ("bridge:br-vm2", "bridge br-vm2 is a slot's: write slot:2"),
    ],
)  # fmt: skip
def test_a_name_that_cannot_be_is_refused_and_so_is_a_slots_bridge(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        Net(text)


GRANTED = replace(settings(), network=NetworkSettings(read_nets(["bridge:br0", "network:default"])))
LAN = LibvirtNetwork("virbr0", IPv4Interface("192.168.122.1/24"), dhcp=True, config=())
THERE: dict[str, Any] = {
    "bridges": (*facts().bridges, Bridge("br0", up=True)),
    "networks": {"default": LAN},
}


def granted(nets: list[str], **changes: Any) -> Plan:
    asked = but(ALICE, net=read_nets(nets), slot=None)
    return plan_provision(asked, GRANTED, replace(facts(), **(THERE | changes)), JOB)


@pytest.mark.parametrize("net", ["bridge:br0", "network:default"])
def test_what_the_settings_do_not_grant_is_refused_by_name(net: str, world: SessionWorld) -> None:
    with pytest.raises(RefusedError, match=f"{net} is not granted to machines here: use a slot"):
        shared(but(ALICE, net=read_nets([net]), slot=None), **THERE)
    with pytest.raises(RefusedError, match=r"bridge:br1 is not granted .*: use slot, bridge:br0"):
        granted(["bridge:br1"])
    with pytest.raises(
        RefusedError, match=r"this host is your own: networks|you may not be|is not there"
    ):
        planned(world, but(WEB, net=read_nets([net])))


@pytest.mark.parametrize(
    ("net", "changes", "says"),
    [
        ("bridge:br0", {"bridges": facts().bridges}, "bridge br0 is not there: make it"),
        ("bridge:br0", {"bridges": (Bridge("br0", up=False),)}, "bridge br0 is down: ip link set"),
        ("network:default", {"networks": {}}, "network default is not there, or not active: virsh"),
        (
            "network:default",
            {"networks": {"default": LibvirtNetwork("br-vm1")}},
            "is on a slot's bridge: name the",
        ),
    ],
)
def test_what_is_granted_and_cannot_be_used_is_refused(
    net: str, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(RefusedError, match=says):
        granted([net], **changes)


def test_a_machine_is_on_a_slot_and_on_what_is_granted() -> None:
    plan = granted(["network:default", "slot", "bridge:br0"])
    domain = read_domain(xml_of(plan))
    assert domain.macs[0] == "52:54:00:00:00:01"
    assert domain.nets == ("slot:1", "network:default", "bridge:br0")
    assert is_met(read_nets(["bridge:br0", "slot", "network:default"]), domain.nets)
    assert not is_met(read_nets(["slot", "network:default"]), domain.nets)
    assert len(set(domain.macs)) == 3
    assert "slot.take" in {step.kind for step in plan.steps}
    assert sum("has no anti-spoofing of ours" in note for note in plan.notes) == 2
    assert plan.summary.endswith("slot 1, network:default, bridge:br0")


def test_its_macs_are_the_machines_and_its_seed_names_each() -> None:
    boot = FirstBoot(keys=())
    asked = replace(but(ALICE, net=read_nets(["slot", "bridge:br0"]), slot=None), first_boot=boot)
    plan = plan_provision(asked, GRANTED, replace(facts(), **THERE), JOB)
    first, second = read_domain(xml_of(plan)).macs
    assert second == mac_of(JOB.uuid, "bridge:br0") != mac_of(JOB.uuid)
    (seed,) = (step.seed for step in plan.steps if isinstance(step, WriteSeed))
    assert seed
    assert [mac in seed.network_config for mac in (first, second)] == [True, True]
    assert "set-name: eth1" in seed.network_config.replace("'", "").replace('"', "")


def test_on_a_bridge_alone_it_takes_no_slot_and_is_looked_for_by_nobody() -> None:
    plan = granted(["bridge:br0"])
    domain = read_domain(xml_of(plan))
    assert (domain.nets, plan.reservation.slot, domain.bridges) == (("bridge:br0",), None, ("br0",))
    assert not {"slot.take", "record.add"} & {step.kind for step in plan.steps}
    with pytest.raises(RefusedError, match="has no slot: its address is not known here"):
        endpoint(domain, GRANTED)
    boot = FirstBoot(keys=())
    wish = but(ALICE, net=read_nets(["bridge:br0"]), slot=None, network=Network.STATIC)
    with pytest.raises(RefusedError, match="machines without a slot get their addresses by DHCP"):
        plan_provision(replace(wish, first_boot=boot), GRANTED, replace(facts(), **THERE), JOB)


def test_settings_grant_bridges_and_networks_alone() -> None:
    text = SETTINGS_TEXT + '\n[network]\nalso = ["bridge:br0"]\n'
    assert parse_settings(text).network.also == ("bridge:br0",)
    for net in ("slot:1", "user", "bridge:br-vm1"):
        with pytest.raises(SettingsError, match=r"network\.also"):
            parse_settings(text.replace("bridge:br0", net))


@pytest.mark.parametrize("texts", [["none", "user"], ["slot:1", "slot:2"], ["user", "slot"], []])
def test_interfaces_that_do_not_go_together_are_refused(texts: list[str]) -> None:
    with pytest.raises(InputError):
        read_nets(texts)


def test_what_is_the_same_is_written_alike() -> None:
    assert (Net("slot:02"), *PORTS) == ("slot:2", "user:8080-80,8443-443")
    assert PORTS[0].forwards == (Forward(8080, 80), Forward(8443, 443))


def test_without_network_a_machine_has_no_slot_no_names_and_no_interface() -> None:
    plan = shared(but(ALICE, net=NONE, slot=None))
    domain = read_domain(xml_of(plan))
    assert (domain.macs, domain.bridges, domain.nets) == ((), (), NONE)
    assert not {"slot.take", "record.add"} & {step.kind for step in plan.steps}
    assert plan.reservation.slot is None
    assert plan.summary.endswith("of memory, no network")
    assert any("no network: it is reached by `raptorctl console` alone" in n for n in plan.notes)


def test_its_seed_speaks_of_no_interface() -> None:
    boot = FirstBoot(keys=())
    plan = shared(replace(but(ALICE, net=NONE, slot=None), first_boot=boot))
    (seed,) = (step for step in plan.steps if isinstance(step, WriteSeed))
    assert seed.seed
    assert "ethernets: {}" in seed.seed.network_config.replace("\n  ", " ")
    with pytest.raises(RefusedError, match="alice-dev has no network, so no addresses"):
        wish = but(ALICE, net=NONE, slot=None, network=Network.STATIC)
        shared(replace(wish, first_boot=boot))


def test_on_a_session_host_it_has_no_port_either(world: SessionWorld) -> None:
    domain = read_domain(xml_of(planned(world, but(WEB, net=NONE))))
    assert (domain.macs, domain.mark and domain.mark.ssh, domain.nets) == ((), "", NONE)
    for ask in (endpoint, place_of):
        with pytest.raises(RefusedError, match="alice-web has no network: it was made so"):
            ask(domain, world.settings)


def test_ports_are_forwarded_beside_ssh_and_stay_when_that_moves(world: SessionWorld) -> None:
    plan = planned(world, but(WEB, net=PORTS))
    domain = read_domain(xml_of(plan))
    assert domain.nets == PORTS
    assert "22 is 127.0.0.1:2201, 80 is 127.0.0.1:8080, 443 is 127.0.0.1:8443 here" in plan.notes[0]
    moved = read_domain(forwarded_elsewhere(domain.xml, "127.0.0.1:2222"))
    assert (moved.mark and moved.mark.ssh, moved.nets) == ("127.0.0.1:2222", PORTS)


def test_a_port_that_is_taken_is_refused_with_who_has_it(world: SessionWorld) -> None:
    with pytest.raises(RefusedError, match=r"port 127\.0\.0\.1:8443 is taken: alice-db has it"):
        planned(world, but(WEB, net=PORTS), used_ports={8443: "alice-db has it"})


def test_ssh_gets_no_port_that_was_asked_for_something_else(world: SessionWorld) -> None:
    plan = planned(world, but(WEB, net=read_nets(["user:2201-80"])))
    assert "hostfwd=tcp:127.0.0.1:2202-:22,hostfwd=tcp:127.0.0.1:2201-:80" in xml_of(plan)


def test_each_kind_of_host_refuses_the_others_network_by_name(world: SessionWorld) -> None:
    with pytest.raises(RefusedError, match="net user is for session hosts"):
        shared(but(ALICE, net=PORTS, slot=None))
    for slot in ("slot", "slot:1"):
        with pytest.raises(RaptorError, match="this host is your own, and has no slots"):
            planned(world, but(WEB, net=read_nets([slot])))


@pytest.mark.parametrize("slot", [1, None])
def test_a_slot_is_the_same_by_either_word(slot: int | None) -> None:
    for net in ("slot", "slot:1"):
        assert shared(but(ALICE, net=read_nets([net]), slot=slot)).steps == shared().steps


@pytest.mark.parametrize("net", ["none", "slot:2"])
def test_words_that_contradict_each_other_are_refused(net: str) -> None:
    with pytest.raises(InputError, match=f"slot 1 was asked, and net {net}"):
        shared(but(ALICE, net=read_nets([net]), slot=1))


@pytest.mark.parametrize(
    ("has", "asked", "differs"),
    [
        ("none", "none", []), ("none", "slot", ["net none, not slot: no command changes it"]),
        ("slot:1", "slot", []), ("slot:1", "slot:1", []),
        ("slot:1", "none", ["net slot:1, not none: no command changes it"]),
    ],
)  # fmt: skip
def test_what_stands_is_compared(has: str, asked: str, differs: list[str]) -> None:
    domain = read_domain(xml_of(shared(but(ALICE, net=read_nets([has]), slot=None))))
    assert domain.mark
    there = Existing(whole_machine()["volumes"][0], domain, domain.mark)
    found = compare(Standing(MachineSpec(net=read_nets([asked])), there, facts()))
    lines = list(told(one for one in found if one.when is not When.SAME))
    assert lines[:1] == differs


def test_network_config_of_nothing_is_valid_and_empty() -> None:
    guest = SeedGuest(name=ALICE.name, zone="", instance="i", slot=None, own_mac="")
    assert network_config(guest, Network.DHCP) == {"version": 2, "ethernets": {}}
