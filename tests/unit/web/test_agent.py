"""A tenant's agent: their page and nobody else's, at sockets that systemd made."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from raptorctl.api import web as pages
from raptorctl.api.web import About, KeySeen
from raptorctl.model.tenant import Quota
from raptorctl.model.web import Web
from raptorctl.web.control import ask
from tests.fakes import World
from tests.web import Answer
from tests.web_agent import Running, UnixBrowser, running, tenant_session

WEB = Web("https://vm.example.org:8443", certificate="/a.pem", key="/a.key")
HOST = "vm.example.org:8443"


@pytest.fixture
def about(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the door tells of alice."""
    key = KeySeen("ssh-ed25519", "SHA256:x", "<script>laptop")
    told = About(Quota(machines=2, cpus=8), "2027-01-31", (key,))
    monkeypatch.setattr(pages, "myself", lambda: told)


@pytest.fixture
def alice(world: World, tmp_path: Path, about: None) -> Iterator[Running]:
    with running(tenant_session(world, tmp_path, "alice", WEB), tmp_path) as found:
        yield found


def browser(found: Running) -> UnixBrowser:
    made = UnixBrowser(0, path=found.page)
    made.headers |= {"Host": HOST}
    return made


def entered(found: Running) -> UnixBrowser:
    made = browser(found)
    assert enter(made, found.link()).status == 200
    return made


def enter(made: UnixBrowser, link: str) -> Answer:
    answer = made.get(link.removeprefix(WEB.address), Host=HOST)
    if "set-cookie" in answer.headers:
        made.cookie = answer.headers["set-cookie"].partition(";")[0]
    return answer


def test_a_link_and_a_cookie_say_whose_they_are_and_nothing_else_of_them(alice: Running) -> None:
    link, made = alice.link(), browser(alice)
    assert link.startswith("https://vm.example.org:8443/enter/alice.")
    answer = enter(made, link)
    assert answer.headers["set-cookie"].startswith("__Host-raptorctl=alice.")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=strict"} <= set(
        answer.headers["set-cookie"].split("; ")
    )
    assert enter(browser(alice), link).status == 401
    assert made.get("/", Host=HOST).status == 200


def test_a_tenant_sees_theirs_and_nothing_of_the_host(alice: Running) -> None:
    made = entered(alice)
    text = made.get("/", Host=HOST).text
    assert "alice-dev" in text
    assert 'hx-get="/me"' in text
    assert "bob" not in text
    assert "<html" not in made.get("/me", Host=HOST, HX_Request="true").text
    text = made.get("/me", Host=HOST).text
    assert "1 of 2" in text  # machines
    assert "2027-01-31" in text
    assert "&lt;script&gt;laptop" in text
    for path in (
        "/m/bob-web", "/m/bob-web/boot", "/m/bob-web/log", "/m/bob-web/console", "/new", "/room", "/doctor",
        "/audit", "/jobs", "/jobs/x", "/m/alice-dev/change/resize", "/m/alice-dev/change/deprovision",
    ):  # fmt: skip
        assert made.get(path, Host=HOST).status == 404, path
    assert made.get("/m/alice-dev", Host=HOST).status == 200


def test_forms_come_from_its_own_address_alone(alice: Running) -> None:
    made = entered(alice)
    made.csrf = made.get("/", Host=HOST).text.partition('name="csrf" value="')[2].partition('"')[0]
    path = "/m/alice-dev/power/reboot"
    for origin in ("http://vm.example.org:8443", "https://vm.example.org", "null"):
        assert made.post(path, Host=HOST, Origin=origin).status == 403
    assert made.post(path, Host=HOST, Origin=f"https://{HOST}").status == 303
    foreign = made.post("/m/bob-web/power/destroy", Host=HOST, Origin=f"https://{HOST}")
    assert foreign.status == 404
    assert made.get("/", Host="127.0.0.1").status == 421


def test_logging_out_takes_the_cookie_from_the_browser(alice: Running) -> None:
    made = entered(alice)
    made.csrf = made.get("/", Host=HOST).text.partition('name="csrf" value="')[2].partition('"')[0]
    said = made.post("/leave", Host=HOST, Origin=f"https://{HOST}").headers["set-cookie"]
    assert said.startswith('__Host-raptorctl=""; ')
    parts = {"Secure", "HttpOnly", "Path=/", "SameSite=strict", "Max-Age=0"}
    assert parts <= set(said.split("; "))
    assert made.get("/", Host=HOST).status == 401


def test_no_other_page_chooses_whose_login_a_browser_has(alice: Running) -> None:
    made, link = browser(alice), alice.link()
    path = link.removeprefix(WEB.address)
    for site in ("cross-site", "same-site", "same-origin"):
        answer = made.get(path, Host=HOST, Sec_Fetch_Site=site)
        assert (answer.status, "set-cookie" in answer.headers) == (403, False)
    assert made.get(path, Host=HOST, Sec_Fetch_Site="none").status == 200


def test_root_sees_and_ends_logins(alice: Running) -> None:
    made = entered(alice)
    found = ask(alice.control, {"do": "sessions"})
    assert found
    assert [one["account"] for one in found["sessions"]] == ["alice"]
    assert ask(alice.control, {"do": "logout-all"}) == {"ended": 1}
    assert made.get("/", Host=HOST).status == 401


def test_it_ends_when_nobody_is_there(world: World, tmp_path: Path, about: None) -> None:
    session = tenant_session(world, tmp_path, "alice", WEB)
    with running(session, tmp_path, idle=0.05) as found:
        found.thread.join(60)
        assert not found.thread.is_alive()


def test_it_waits_for_logins_and_for_links_that_are_still_good(alice: Running) -> None:
    door, seen = alice.agent.site.door, []
    seen.append(door.awaits)
    entered(alice)
    seen.append(door.awaits)
    ask(alice.control, {"do": "logout-all"})
    seen.append(door.awaits)
    alice.link()
    seen.append(door.awaits)
    assert seen == [False, True, False, True]


def test_what_it_cannot_learn_is_said(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("raptorctl.host.access.web.DOOR", str(tmp_path / "none"))
    session = tenant_session(world, tmp_path, "alice", WEB)
    with running(session, tmp_path) as found:
        made = entered(found)
        assert "alice-dev" in made.get("/", Host=HOST).text
        answer = made.get("/me", Host=HOST)
    assert answer.status == 200
    assert "no page that you may open" in answer.text


def test_nonsense_at_the_control_gets_no_answer(alice: Running) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(alice.control))
        line.sendall(json.dumps({"do": "link"}).encode() + b"\n")
        assert line.recv(100) == b""
