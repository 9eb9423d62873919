"""docs/tutorial.md: every command is run on the host in memory, and prints what the page shows."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes import IMAGE, World
from tests.lab import demo
from tests.lab.__main__ import parser
from tests.tutorial import Act, acts
from tests.unit.cli.session import CommandLine
from tests.unit.model.test_ssh_key import GOOD

ALL = tuple(acts())
ON_HOST = ("lab", "raptorctl")
ELSEWHERE = {"image": "tests/unit/cli/test_image.py", "ssh": "tests/unit/cli/test_guest.py"}
"""Commands that need a file of gigabytes, or become another program."""
VARIES = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}|\[[\d.]+ s\]")


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A host as `make demo` leaves it."""
    monkeypatch.setenv("NO_COLOR", "1")
    line = CommandLine(World(), tmp_path)
    line.world.images.all = (replace(IMAGE, name="debian-lab"),)
    (tmp_path / "bob.pub").write_text(GOOD)
    for _, told in demo.STORY:
        program, *words = told.split()
        if program == "raptorctl" and "provision" in words and "--dry-run" not in words:
            assert line(*words).code == 0
    return line


def test_every_command_prints_what_the_page_shows(host: CommandLine) -> None:
    for act in on_host():
        words = [word.replace("/root/", f"{host.directory}/") for word in act.words[2:]]
        if act.words[1] == "sh":  # what it prints is kept
            typed, _, file = words[1].partition(" > ")
            Path(file).write_text(host(*typed.split()[1:]).out)
            continue
        if act.words[1] == "sed":
            subprocess.run(["sed", *words], check=True, timeout=60)
            continue
        if words[0] == "wait":
            host.world.guests.banners = ["SSH-2.0-x"]
        done = host(*words, terminal=True, answer=act.answer)
        assert (done.code != 0) == act.refused, f"{act.line}: {done.err}"
        assert_shown(act, done.err + done.out)


def on_host() -> Iterator[Act]:
    """Give what can be run here; the rest is run by other tests."""
    for act in ALL:
        ours = tuple(act.words[:2]) == ON_HOST and act.words[2] not in ELSEWHERE
        if ours or act.words[:2] in (["lab", "sh"], ["lab", "sed"]):
            yield act


def assert_shown(act: Act, printed: str) -> None:
    """Compare the page with what a terminal has in the end; `...` stands for any lines."""
    asked = re.sub(r"(Go on\? \[y/N\] |to go on: )", rf"\g<1>{act.answer}", printed)
    lines = (line.rsplit("\x1b[K", 1)[-1].rstrip() for line in asked.split("\n"))
    text = settled("\n".join(lines))
    wanted = (
        r"(?:.*\n)*?" if line == "...\n" else re.escape(line)
        for line in settled(act.shown).splitlines(keepends=True)
    )
    if act.shown:
        assert re.fullmatch("".join(wanted), text), f"$ {act.line}\n{text}"


def settled(text: str) -> str:
    return VARIES.sub("", text)


def test_what_is_run_elsewhere_is_run_there() -> None:
    for command, file in ELSEWHERE.items():
        assert f'"{command}"' in (Path(__file__).parents[2] / file).read_text()


def test_commands_of_the_checkout_can_be_typed() -> None:
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    for act in ALL:
        words = act.words
        if words[0] == "make":
            assert f"\n{words[1]}: " in makefile
        if words[1:3] == ["-m", "tests.lab"]:
            parser().parse_args(words[3:])
    assert "alias lab='.venv/bin/python -m tests.lab exec --tty --'" in [act.line for act in ALL]
