"""Addresses that libvirt's networks keep for machines: asked for, refused, lost and found."""

from dataclasses import replace
from ipaddress import IPv4Interface
from typing import Any

import pytest

from raptorctl.errors import DiffersError, InputError, RefusedError, SettingsError
from raptorctl.model.domain import Domain
from raptorctl.model.guest import Endpoint, endpoint, place_of
from raptorctl.model.net import Net, NetworkSettings, is_reached, read_nets
from raptorctl.model.network import DhcpHost, LibvirtNetwork
from raptorctl.model.probe import Finding, Probe, Verdict
from raptorctl.model.session_host import mac_of
from raptorctl.model.settings_text import parse_settings
from raptorctl.model.slot import Bridge
from raptorctl.plans.doctor.way import reserved
from raptorctl.plans.machine.deprovision import plan_deprovision
from raptorctl.plans.machine.provision import plan_provision
from raptorctl.plans.machine.rebuild import RebuildRequest, plan_rebuild
from raptorctl.plans.plan import Plan
from raptorctl.render.read_domain import read_domain
from raptorctl.steps.domain import DefineDomain
from raptorctl.steps.network import ReserveAddress
from tests.fakes import SETTINGS_TEXT, World, but, settings
from tests.unit.plans.machine.test_provision import ALICE, JOB, TEMPLATES

GRANTED = replace(settings(), network=NetworkSettings(read_nets(["network:default", "bridge:br0"])))
ASKED = "network:default,ip=192.168.122.50"
KEPT = DhcpHost(mac_of(JOB.uuid, "network:default"), "192.168.122.50", "alice-dev")


def planned(world: World, *nets: str, **changes: Any) -> Plan:
    asked = but(ALICE, net=read_nets(nets), slot=None)
    facts = world.facts(TEMPLATES)
    there = {"bridges": (*facts.bridges, Bridge("br0", up=True))}
    return plan_provision(asked, GRANTED, replace(facts, **there | changes), JOB)


def standing(*nets: str) -> World:
    """A host with the machine."""
    world = World().with_tenants("alice")
    for step in planned(world, *nets).steps:
        step.apply(world.host(), lambda *_: None)
    return world


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("network:default,ip=", "'' is no IPv4 address"),
        ("network:default,ip=2001:db8::1", "is no IPv4 address: write e.g. ip="),
        ("network:default,ip=192.168.122.050", "is no IPv4 address"),
        ("network:default,mtu=9000", "is not a network's name"),
        ("bridge:br0,ip=192.168.122.50", "is not a bridge's name"),
    ],
)
def test_what_is_no_address_is_refused(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        Net(text)


def test_a_network_is_named_once_with_whatever_address() -> None:
    with pytest.raises(InputError, match="each is named once"):
        read_nets([ASKED, "network:default"])


def test_settings_grant_a_network_and_no_address_of_it() -> None:
    with pytest.raises(SettingsError, match=r"network\.also"):
        parse_settings(f'{SETTINGS_TEXT}\n[network]\nalso = ["{ASKED}"]\n')


def test_the_address_is_kept_for_its_mac_before_it_starts() -> None:
    plan = planned(World().with_tenants("alice"), "slot", ASKED)
    kinds = [step.kind for step in plan.steps]
    assert kinds.index("network.reserve") < kinds.index("domain.start")
    assert [step.host for step in plan.steps if isinstance(step, ReserveAddress)] == [KEPT]
    domain = read_domain(next(s.xml for s in plan.steps if isinstance(s, DefineDomain)))
    assert domain.nets == ("slot:1", ASKED)
    assert domain.macs[1] == KEPT.mac


def test_its_mac_is_the_same_with_and_without_an_address() -> None:
    with_address, without = standing(ASKED), standing("network:default")
    assert with_address.domains.list()[0].macs == without.domains.list()[0].macs


@pytest.mark.parametrize(
    ("network", "says"),
    [
        (LibvirtNetwork("virbr0"), "gives no IPv4 addresses by DHCP"),
        (LibvirtNetwork("virbr0", IPv4Interface("192.168.122.1/24")), "gives no IPv4 addresses"),
        (LibvirtNetwork("v", IPv4Interface("10.0.0.1/24"), dhcp=True), "has 10.0.0.0/24, and 192"),
        (LibvirtNetwork("v", IPv4Interface("192.168.122.50/24"), dhcp=True), "has .*50 itself"),
        (LibvirtNetwork("v", IPv4Interface("192.168.122.49/30"), dhcp=True), ""),
        (LibvirtNetwork("v", IPv4Interface("192.168.122.49/31"), dhcp=True), "has .* no host's"),
        (
            LibvirtNetwork(
                "v", IPv4Interface("192.168.122.1/24"), True, config=(replace(KEPT, mac="52:54"),)
            ),
            "keeps 192.168.122.50 for alice-dev",
        ),
    ],
)
def test_an_address_that_its_network_cannot_keep_is_refused(
    network: LibvirtNetwork, says: str
) -> None:
    if not says:
        planned(World().with_tenants("alice"), ASKED, networks={"default": network})
        return
    with pytest.raises(RefusedError, match=f"network default {says}"):
        planned(World().with_tenants("alice"), ASKED, networks={"default": network})


def runs_on(world: World, wires: tuple[tuple[str, str], ...]) -> Domain:
    (domain,) = world.domains.list()
    return replace(domain, live=replace(domain, wires=wires))


def test_without_a_slot_it_is_reached_at_the_address_that_is_kept() -> None:
    world = standing("bridge:br0", ASKED)
    domain = runs_on(world, (("52:54:00:aa:bb:cc", "br0"), (KEPT.mac, "virbr0")))
    place = place_of(domain, GRANTED)
    assert (place.bridge, place.mac, [*map(str, place.addresses)]) == (
        "virbr0", KEPT.mac, [KEPT.address],
    )  # fmt: skip
    assert endpoint(domain, GRANTED) == Endpoint(KEPT.address, 22)
    assert is_reached(domain.nets)
    assert place_of(runs_on(world, ()), GRANTED).bridge == ""


def test_a_slot_goes_before_an_address_that_is_kept() -> None:
    (domain,) = standing("slot", ASKED).domains.list()
    assert str(endpoint(domain, GRANTED)) == "198.51.100.1:22"
    assert place_of(domain, GRANTED) == GRANTED.slot[0]


def test_what_another_machine_is_to_have_is_refused_also_where_its_network_lost_it() -> None:
    world = standing(ASKED)
    world.domains.release("default", KEPT.mac)
    other = replace(JOB, uuid="11111111-2222-4333-8444-555555555555")
    asked = but(ALICE, net=read_nets([ASKED]), slot=None, cpus=None)
    asked = replace(
        asked, name=replace(ALICE.name, machine="web"), spec=replace(asked.spec, cpus=1)
    )
    with pytest.raises(RefusedError, match=r"is to keep 192\.168\.122\.50 for alice-dev"):
        plan_provision(asked, GRANTED, world.facts(TEMPLATES), other)


def test_asked_again_nothing_is_done_and_another_address_differs() -> None:
    world = standing(ASKED)
    assert planned(world, ASKED).steps == ()
    for net in ("network:default", ASKED.replace("50", "51")):
        with pytest.raises(DiffersError, match="exists and differs"):
            planned(world, net)


def test_what_its_network_has_lost_comes_back_when_asked_again_and_by_a_rebuild() -> None:
    world = standing(ASKED)
    del world.domains.kept["default"]["config"][KEPT.mac]  # as where it was defined anew
    (found,) = warned(world)
    assert found.what == "default does not keep 192.168.122.50 for alice-dev"
    (step,) = planned(world, ASKED).steps
    rebuilt = plan_rebuild(
        RebuildRequest(ALICE.name), GRANTED, world.facts(TEMPLATES), replace(JOB, job="j2")
    )
    assert "network.reserve" in [step.kind for step in rebuilt.steps]
    step.apply(world.host(), lambda *_: None)
    assert planned(world, ASKED).steps == ()
    assert warned(world) == ()


def test_doctor_tells_of_a_network_that_is_not_active() -> None:
    world = standing(ASKED)
    world.domains.kept.clear()
    (found,) = warned(world)
    assert (found.verdict, found.advice) == (Verdict.WARN, "virsh net-start default")


def test_it_is_released_once_the_machine_cannot_run() -> None:
    world = standing(ASKED)
    plan = plan_deprovision(ALICE.name, GRANTED, world.facts(TEMPLATES), replace(JOB, job="j2"))
    kinds = [step.kind for step in plan.steps]
    assert kinds.index("domain.stop") < kinds.index("network.release") < kinds.index("volume.wipe")


def warned(world: World) -> tuple[Finding, ...]:
    return tuple(
        reserved(Probe(root=True, settings_file="", facts=world.facts(TEMPLATES)), GRANTED)
    )
