"""How the command line speaks with a server that runs."""

import json
import re
import socket
import stat
from pathlib import Path

import pytest

from raptorctl.errors import HostError, MissingError
from raptorctl.web.control import ask, asked
from tests.web import Served


def test_the_socket_is_for_its_account_alone(server: Served) -> None:
    assert stat.S_IMODE(server.socket.stat().st_mode) == 0o600


def test_who_is_logged_in_is_told(server: Served) -> None:
    server.browser("carol")
    found = ask(server.socket, {"do": "sessions"})
    assert found
    assert [one["account"] for one in found["sessions"]] == ["carol"]
    assert re.fullmatch("[0-9a-f]{8}", found["sessions"][0]["id"])


def test_a_login_is_ended_by_its_name_or_its_account(server: Served) -> None:
    first, _, other = server.browser("carol"), server.browser("dave"), server.browser("dave")
    found = ask(server.socket, {"do": "sessions"})
    assert found
    assert ask(server.socket, {"do": "logout", "which": found["sessions"][0]["id"]}) == {"ended": 1}
    assert (first.get("/").status, other.get("/").status) == (401, 200)
    assert ask(server.socket, {"do": "logout", "which": "dave"}) == {"ended": 2}
    server.browser("carol")
    with pytest.raises(HostError):
        ask(server.socket, {"do": "logout", "which": ""})
    assert ask(server.socket, {"do": "logout-all"}) == {"ended": 1}


@pytest.mark.parametrize(
    "said",
    [b"", b"\n", b"{}\n", b"[]\n", b"nonsense\n", b'{"do": "link", "who": "a b"}\n', b"\xff\n",
     b'{"do": "link"}\n', b'{"do": "logout", "which": 1}\n', b"a" * 10_000, b"[" * 4000 + b"\n"],
)  # fmt: skip
def test_nonsense_gets_no_answer_and_does_no_harm(server: Served, said: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(server.socket))
        line.sendall(said)
        line.shutdown(socket.SHUT_WR)
        assert line.recv(100) == b""
    assert json.dumps(ask(server.socket, {"do": "sessions"})) == '{"sessions": []}'


def test_no_server_is_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    assert ask(path, {"do": "sessions"}) is None
    with pytest.raises(MissingError, match="the page is not open"):
        asked(path, {"do": "sessions"})
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(path))
    assert ask(path, {"do": "sessions"}) is None


def test_a_server_that_says_nonsense_is_told_apart(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as strange:
        strange.bind(str(tmp_path / "web.sock"))
        strange.listen()
        import threading

        def answer() -> None:
            line, _ = strange.accept()
            line.recv(100)
            line.sendall(b"what?\n")
            line.close()

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(HostError, match="does not answer"):
            ask(tmp_path / "web.sock", {"do": "sessions"})
