"""Waiting, by a clock that only looks and sleeps move."""

from dataclasses import dataclass

import pytest

from raptorctl.cli import guest, progress
from raptorctl.cli.progress import Plain
from raptorctl.errors import WaitError
from raptorctl.host.guest import wait
from raptorctl.model.guest import Sight


@dataclass
class Time:
    now: float = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_an_error_says_how_long_was_waited_not_how_long_was_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Time()
    monkeypatch.setattr(wait, "time", clock)

    def look() -> Sight:
        clock.now += 2.4
        return Sight(so=False, seen="nothing")

    with pytest.raises(WaitError, match=r"waited 2\.4 s for ssh; saw nothing"):
        wait.wait_until("ssh", look, 2, lambda *_: None)


def test_the_line_of_a_wait_counts_the_first_look(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Time()
    monkeypatch.setattr(guest, "time", clock)
    monkeypatch.setattr(progress, "reporter", lambda: Plain(clock.monotonic))
    with guest.telling("ssh", 2) as told:
        clock.now += 0.4
        told(400, 2000)
        clock.now += 1.6
    assert "done: wait for ssh [2.0 s]" in capsys.readouterr().err
