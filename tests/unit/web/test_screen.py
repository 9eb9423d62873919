"""A machine's screen: what it says and is told goes through as it is, and by the console's guards."""

import time
from pathlib import Path

import pytest

from raptorctl.api import change, machine
from raptorctl.api import console as consoles
from raptorctl.api.caller import Caller
from raptorctl.api.session import Session
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.names import MachineName
from raptorctl.model.sizes import Size
from raptorctl.model.spec import Graphics, MachineSpec
from raptorctl.plans.machine.choice import ProvisionRequest
from raptorctl.web.sockets import ENDED, MOST_TYPED, OFF, REFUSED
from tests.fakes import World
from tests.unit.api.session import InMemory
from tests.web import Browser, closed, served, socket_of

SCREEN = "/m/alice-shown/screen/socket"


@pytest.fixture
def world(world: World, tmp_path: Path) -> World:
    session = InMemory(caller=Caller("carol", root=True))
    session.put(world, tmp_path)
    for name, cpu, graphics in (("shown", "4", Graphics.VNC), ("spice", "5", Graphics.SPICE)):
        spec = MachineSpec(Size.parse("1G"), CpuSet.parse(f"{cpu}-{cpu}"), graphics=graphics)
        wanted = ProvisionRequest(MachineName("alice", name), spec)
        change.carry_out(session, machine.provision(wanted))
    return world


def test_only_a_screen_that_can_be_shown_is_offered(browser: Browser) -> None:
    for name, offered in (("shown", True), ("spice", False), ("dev", False)):
        assert ("/screen" in browser.get(f"/m/alice-{name}").text) is offered, name
        with socket_of(browser, f"/m/alice-{name}/live") as line:
            assert ("/screen" in str(line.recv(timeout=60))) is offered, name
    assert "novnc" not in browser.get("/m/alice-shown").text
    assert browser.get("/m/alice-shown/screen").status == 200
    for name, said in (("spice", "virt-viewer alice-spice"), ("dev", "it has no screen")):
        answer = browser.get(f"/m/alice-{name}/screen")
        assert (answer.status, said in answer.text) == (409, True)
        assert closed(socket_of(browser, f"/m/alice-{name}/screen/socket")) == REFUSED


def test_a_screen_is_carried_as_it_comes(browser: Browser, world: World) -> None:
    with socket_of(browser, SCREEN) as line:
        assert line.recv(timeout=60) == b"RFB 003.008\n"
        (guest,) = world.consoles.screens
        guest.settimeout(60)
        line.send(b"\x00\xff\n")
        assert guest.recv(10) == b"\x00\xff\n"
        guest.sendall(bytes(range(256)))
        assert line.recv(timeout=60) == bytes(range(256))
        guest.close()
        assert closed(line) == ENDED


def test_several_see_one_screen(browser: Browser, world: World) -> None:
    with socket_of(browser, SCREEN) as one, socket_of(browser, SCREEN) as other:
        assert one.recv(timeout=60) == other.recv(timeout=60)
    for guest in world.consoles.screens:
        guest.settimeout(60)
        assert guest.recv(1) == b""  # whoever goes away gives it back


def test_who_connects_when_a_screen_is_given_back_is_served(
    browser: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel gives the next connection the number of the file that was closed last."""
    runs = consoles.runs

    def slow(session: Session, name: MachineName) -> bool:
        time.sleep(1)  # libvirt takes a moment to tell
        return runs(session, name)

    monkeypatch.setattr(consoles, "runs", slow)
    line = socket_of(browser, SCREEN)
    line.recv(timeout=60)
    line.close()
    (guest,) = world.consoles.screens
    guest.settimeout(60)
    assert guest.recv(1) == b""
    assert browser.get("/m/alice-shown").status == 200


def test_a_machine_that_is_off_shows_nothing(browser: Browser) -> None:
    browser.post("/m/alice-shown/power/destroy")
    assert closed(socket_of(browser, SCREEN)) == OFF


def test_what_is_too_large_ends_it(browser: Browser, world: World) -> None:
    with socket_of(browser, SCREEN) as line:
        line.recv(timeout=60)
        line.send(b"x" * (MOST_TYPED + 1))
        assert closed(line) not in {ENDED, OFF}


def test_who_logs_out_sees_no_more(browser: Browser, world: World) -> None:
    with socket_of(browser, SCREEN) as line:
        line.recv(timeout=60)
        browser.post("/leave")
        assert closed(line) == 4401


def test_a_tenant_sees_their_own_screen_alone(world: World, tmp_path: Path) -> None:
    with served(world, tmp_path, Caller("bob", root=True, tenant="bob")) as running:
        bob = running.browser("bob")
        assert bob.get("/m/alice-shown/screen").status == 404
        assert closed(socket_of(bob, SCREEN)) == 4404
    assert world.consoles.screens == []


def test_a_screens_page_alone_may_show_what_is_no_file(browser: Browser) -> None:
    for path, may in (("/m/alice-shown/screen", True), ("/m/alice-shown", False), ("/", False)):
        policy = browser.get(path).headers["content-security-policy"]
        assert ("img-src 'self' data:;" in policy) is may
        assert "script-src 'self';" in policy


def test_modules_are_where_they_look_for_each_other(browser: Browser) -> None:
    answer = browser.get("/static/novnc-1.3.0/core/rfb.js")
    assert (answer.status, answer.headers["content-type"]) == (
        200,
        "text/javascript; charset=utf-8",
    )
    assert browser.get("/static/novnc-1.3.0/vendor/pako/lib/zlib/inflate.js").status == 200
    assert browser.get("/static/core/rfb.js").status == 404
