"""A root service that knows who asks: one line, bounded; and answers that hold up nobody."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from raptorctl.errors import HostError, InputError, MissingError
from raptorctl.host.system import peer
from raptorctl.host.system.peer import Answers, ask, read_line, uid_of

NOBODY = MissingError("nobody is there")


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


Ends = tuple[socket.socket, socket.socket]


def test_the_kernel_says_who_it_is(ends: Ends) -> None:
    assert uid_of(ends[0]) == os.getuid()


def test_one_line_is_read_however_it_comes(ends: Ends) -> None:
    ours, theirs = ends
    theirs.sendall(b'{"verb": ')
    threading.Timer(0.01, theirs.sendall, [b'"list"}\n']).start()
    assert read_line(ours, 100) == b'{"verb": "list"}'


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (b"", "has no end"),
        (b"{}", "has no end"),
        (b"x" * 101, "longer than 100 bytes"),
        (b"x" * 101 + b"\n", "longer than 100 bytes"),
        (b"{}\n{}\n", "more than one thing"),
    ],
)
def test_anything_else_is_refused(ends: Ends, said: bytes, complaint: str) -> None:
    ours, theirs = ends
    theirs.sendall(said)
    theirs.shutdown(socket.SHUT_WR)
    with pytest.raises(InputError, match=complaint):
        read_line(ours, 100)


def test_who_says_nothing_is_not_waited_for(ends: Ends) -> None:
    ends[1].sendall(b"{")
    with pytest.raises(InputError, match="within"):
        read_line(ends[0], 100, 0.05)


def test_who_does_not_read_holds_up_nobody(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "PATIENCE", 0.05)
    answers = Answers(ends[0])
    for number in range(10_000):
        answers.tell({"progress": [number, 10_000], "filler": "x" * 1000})
    answers.end({"done": True})


def test_who_reads_late_gets_whole_lines_and_the_end(ends: Ends) -> None:
    ours, theirs = ends
    answers = Answers(ours)
    heard: list[dict[str, object]] = []
    for number in range(10_000):
        answers.tell({"number": number, "filler": "x" * 1000})

    def read() -> None:
        with theirs.makefile("rb") as lines:
            heard.extend(json.loads(line) for line in lines)

    reader = threading.Thread(target=read)
    reader.start()
    answers.end({"done": True})
    ours.close()
    reader.join()
    numbers = [said["number"] for said in heard[:-1]]
    assert numbers == list(range(len(numbers)))
    assert 0 < len(numbers) < 10_000
    assert heard[-1] == {"done": True}


def test_who_has_hung_up_is_told_nothing(ends: Ends) -> None:
    answers = Answers(ends[0])
    ends[1].close()
    answers.tell({"a": 1})
    answers.tell({"a": 2})
    answers.end({"a": 3})


def serving(path: Path, answer: bytes) -> threading.Thread:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()

    def serve() -> None:
        with server, server.accept()[0] as client:
            client.recv(100)
            client.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def test_a_service_is_asked_and_answers(tmp_path: Path) -> None:
    thread = serving(tmp_path / "s", b'{"note": "one"}\n{"done": {}}\n')
    assert list(ask(str(tmp_path / "s"), {"verb": "x"}, NOBODY)) == [{"note": "one"}, {"done": {}}]
    thread.join()


@pytest.mark.parametrize("answer", [b"junk\n", b"[1]\n", b'{"note"'])
def test_an_answer_that_is_none_is_told(tmp_path: Path, answer: bytes) -> None:
    thread = serving(tmp_path / "s", answer)
    with pytest.raises(HostError, match="broke off"):
        list(ask(str(tmp_path / "s"), {}, NOBODY))
    thread.join()


def test_a_service_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="nobody is there"):
        list(ask(str(tmp_path / "none"), {}, NOBODY))
