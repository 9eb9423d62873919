"""Consoles' logs: the last lines, what is added, and to whom the service gives what."""

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from raptorctl.api.log import operated
from raptorctl.cli import log_service
from raptorctl.errors import SettingsError
from raptorctl.host.guest import console_log
from raptorctl.host.guest.console_log import ask_service, read_log, serve
from raptorctl.host.system.peer import name_of, uid_of
from raptorctl.model.share import SHARES, Grant, Share, shares_text
from raptorctl.model.text import harmless
from tests.unit.model.test_share import UUID


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "alice-dev.log").write_bytes(b"".join(b"line %d\n" % n for n in range(1000)))
    (tmp_path / "bob-web.log").write_bytes(b"bob's secret\n")
    return tmp_path


def test_the_last_lines_are_read(folder: Path) -> None:
    log = folder / "alice-dev.log"
    said = b"".join(read_log(log, 2, follow=False, gone=lambda: True))
    assert said == b"line 998\nline 999\n"


def test_what_is_added_follows_over_a_new_file_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console_log, "BEAT", 0.01)
    log = folder / "alice-dev.log"
    left = [True, False, False, False, False]
    pieces = read_log(log, 1, follow=True, gone=lambda: not left or left.pop())
    assert next(pieces) == b"line 999\n"
    with log.open("ab") as file:
        file.write(b"more\n")
    assert next(pieces) == b"more\n"
    log.rename(folder / "alice-dev.log.0")
    log.write_bytes(b"new\n")
    assert next(pieces) == b"new\n"


Shared = Callable[[str, str], bool]


def answer(
    folder: Path,
    request: bytes,
    account: str,
    monkeypatch: pytest.MonkeyPatch,
    shared: Shared = lambda *_: False,
) -> bytes:
    monkeypatch.setattr(console_log, "name_of", lambda _uid: account)
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            ours.sendall(request)
            ours.shutdown(socket.SHUT_WR)
            serve(theirs, folder, shared)
        try:
            return b"".join(iter(lambda: ours.recv(65536), b""))
        except ConnectionResetError:  # hung up on, with something said and not read
            return b""


def test_a_tenant_gets_what_is_called_after_him(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert answer(folder, b"alice-dev 1 once\n", "alice", monkeypatch) == b"line 999\n"


@pytest.mark.parametrize(
    ("account", "request_line"),
    [
        ("alice", b"bob-web 1 once\n"),
        ("al", b"alice-dev 1 once\n"),
        ("", b"alice-dev 1 once\n"),
        ("alice-dev", b"alice-dev 1 once\n"),
        ("alice", b"alice-../bob-web 1 once\n"),
        ("alice", b"alice-dev.log.0 1 once\n"),
        ("alice", b"alice-dev 1 once"),
        ("alice", b"alice-dev 1 once\nmore"),
        ("alice", b"alice-dev -1 once\n"),
        ("alice", b"alice-dev 1 forever\n"),
        ("alice", b"alice-dev\x00 1 once\n"),
        ("alice", b"\xff" * 1000),
        ("alice", b""),
    ],
)
def test_nobody_gets_anything_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch, account: str, request_line: bytes
) -> None:
    assert answer(folder, request_line, account, monkeypatch) == b""


SHARE = Share("alice-dev", "u", "bob", Grant.OPERATE, "", "j1", "2026-11-29T12:00:00Z", "carol")


@pytest.mark.parametrize(
    ("change", "uuid", "gets"),
    [
        ({}, UUID, True),
        ({"until": "2099-01-31T00:00:00Z"}, UUID, True),
        ({"until": "2020-01-31T00:00:00Z"}, UUID, False),
        ({"grant": Grant.CONSOLE}, UUID, False),
        ({"tenant": "eve"}, UUID, False),
        ({"machine": "alice-web"}, UUID, False),
        ({}, "of another", False),
        ({}, "", False),
    ],
)
def test_who_operates_a_machine_reads_its_log(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, Any],
    uuid: str,
    gets: bool,
) -> None:
    share = replace(SHARE, uuid=UUID, **change)
    found = SimpleNamespace(uuid=uuid) if uuid else None
    files = SimpleNamespace(read={SHARES: shares_text([share])}.get)
    domains = SimpleNamespace(named={"alice-dev": found}.get)
    host: Any = SimpleNamespace(files=files, domains=domains)
    said = answer(folder, b"alice-dev 1 once\n", "bob", monkeypatch, operated(host))
    assert said == (b"line 999\n" if gets else b"")
    assert answer(folder, b"bob-web 1 once\n", "alice", monkeypatch, operated(host)) == b""


def test_a_log_that_is_followed_ends_with_the_share(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console_log, "BEAT", 0.01)
    asked: list[str] = []

    def shared(_account: str, name: str) -> bool:
        asked.append(name)
        return len(asked) < 5

    monkeypatch.setattr(console_log, "_gone", lambda _client: False)
    said = answer(folder, b"alice-dev 1 follow\n", "bob", monkeypatch, shared)
    assert said == b"line 999\n"
    assert asked == ["alice-dev"] * 5


@pytest.mark.parametrize("name", [b"alice-dev.log.0", b"alice-../bob-web", b"alice--dev", b"alice"])
def test_what_names_no_machine_is_not_asked_about(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: bytes
) -> None:
    assert answer(folder, name + b" 1 once\n", "bob", monkeypatch, lambda *_: True) == b""


def test_who_asks_is_known_by_the_kernel() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        import pwd

        assert name_of(uid_of(theirs)) == pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
def service(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    path = folder / "sock"
    monkeypatch.setattr(console_log, "SOCKET", str(path))
    monkeypatch.setattr(console_log, "name_of", lambda _uid: "alice")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def once() -> None:
            client, _ = listening.accept()
            with client:
                serve(client, folder)

        thread = threading.Thread(target=once)
        thread.start()
        yield
        thread.join()


@pytest.mark.usefixtures("service")
def test_the_client_and_the_service_understand_each_other() -> None:
    assert b"".join(ask_service("alice-dev", 2, follow=False)) == b"line 998\nline 999\n"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("plain\n", "plain\n"),
        ("\x1b[31mred\x1b[0m\n", "red\n"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]52;c;ZXZpbA==\x1b\\text", "text"),
        ("\x1bP1;2|evil\x1b\\text", "text"),
        ("a\rb\x08c\x07d\te\n", "abcd\te\n"),
        ("\x9b31mtext", "31mtext"),
        ("\x1bctext", "text"),
        ("žluťoučký\n", "žluťoučký\n"),
        ("rm \u202egpj.\u2066exe\u2069\n", "rm gpj.exe\n"),
    ],
)
def test_a_guest_does_not_drive_the_readers_terminal(said: str, shown: str) -> None:
    assert harmless(said) == shown


@pytest.mark.timeout(60)
def test_strings_for_the_terminal_that_never_end_are_taken_out_in_time() -> None:
    assert harmless("\x1b]0;" * 400_000 + "\x1b]0;x\x1b\\end") == "0;" * 400_000 + "end"


def test_the_service_says_in_one_line_that_the_host_has_no_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none() -> NoReturn:
        raise SettingsError("/etc/raptorctl/settings.toml", "", "is not there")

    ours, theirs = socket.socketpair()
    monkeypatch.setattr(log_service, "read_settings", none)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(fileno=theirs.detach))
    with ours, pytest.raises(SystemExit) as ended:
        log_service.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == "raptorctl: /etc/raptorctl/settings.toml: is not there\n"
