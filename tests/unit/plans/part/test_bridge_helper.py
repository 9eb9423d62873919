"""Bridges on a session host: QEMU's helper gives them, by root's rules."""

from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.errors import RefusedError
from raptorctl.host.system import bridge_helper as reading
from raptorctl.model.bridge_helper import BridgeHelper, read_rules
from raptorctl.model.net import read_nets
from raptorctl.model.seed import SeedGuest
from raptorctl.model.session_host import mac_of
from raptorctl.model.slot import Bridge
from raptorctl.plans.part.seed import wired
from raptorctl.render.read_domain import read_domain
from tests.fakes import but
from tests.session_host import SessionWorld
from tests.unit.plans.machine.test_provision import ALICE, JOB
from tests.unit.plans.part.test_session import WEB, planned, xml_of

GIVES = BridgeHelper("/usr/lib/qemu/qemu-bridge-helper", may=True, rules=(("allow", "br0"),))
THERE = (Bridge("br0", up=True),)


@pytest.fixture
def world(tmp_path: Path) -> SessionWorld:
    return SessionWorld(tmp_path)


@pytest.mark.parametrize(
    ("helper", "says"),
    [
        (BridgeHelper(), "QEMU's bridge helper is not there: install qemu-system-common"),
        (replace(GIVES, may=False), "has not the rights for it: as root: chmod u.s /usr/lib"),
        (replace(GIVES, rules=()), "does not allow it: as root: echo 'allow br0' >> /etc/qemu"),
        (replace(GIVES, rules=(("allow", "br1"),)), "does not allow it"),
        (replace(GIVES, rules=(("allow", "all"), ("deny", "br0"))), "denies it"),
        (replace(GIVES, rules=(("deny", "all"), ("allow", "br0"))), "denies it"),
    ],
)
def test_what_the_helper_does_not_give_is_refused_with_what_root_can_do(
    helper: BridgeHelper, says: str, world: SessionWorld
) -> None:
    wish = but(WEB, net=read_nets(["user", "bridge:br0"]))
    with pytest.raises(RefusedError, match=f"you may not be on bridge br0: .*{says}"):
        planned(world, wish, bridge_helper=helper, bridges=THERE)


@pytest.mark.parametrize("rules", [(("allow", "br0"),), (("allow", "all"),)])
def test_what_it_gives_is_an_interface_beside_the_user_network(
    rules: tuple[tuple[str, str], ...], world: SessionWorld
) -> None:
    wish = but(WEB, net=read_nets(["user", "bridge:br0"]))
    plan = planned(world, wish, bridge_helper=replace(GIVES, rules=rules), bridges=THERE)
    domain = read_domain(xml_of(plan))
    assert domain.nets == ("user", "bridge:br0")
    assert domain.bridges == ("br0",)
    assert plan.summary.endswith("ssh at 127.0.0.1:2201, bridge:br0")
    assert not any("anti-spoofing" in note for note in plan.notes)


def test_rules_that_root_alone_reads_are_left_to_the_helper(world: SessionWorld) -> None:
    hidden = replace(GIVES, rules=(), unreadable="/etc/qemu/bridge.conf")
    wish = but(WEB, net=read_nets(["bridge:br0"]))
    plan = planned(world, wish, bridge_helper=hidden, bridges=THERE)
    assert any("its ssh is forwarded from nowhere" in note for note in plan.notes)


def test_a_bridge_that_is_not_there_is_refused_and_a_network_of_libvirts_too(
    world: SessionWorld,
) -> None:
    with pytest.raises(RefusedError, match="bridge br0 is not there"):
        planned(world, but(WEB, net=read_nets(["bridge:br0"])), bridge_helper=GIVES)
    with pytest.raises(RefusedError, match="networks of libvirt's are root's: name the bridge"):
        planned(world, but(WEB, net=read_nets(["network:default"])), bridge_helper=GIVES)


def test_its_guest_calls_the_user_network_the_first_also_when_it_is_rebuilt() -> None:
    first, second = mac_of(JOB.uuid), mac_of(JOB.uuid, "bridge:br0")
    guest = SeedGuest(name=ALICE.name, zone="", instance="i", slot=None, own_mac=first)
    for macs in ((first, second), (second, first)):
        told = wired(guest, macs)
        assert (told.own_mac, told.others) == (first, (second,))
    assert wired(guest, (second,)).own_mac == second


def test_the_rules_are_read_with_those_that_they_include(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, conf, more = tmp_path / "helper", tmp_path / "bridge.conf", tmp_path / "more.conf"
    program.touch(mode=0o755)
    conf.write_text(f"# ours\nallow br0  # mine\ninclude {more}\ninclude {tmp_path}/none\nx\n")
    more.write_text(f"deny br1\ninclude {conf}\n")
    monkeypatch.setattr(reading, "PROGRAMS", (str(tmp_path / "none"), str(program)))
    monkeypatch.setattr(reading, "CONFIG", str(conf))
    found = reading.bridge_helper()
    assert found.path == str(program)
    assert not found.may
    assert set(found.rules) == {("allow", "br0"), ("deny", "br1")}
    assert read_rules("allow\nallow a b\nforbid br0\n") == ()
