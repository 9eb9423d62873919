"""The door: who gets a link to which page."""

import json
import pwd
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from raptorctl.api import web as pages
from raptorctl.api.caller import Caller
from raptorctl.errors import HostError
from raptorctl.host.system import peer
from raptorctl.model.ssh_key import keys_text
from raptorctl.model.tenant import CLOSED, CONSOLE_GROUP, Mode, keys_path
from raptorctl.model.web import Web
from raptorctl.web import mint
from tests.fakes import World
from tests.unit.api.session import InMemory
from tests.web_agent import running, tenant_session

WEB = Web("http://127.0.0.1:8443")
Ask = Callable[[bytes], object]


@pytest.fixture
def door(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """Ask it; who asks has alice's number, as the kernel would say of her."""
    uid = world.accounts.by_name["alice"].uid
    monkeypatch.setattr(peer, "uid_of", lambda _client: uid)
    known = {account.uid: name for name, account in world.accounts.by_name.items()}
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: SimpleNamespace(pw_name=known[uid]))
    monkeypatch.setattr(mint, "control_socket", lambda name: str(tmp_path / f"control/{name}.sock"))
    monkeypatch.setattr(pages, "begin_agent", lambda _name: None)
    session = InMemory(caller=Caller("root", root=True))
    session.put(world, tmp_path)

    def ask(said: bytes) -> object:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.sendall(said)
            ours.shutdown(socket.SHUT_WR)
            mint.serve(theirs, session, tmp_path / "paces")
            theirs.shutdown(socket.SHUT_WR)
            with ours.makefile("rb") as answer:
                found = answer.readline()
        return json.loads(found) if found else None

    yield ask


def test_a_tenant_gets_a_link_to_their_own_page(door: Ask, world: World, tmp_path: Path) -> None:
    with running(tenant_session(world, tmp_path, "alice", WEB), tmp_path):
        said = door(b'{"do": "link"}\n')
        assert isinstance(said, dict)
        assert said["link"].startswith("http://127.0.0.1:8443/enter/alice.")
        assert door(b'{"do": "sessions"}\n') == {"sessions": []}
        assert door(b'{"do": "logout-all"}\n') == {"ended": 0}
        assert door(b'{"do": "logout", "which": "59d1f6ca"}\n') == {"ended": 0}


def test_the_agent_is_begun_where_none_runs(
    door: Ask, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = []

    def begin(name: str) -> None:
        begun.append(name)
        made = running(tenant_session(world, tmp_path, name, WEB), tmp_path)
        made.__enter__()
        ended.append(made)

    ended: list[object] = []
    monkeypatch.setattr(pages, "begin_agent", begin)
    assert "link" in str(door(b'{"do": "link"}\n'))
    assert begun == ["alice"]
    for made in ended:
        made.__exit__(None, None, None)  # type: ignore[attr-defined]


def test_one_that_does_not_begin_is_told(door: Ask) -> None:
    assert door(b'{"do": "sessions"}\n') == {"sessions": []}
    assert door(b'{"do": "logout-all"}\n') == {"ended": 0}
    assert door(b'{"do": "link"}\n') == {"error": "the agent of alice's page does not answer"}


def test_what_a_tenant_may_know_of_themselves_is_told(door: Ask, world: World) -> None:
    world.files.write(keys_path("alice"), keys_text(()), 0o644)
    assert door(b'{"do": "about"}\n') == {
        "about": {
            "quota": {"machines": None, "cpus": None, "memory": None, "size": None},
            "expires": "",
            "keys": [],
        }
    }


def test_who_asks_too_often_waits_and_the_host_is_not_looked_at(
    door: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(60):
        assert door(b'{"do": "sessions"}\n') == {"sessions": []}
    looked: list[int] = []
    monkeypatch.setattr(pages, "person", lambda _session, uid: looked.append(uid))
    refused = {"error": "more than 60 requests in 60 s"}
    assert (door(b'{"do": "sessions"}\n'), looked) == (refused, [])
    monkeypatch.setattr(peer, "uid_of", lambda _client: 4711)
    assert (door(b"{}\n"), looked) == (None, [4711])  # another account is heard


def test_where_nothing_can_be_counted_it_is_said(door: Ask, tmp_path: Path) -> None:
    (tmp_path / "paces").touch()
    told = f"the door cannot write in {tmp_path}/paces: File exists"
    assert door(b'{"do": "sessions"}\n') == {"error": told}


@pytest.mark.parametrize(
    "said",
    [b"", b"\n", b"{}\n", b"[]\n", b"link\n", b'{"do": "link"}', b'{"do": "shell"}\n', b"\xff\n",
     b'{"do": "link"}\n{"do": "link"}\n', b"a" * 10_000, b'{"do": "logout"}\n', b"[" * 150 + b"\n",
     b'{"do": "logout", "which": 1}\n', b'{"do": "logout", "which": ""}\n', b'{"do": "logout", "which": "' + b"a" * 200 + b'"}\n'],
)  # fmt: skip
def test_nonsense_gets_no_answer(door: Ask, said: bytes) -> None:
    assert door(said) is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"shell": Mode.NOLOGIN.shell}, "alice may not log in"),
        ({"expires": CLOSED}, "alice may not log in"),
        ({"groups": frozenset({CONSOLE_GROUP})}, "the page is for tenants"),
        ({"uid": 4321}, "the page is for tenants"),
    ],
)
def test_who_may_not_log_in_gets_none(
    door: Ask, world: World, change: dict[str, object], told: str
) -> None:
    from dataclasses import replace

    accounts = world.accounts.by_name
    accounts["alice"] = replace(accounts["alice"], **change)  # type: ignore[arg-type]
    for verb in ("link", "about", "sessions", "logout"):
        question = json.dumps({"do": verb, "which": "", "who": "bob"})
        assert door(f"{question}\n".encode()) == {"error": told}


def test_who_is_no_tenant_gets_none(door: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("root", "carol-x", "www", "none"):
        monkeypatch.setattr(pwd, "getpwuid", lambda _uid, n=name: SimpleNamespace(pw_name=n))
        assert door(b'{"do": "link"}\n') == {"error": "the page is for tenants"}


def test_the_client_says_what_the_door_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from raptorctl.errors import RefusedError
    from raptorctl.host.access import web

    monkeypatch.setattr(web, "DOOR", str(tmp_path / "door"))
    with pytest.raises(RefusedError, match="no page that you may open: admins type"):
        web.ask_door({"do": "link"})
    for answer, kind, told in (
        (b'{"error": "alice may not log in"}\n', RefusedError, "alice may not log in"),
        (b"", HostError, "does not answer"),
        (b"[" * 100 + b"\n", HostError, "broke off"),
    ):
        with _answering(tmp_path / "door", answer), pytest.raises(kind, match=told):
            web.ask_door({"do": "link"})


class _answering:  # noqa: N801 - a context manager
    def __init__(self, path: Path, answer: bytes) -> None:
        self.path, self.answer = path, answer

    def __enter__(self) -> None:
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(str(self.path))
        self.listening.listen()
        self.thread = threading.Thread(target=self._answer, daemon=True)
        self.thread.start()

    def _answer(self) -> None:
        line, _ = self.listening.accept()
        with line:
            line.recv(100)
            line.sendall(self.answer)

    def __exit__(self, *_: object) -> None:
        self.thread.join(60)
        self.listening.close()
        self.path.unlink()
