"""Timers, by programs in systemd's place: what they are called with, and what they answer."""

from pathlib import Path

import pytest

from raptorctl.errors import CommandError, MissingError
from raptorctl.host.system import command, timer
from raptorctl.host.system.timer import SystemdTimers

NAME = "raptorctl-share-20261129-120000-aaaa"


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What systemd's programs were called with, a word a line; `answer` in place of theirs."""
    path = tmp_path / "said"
    for program in ("systemctl", "systemd-run"):
        script = f'printf "%s\\n" {program} "$@" >> {path}; . {tmp_path}/answer'
        (tmp_path / program).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setattr(command, "PATH", f"{tmp_path}:/usr/bin:/bin")
    return path


def answer(said: Path, script: str) -> None:
    (said.parent / "answer").write_text(f"{script}\n")


def test_a_moment_starts_the_service_that_is_there(said: Path) -> None:
    answer(said, "")
    SystemdTimers().set(NAME, "2027-01-31T12:30:05Z")
    words = said.read_text().splitlines()
    assert words[:2] == ["systemd-run", f"--unit={NAME}"]
    assert "--on-calendar=2027-01-31 12:30:05 UTC" in words
    assert "--timer-property=AccuracySec=1s" in words
    assert words[-4:] == ["systemctl", "start", "--no-block", "raptorctl-expire.service"]


def test_one_that_is_not_taken_is_an_error(said: Path) -> None:
    answer(said, "echo Unit was already loaded >&2; exit 1")
    with pytest.raises(CommandError, match="already loaded"):
        SystemdTimers().set(NAME, "2027-01-31T12:30:05Z")


@pytest.mark.parametrize(
    ("script", "there"),
    [("echo active", True), ("echo inactive; exit 3", False), ("echo inactive; exit 4", False)],
)
def test_whether_it_waits(said: Path, script: str, there: bool) -> None:
    answer(said, script)
    assert SystemdTimers().is_set(NAME) is there
    assert said.read_text().splitlines() == ["systemctl", "is-active", f"{NAME}.timer"]


def test_systemd_that_does_not_answer_is_no_timer_that_is_not_there(said: Path) -> None:
    answer(said, "echo Failed to connect to bus >&2; exit 1")
    with pytest.raises(CommandError, match="Failed to connect"):
        SystemdTimers().is_set(NAME)


@pytest.mark.parametrize("status", [0, 5])
def test_one_that_is_gone_is_cancelled(said: Path, status: int) -> None:
    answer(said, f"exit {status}")
    SystemdTimers().cancel(NAME)
    assert said.read_text().splitlines() == ["systemctl", "stop", f"{NAME}.timer"]


def test_without_systemd_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "PATH", str(tmp_path))
    with pytest.raises(MissingError, match="systemd-run is not installed"):
        SystemdTimers().set(NAME, "2027-01-31T12:30:05Z")


@pytest.mark.parametrize(("booted", "hourly"), [(True, True), (True, False), (False, True)])
def test_it_works_where_systemd_runs_and_expire_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, booted: bool, hourly: bool
) -> None:
    folder, link = tmp_path / "system", tmp_path / "raptorctl-expire.timer"
    monkeypatch.setattr(timer, "BOOTED", folder)
    monkeypatch.setattr(timer, "HOURLY", link)
    if booted:
        folder.mkdir()
    if hourly:
        link.symlink_to("/usr/lib/systemd/system/raptorctl-expire.timer")
    assert SystemdTimers().works() is (booted and hourly)
