"""What is seen of several machines at once: on a terminal, in a pipe, and by a program."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from raptorctl.api.brought import Brought
from raptorctl.cli.onlooker import Alone, Board
from raptorctl.cli.screen import Screen
from raptorctl.cli.watch import StreamReporter
from raptorctl.errors import StoppedError
from raptorctl.model.job import StepState
from tests.fakes import IMAGE
from tests.unit.cli.session import CommandLine, Terminal

CHECKOUT = Path(__file__).parents[3]
FILE = """
[defaults]
size = "10G"
cpus = 1
image = "debian:13"
steps = [{ inline = "true" }]
[machine.alice-web]
[machine.alice-db]
"""


@pytest.fixture
def host(raptorctl: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    Path("raptor.toml").write_text(FILE)
    raptorctl.world.images.all = (IMAGE,)
    raptorctl.world.guests.banners = ["SSH-2.0-x"]
    return raptorctl


def test_in_a_pipe_each_line_begins_with_its_machine(host: CommandLine) -> None:
    done = host("up")
    assert done.code == 0, done.err
    lines = done.err.splitlines()
    assert {line.partition(": ")[0] for line in lines} == {"alice-web", "alice-db"}
    assert "alice-web: 1/1 run true" in lines
    assert "alice-db: 1/1 run true" in lines
    assert sorted(done.out.splitlines()) == ["alice-db: made, 1 step", "alice-web: made, 1 step"]


def test_one_machine_is_shown_as_by_any_other_command(host: CommandLine) -> None:
    lines = host("up", "alice-web").err.splitlines()
    assert lines[0] == "alice-web:"
    assert "1/1 run true" in lines


def test_no_name_is_above_a_machine_of_which_nothing_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    alone = Alone()
    shown = alone.show("alice-web")
    alone.came(Brought("alice-web", ("started",)), ["alice-web: started"])
    assert capsys.readouterr() == ("alice-web: started\n", "")
    shown.audience.began("run a")
    shown.audience.note("so")
    shown.audience.heard(b"b\n")
    shown.reporter.note("c")
    assert capsys.readouterr().err == "alice-web:\nrun a\nnote: so\nb\nnote: c\n"


def test_on_a_terminal_the_name_of_one_is_above_its_live_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    shown = Alone().show("alice-web")
    assert screen.getvalue() == ""
    shown.reporter.started(1, 1, "boot")
    shown.reporter.started(1, 1, "wait")
    assert screen.getvalue().startswith("alice-web:\n\r\x1b[K  1/1 boot")
    assert screen.getvalue().count("alice-web:") == 1


def test_on_a_terminal_a_line_each_lives_below_what_is_done() -> None:
    screen = Terminal()
    board = Board(screen)
    web, db = board.show("alice-web").reporter, board.show("alice-db").reporter
    web.started(1, 2, "wait for ssh")
    db.started(1, 2, "wipe it")
    assert screen.getvalue().endswith("alice-web: 1/2 wait for ssh\nalice-db: 1/2 wipe it")
    db.started(2, 2, "boot")
    assert screen.getvalue().endswith(
        "\x1b[1A\r\x1b[Jalice-web: 1/2 wait for ssh\nalice-db: 2/2 boot"
    )
    board.came(Brought("alice-db", ("made",)), [])
    assert screen.getvalue().endswith("\x1b[1A\r\x1b[Jalice-web: 1/2 wait for ssh")
    board.came(Brought("alice-web", ("made",)), [])
    assert screen.getvalue().endswith("\r\x1b[J")


def test_what_is_broken_off_leaves_no_line_behind(host: CommandLine) -> None:
    host.world.guests.outcomes = {"inline": StoppedError(signal.SIGTERM)}
    done = host("up", terminal=True, answer="y\n")
    assert done.code == 128 + signal.SIGTERM
    erased = done.err.rpartition("\x1b[J")[2]
    assert "alice" not in erased
    assert "raptorctl:" in erased


def test_a_step_that_ends_is_told_above_the_lines_that_live(
    capsys: pytest.CaptureFixture[str],
) -> None:
    screen = Terminal()
    web = Board(screen).show("alice-web").reporter
    web.started(1, 2, "boot")
    web.ended(1, 2, "boot", StepState.DONE, "")
    assert capsys.readouterr().err.endswith(" 1/2 boot\n")
    assert screen.getvalue().endswith("\r\x1b[Jalice-web:")


def test_what_steps_say_is_whole_lines_by_machine(host: CommandLine) -> None:
    host.world.guests.says = b"one\r\x1b[31mtwo\nthree"
    lines = host("up").err.splitlines()
    for machine in ("alice-web", "alice-db"):
        at = lines.index(f"{machine}: onetwo")
        assert f"{machine}: three" in lines[at:]


def test_a_line_without_an_end_is_told_in_pieces(capsys: pytest.CaptureFixture[str]) -> None:
    heard = Board(sys.stderr).show("alice-web").audience.heard
    for _ in range(20):
        heard(b"a" * 1000)
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 4
    assert {line[:12] for line in told} == {"alice-web: a"}


def test_a_reader_who_leaves_ends_no_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as closed:  # noqa: PTH123 - a descriptor
        monkeypatch.setattr(sys, "stderr", closed)
        screen = Screen()
        for _ in range(2):
            screen.heard(b"still at work\n")


def test_a_program_reads_one_object_a_line(host: CommandLine) -> None:
    host.world.guests.says = b"hello\n"
    done = host("up", "-o", "json", "--watch")
    assert (done.code, done.err) == (0, "")
    told = [json.loads(line) for line in done.out.splitlines()]
    web = [one for one in told if one["machine"] == "alice-web"]
    assert [one["event"] for one in (web[0], web[-1])] == ["began", "ended"]
    assert web[-1]["did"] == ["made", "1 step"]
    steps = [one for one in web if one["event"] == "step"]
    assert {one["state"] for one in steps} == {"begun", "done"}
    assert {"machine": "alice-web", "event": "guest_step", "title": "1/1 run true"} in web
    assert {"machine": "alice-web", "event": "output", "text": "hello\n"} in web
    gone = host("down", "--destroy", "-y", "-o", "json", "--watch")
    assert [json.loads(line)["event"] for line in gone.out.splitlines()].count("ended") == 2
    refused = host("up", "--watch")
    assert (refused.code, "say -o json with it" in refused.complaint) == (2, True)


def test_each_event_is_documented_with_its_keys(host: CommandLine) -> None:
    text = (CHECKOUT / "docs" / "json.md").read_text().partition("With `--watch`")[2]
    block = text.partition("```json\n")[2].partition("```")[0]
    told = {one["event"]: one.keys() for one in map(json.loads, block.splitlines())}
    host.world.guests.banners = ["(connection refused)", "SSH-2.0-x"]
    Path("raptor.toml").write_text(FILE.replace("steps", 'wait = "ssh"\nsteps'))
    lines = host("up", "-o", "json", "--watch").out.splitlines()
    seen = {one["event"]: one.keys() for one in map(json.loads, lines)}
    assert seen.keys() >= {"began", "step", "waiting", "guest_step", "output", "ended"}
    assert {event: told[event] for event in seen} == seen
    events: list[dict[str, object]] = []
    reporter = StreamReporter(
        lambda event, **more: events.append({"event": event, **more}), Ticks()
    )
    reporter.started(1, 2, "boot")
    reporter.progress(3000, 60000)
    reporter.note("a note")
    assert [one.keys() | {"machine"} for one in events[1:]] == [told["progress"], told["note"]]


class Ticks:
    """A clock on which each look is a second later."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def test_a_failure_is_the_last_word_on_its_machine(host: CommandLine) -> None:
    host.world.guests.outcomes = {"inline": 3}
    done = host("up", "alice-web", "-o", "json", "--watch")
    last = json.loads(done.out.splitlines()[-1])
    assert (done.code, last["event"], last["error"]["code"]) == (1, "ended", "guest-step-failed")
