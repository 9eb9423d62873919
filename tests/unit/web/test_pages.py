"""What the pages show, and what they do."""

import re
from base64 import b64encode
from html import unescape
from pathlib import Path

import pytest

from raptorctl.api import change, machine
from raptorctl.api.caller import Caller
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.names import MachineName
from raptorctl.model.sizes import Size
from raptorctl.model.spec import MachineSpec
from raptorctl.model.text import plain
from raptorctl.plans.machine.choice import ProvisionRequest
from tests.fakes import World
from tests.unit.api.session import InMemory
from tests.web import Browser, Served, served

ED25519 = b"\0\0\0\x0bssh-ed25519\0\0\0\x20"
"""How a public key begins (RFC 8709)."""
PAGES = (
    "/", "/room", "/doctor", "/audit", "/jobs", "/new", "/m/alice-dev", "/m/alice-dev/boot",
    "/m/alice-dev/console", "/m/alice-dev/change/resize", "/m/alice-dev/change/rebuild",
    "/m/alice-dev/change/deprovision", "/m/alice-dev/change/extend",
    "/m/alice-dev/change/snapshot-create",
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_there(browser: Browser, path: str) -> None:
    assert browser.get(path).status == 200


def test_what_the_host_has_is_on_one_page(browser: Browser) -> None:
    assert 'hx-get="/room"' in browser.get("/").text
    text = browser.get("/").text + browser.get("/room", HX_Request="true").text
    assert text.count("<html") == 1
    for seen in (
        "alice",
        "bob",
        "running",
        "198.51.100.1",
        "br-vm1",
        "bob-web:0",
        "198G free of 200G",
    ):
        assert seen in text


def test_a_long_name_is_broken_and_widens_no_page(browser: Browser) -> None:
    assert '<td class="wrap"><a href="/m/alice-dev">' in browser.get("/").text


@pytest.mark.parametrize(
    "path", ["/m/alice-none", "/m/none", "/m/-", "/m/%3Cscript%3E", "/jobs/none", "/work/none"]
)
def test_what_is_not_there_is_said_to_be_so(browser: Browser, path: str) -> None:
    assert browser.get(path).status in {400, 404}


def test_a_machine_is_switched_off_and_on(browser: Browser, world: World) -> None:
    for verb, state in (("destroy", "shut off"), ("start", "running"), ("suspend", "paused"),
                        ("resume", "running"), ("shutdown", "shut off")):  # fmt: skip
        answer = browser.post(f"/m/alice-dev/power/{verb}")
        assert (answer.status, answer.headers["location"]) == (303, "/m/alice-dev")
        assert [d.state.value for d in world.domains.list()] == [state, "running"], verb
    assert "alice-dev is off" in browser.get("/m/alice-dev").text


def test_what_is_refused_is_said_on_the_machines_page(browser: Browser) -> None:
    browser.post("/m/alice-dev/power/resume")
    assert "alice-dev is already running" in browser.get("/m/alice-dev").text


def test_there_are_no_other_verbs(browser: Browser) -> None:
    for path in (
        "/m/alice-dev/power/explode",
        "/m/alice-dev/change/provision",
        "/m/alice-dev/change/x",
    ):
        assert browser.post(path).status == 404


def test_a_plan_is_shown_and_then_carried_out(
    browser: Browser, world: World, tmp_path: Path
) -> None:
    form = {"machine": "alice db", "size": "2G", "cpus": "1", "start": "on"}
    shown = browser.post("/new", form)
    assert shown.status == 200
    session = InMemory(caller=Caller("carol", root=True))
    session.put(world, tmp_path)
    assert len(world.domains.list()) == 2
    for title in ("create volume guest-alice-db, 2G", "define domain alice-db"):
        assert title in shown.text
    agreed = shown.text.partition('name="agreed" value="')[2].partition('"')[0]
    done = browser.post("/new", {**form, "agreed": agreed})
    assert done.status == 303
    ended(browser, done.headers["location"])
    names = {domain.name for domain in world.domains.list()}
    assert names == {"alice-db", "alice-dev", "bob-web"}
    job = session.journals.jobs()[-1]
    assert (job.verb, job.by) == ("provision", "carol")


def test_what_was_filled_in_is_what_is_done(browser: Browser, world: World) -> None:
    """Lines and all, as a browser sends a plan's form back."""
    blobs = [b64encode(ED25519 + bytes([number] * 32)).decode() for number in (1, 2)]
    keys = [f"ssh-ed25519 {blob} carol" for blob in blobs]
    form = {"machine": "alice db", "size": "2G", "cpus": "1", "keys": "\r\n".join(keys)}
    shown = browser.post("/new", form)
    back = dict(re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', shown.text))
    back = {name: unescape(value) for name, value in back.items()}
    assert back["keys"] == form["keys"]
    for fewer in (keys[:1], keys[1:]):  # a form that is not the one that was shown
        done = browser.post("/new", {**back, "keys": "\r\n".join(fewer)})
        assert "the host changed" in ended(browser, done.headers["location"])
    done = browser.post("/new", back)
    assert "state ok" in ended(browser, done.headers["location"])
    stored = world.files.read("/etc/raptorctl/keys/alice") or ""
    assert [line.split()[-2] for line in stored.splitlines()] == blobs


def ended(browser: Browser, path: str) -> str:
    """Wait for what was asked for; the page is there until it is over."""
    while "at work" in (text := browser.get(path).text):
        pass
    return text


def test_what_goes_for_good_needs_its_name(browser: Browser, world: World) -> None:
    path = "/m/alice-dev/change/deprovision"
    shown = browser.post(path, {"force": "on"})
    assert "Type that name to go on" in shown.text
    agreed = shown.text.partition('name="agreed" value="')[2].partition('"')[0]
    for name in ("", "bob-web", "alice"):
        answer = browser.post(path, {"force": "on", "agreed": agreed, "name": name})
        assert answer.status == 400
    assert len(world.domains.list()) == 2
    done = browser.post(path, {"force": "on", "agreed": agreed, "name": "alice dev"})
    assert "nothing of alice-dev is left" in ended(browser, done.headers["location"])
    assert [domain.name for domain in world.domains.list()] == ["bob-web"]


def test_what_was_not_shown_is_not_done(browser: Browser, world: World, tmp_path: Path) -> None:
    form = {"machine": "alice db", "size": "2G", "cpus": "1"}
    shown = browser.post("/new", form)
    agreed = shown.text.partition('name="agreed" value="')[2].partition('"')[0]
    session = InMemory(caller=Caller("dave", root=True))
    session.put(world, tmp_path)
    change.carry_out(session, machine.deprovision(MachineName("alice", "dev"), 0))
    for given in (agreed, "guessed"):
        done = browser.post("/new", {**form, "agreed": given})
        assert "the host changed" in ended(browser, done.headers["location"])
    assert [domain.name for domain in world.domains.list()] == ["bob-web"]


@pytest.mark.parametrize("verb", ["deprovision", "resize", "rebuild"])
def test_a_plan_is_for_the_machine_that_was_shown(
    browser: Browser, world: World, tmp_path: Path, verb: str
) -> None:
    """Another one that has its name by now is asked about anew."""
    path, form = f"/m/alice-dev/change/{verb}", {"size": "2G"} if verb == "resize" else {}
    shown = browser.post(path, form)
    agreed = shown.text.partition('name="agreed" value="')[2].partition('"')[0]
    assert agreed
    session = InMemory(caller=Caller("dave", root=True))
    session.put(world, tmp_path)
    name, spec = MachineName("alice", "dev"), MachineSpec(Size.parse("1G"), CpuSet.parse("2-2"))
    change.carry_out(session, machine.deprovision(name, 0))
    change.carry_out(session, machine.provision(ProvisionRequest(name, spec)))
    done = browser.post(path, {**form, "agreed": agreed, "name": "alice-dev"})
    assert "the host changed" in ended(browser, done.headers["location"])
    again = browser.post(path, form)
    agreed = again.text.partition('name="agreed" value="')[2].partition('"')[0]
    done = browser.post(path, {**form, "agreed": agreed, "name": "alice-dev"})
    assert "state ok" in ended(browser, done.headers["location"])


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"machine": "alice db", "size": "2 pounds", "cpus": "1"}, "is not a size"),
        ({"machine": "alice db"}, "say both"),
        ({"machine": "", "size": "2G", "cpus": "1"}, "That did not work"),
        (
            {"machine": "alice db", "size": "2G", "cpus": "1", "keys": "nonsense"},
            "That did not work",
        ),
    ],
)
def test_nonsense_is_refused_in_words(
    browser: Browser, world: World, form: dict[str, str], said: str
) -> None:
    answer = browser.post("/new", form)
    assert answer.status in {400, 404, 409}
    assert said in answer.text
    assert len(world.domains.list()) == 2


def test_logging_out_ends_it(browser: Browser) -> None:
    assert browser.post("/leave").status == 303
    assert browser.get("/").status == 401


def test_a_tenant_sees_their_own_and_changes_no_host(world: World, tmp_path: Path) -> None:
    with served(world, tmp_path, Caller("alice", root=True, tenant="alice")) as running:
        alice = running.browser("alice")
        text = alice.get("/").text
        assert "dev" in text
        assert "bob" not in text
        for path in ("/m/bob-web", "/m/bob-web/boot", "/m/bob-web/log", "/m/bob-web/console"):
            theirs, none = alice.get(path), alice.get(path.replace("bob-web", "bob-none"))
            assert (theirs.status, none.status) == (404, 404)
            assert theirs.text.replace("bob-web", "bob-none") == none.text
        assert alice.post("/m/bob-web/power/destroy").status == 404
        for path in ("/new", "/room", "/doctor", "/audit", "/jobs", "/m/alice-dev/change/resize"):
            assert alice.get(path).status == 404
        for path in ("/new", "/m/alice-dev/change/deprovision"):
            assert alice.post(path, {"machine": "alice x", "size": "1G", "cpus": "1"}).status == 404
        assert alice.post("/m/alice-dev/power/reboot").status == 303


HOSTILE = "<script>alert(1)</script>\"'&\x1b]52;c;AAAA\x07\u202e"


def test_what_is_not_ours_to_choose_does_nothing(
    server: Served, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A guest's words and names: in the log, in its boot, in a volume's name, in what is typed."""
    monkeypatch.setattr("raptorctl.api.log.console", lambda *_: iter([HOSTILE.encode()]))
    browser = server.browser(who="carol")
    browser.headers["User-Agent"] = HOSTILE.encode().decode("latin-1")
    for answer in (
        browser.get("/m/alice-dev/log"),
        browser.post("/new", {"machine": HOSTILE}),
        browser.post("/new", {"machine": "alice db", "size": HOSTILE, "cpus": "1"}),
        browser.post("/new", {"machine": "alice db", "size": "1G", "cpus": "1", "x": HOSTILE}),
    ):
        assert "<script>alert" not in answer.text
        assert "\x1b" not in answer.text
        assert "\u202e" not in answer.text
    assert plain(HOSTILE) != HOSTILE
