"""Root sees and ends logins to the host's page and to tenants', by the sockets that root has."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from raptorctl.errors import HostError, MissingError
from raptorctl.model.web import Web
from raptorctl.web import logins
from raptorctl.web.logins import PageAnswers, everywhere
from tests.fakes import World
from tests.unit.cli.session import CommandLine
from tests.unit.test_docs import shape, told_shape
from tests.web import served
from tests.web_agent import Running, UnixBrowser, running, tenant_session

WEB = Web("http://127.0.0.1:8443")
SESSIONS = {"do": "sessions"}
EVERYBODY = {"do": "logout-all"}


@pytest.fixture
def controls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where agents' controls are."""
    monkeypatch.setattr(logins, "CONTROLS", str(tmp_path / "control"))
    return tmp_path / "control"


@pytest.fixture
def agents(controls: Path, tmp_path: Path) -> Iterator[dict[str, Running]]:
    """Those of alice, who came in twice, and of bob, who came in once."""
    world = World().with_tenants("alice", "bob")
    with ExitStack() as stack:
        found = {
            name: stack.enter_context(running(tenant_session(world, tmp_path, name, WEB), tmp_path))
            for name in ("alice", "bob")
        }
        for name in ("alice", "alice", "bob"):
            browser = UnixBrowser(0, path=found[name].page)
            path = found[name].link(name).removeprefix(WEB.address)
            answer = browser.get(path, Host="127.0.0.1:8443", User_Agent=f"of {name}")
            assert answer.status == 200
        yield found


def test_all_who_are_logged_in_are_told_with_their_tenant(
    agents: dict[str, Running], world: World, tmp_path: Path
) -> None:
    with served(world, tmp_path) as page:
        page.browser("carol")
        found = everywhere(page.socket, SESSIONS)
        assert [(one.tenant, one.account) for one in found.logins] == [
            ("", "carol"), ("alice", "alice"), ("alice", "alice"), ("bob", "bob"),
        ]  # fmt: skip
        assert everywhere(page.socket, {"do": "logout", "which": found.logins[1].id}).ended == 1
        assert everywhere(page.socket, {"do": "logout", "which": "bob"}).ended == 1
        assert everywhere(page.socket, EVERYBODY).ended == 2
        assert everywhere(page.socket, SESSIONS) == PageAnswers()


def test_the_hosts_page_need_not_be_open(agents: dict[str, Running], tmp_path: Path) -> None:
    assert len(everywhere(tmp_path / "none", SESSIONS).logins) == 3


def test_where_no_tenant_has_a_page_the_hosts_has_to_be_open(
    controls: Path, tmp_path: Path
) -> None:
    with pytest.raises(MissingError, match="the page is not open"):
        everywhere(tmp_path / "none", SESSIONS)
    controls.mkdir()
    assert everywhere(tmp_path / "none", SESSIONS) == PageAnswers()


NONSENSE = (
    b"", b"what?\n", b"[]\n", b"[1]\n", b"[" * 100_000 + b"\n", b"a" * 200_000, b'{"sessions": []}',
    b'{"sessions": [{}]}\n', b'{"sessions": 1}\n', b'{"ended": "many"}\n',
    b'{"sessions": [{"id": "a", "account": "a", "since": "a", "browser": 1}]}\n',
)  # fmt: skip


def test_agents_that_answer_nonsense_keep_no_other_from_being_told(
    agents: dict[str, Running], controls: Path, tmp_path: Path
) -> None:
    names = [f"mallory{number}" for number in range(len(NONSENSE))]
    with ExitStack() as stack:
        for name, said in zip(names, NONSENSE, strict=True):
            stack.enter_context(answering(controls / f"{name}.sock", said))
        found = everywhere(tmp_path / "none", SESSIONS)
    assert [one.tenant for one in found.logins] == ["alice", "alice", "bob"]
    assert set(found.silent) == set(names)
    with pytest.raises(
        HostError, match=r"no answer from the page of mallory0, .*: to end it: system"
    ):
        found.raise_if_silent()


def test_an_agent_that_answers_by_the_byte_is_not_waited_for(
    controls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    controls.mkdir()
    monkeypatch.setattr(logins, "SECONDS", 0.2)
    with answering(controls / "mallory.sock", b" " * 100, pause=0.1):
        assert everywhere(tmp_path / "none", SESSIONS).silent == ("mallory",)


def test_what_an_agent_says_drives_no_terminal_and_names_no_other_tenant(
    controls: Path, tmp_path: Path
) -> None:
    controls.mkdir()
    one = {"id": "\x1b[2J", "account": "root", "since": "\n", "browser": "\x9b2J", "tenant": "bob"}
    with answering(controls / "mallory.sock", json.dumps({"sessions": [one]}).encode() + b"\n"):
        (found,) = everywhere(tmp_path / "none", SESSIONS).logins
    assert (found.id, found.since, found.browser, found.tenant) == ("?[2J", "?", "?2J", "mallory")


def test_the_command_says_it_as_the_documentation_does(
    agents: dict[str, Running], world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raptorctl = CommandLine(world, tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    found = json.loads(raptorctl("web", "sessions", "-o", "json").out)
    assert shape(found) == told_shape("`web sessions`")
    assert [one["tenant"] for one in found["sessions"]] == ["alice", "alice", "bob"]
    head, *lines = raptorctl("web", "sessions").out.splitlines()
    assert head.split() == ["LOGIN", "TENANT", "ACCOUNT", "SINCE", "BROWSER"]
    assert [line.split()[1] for line in lines] == ["alice", "alice", "bob"]
    with answering(tmp_path / "control/mallory.sock", b"what?\n"):
        done = raptorctl("web", "logout", "alice")
    assert (done.out, done.code) == ("2 logged out\n", HostError.exit_code)
    assert "no answer from the page of mallory" in done.complaint
    assert raptorctl("web", "logout", "carol").code == MissingError.exit_code


@contextmanager
def answering(path: Path, said: bytes, pause: float = 0.0) -> Iterator[None]:
    """An agent that says that to whoever asks; byte by byte, where there is a pause."""
    over = threading.Event()

    def answer() -> None:
        line, _ = listening.accept()
        with line:
            line.recv(1000)
            pieces = [said[at : at + 1] for at in range(len(said))] if pause else [said]
            for piece in pieces:
                try:
                    line.sendall(piece)
                except OSError:
                    return
                if over.wait(pause):
                    return

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield
        over.set()
        thread.join(60)
    path.unlink()
