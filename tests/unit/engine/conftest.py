"""Counts kills and faults, for the figures in docs/reliability.md; and waits for no disk."""

import os
from collections import Counter
from typing import Any, Final

import pytest

from tests.fakes import Killed, Tripwire

_TRIED: Final[Counter[str]] = Counter()


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fdatasync", lambda _: None)
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture(autouse=True)
def _counted(monkeypatch: pytest.MonkeyPatch) -> None:
    really_guard = Tripwire.guard

    def killed(self: BaseException, *args: Any) -> None:
        _TRIED["kills"] += 1

    def guard(self: Tripwire, name: str, act: Any) -> Any:
        error = self.error
        if error is not Killed and not hasattr(error, "counted"):

            def failing() -> BaseException:
                _TRIED["faults"] += 1
                return error()

            failing.counted = True  # type: ignore[attr-defined]
            self.error = failing
        return really_guard(self, name, act)

    monkeypatch.setattr(Killed, "__init__", killed)
    monkeypatch.setattr(Tripwire, "guard", guard)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _TRIED:
        said = ", ".join(f"{count:,} {what}" for what, count in sorted(_TRIED.items()))
        terminalreporter.write_line(f"engine: {said}")
