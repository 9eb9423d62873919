"""Counts kills and faults, for the figures in docs/reliability.md."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import Killed, Tripwire
from tests.memory import folder_in_memory
from tests.tally import tried


@pytest.fixture(autouse=True)
def _counted(monkeypatch: pytest.MonkeyPatch) -> None:
    really_guard = Tripwire.guard

    def killed(self: BaseException, *args: Any) -> None:
        tried("engine", "kills")

    def guard(self: Tripwire, name: str, act: Any) -> Any:
        error = self.error
        if error is not Killed and not hasattr(error, "counted"):

            def failing() -> BaseException:
                tried("engine", "faults")
                return error()

            failing.counted = True  # type: ignore[attr-defined]
            self.error = failing
        return really_guard(self, name, act)

    monkeypatch.setattr(Killed, "__init__", killed)
    monkeypatch.setattr(Tripwire, "guard", guard)


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Journals are made and cut off thousands of times."""
    with folder_in_memory() as path:
        yield path


@pytest.fixture
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Any]:
    """What makes the module's `Case` of a job, each in a folder of its own."""
    numbers = itertools.count()
    return lambda job: request.module.Case(tmp_path / str(next(numbers)), job)
