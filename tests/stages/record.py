"""What is kept of each `make test`: when, how long, and how it ended.

A run is a folder in the lab's cache, so that it outlives the checkout: `run.json` from here, and a
`<stage>.json` from each pytest (tests/conftest.py).
"""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.lab import cache

KEPT: Final = 12
"""Runs; older ones go."""

CPUS: Final = 2
"""Of a machine whose figures are kept: as many as what the stages may cost is about."""

QUIET: Final = 0.6
"""Of these CPUs, what `check` gets where nothing else runs; it has work for each at any time."""


@dataclass(frozen=True)
class StageRun:
    """How one stage went: seconds on the clock, and of the processors by what it started itself."""

    name: str
    target: str
    seconds: float
    cpu: float
    code: int


@dataclass(frozen=True)
class Run:
    """One `make test`: `began` and `ended` are seconds since the epoch, `cpus` what the machine has."""

    commit: str
    bare: bool
    began: float
    ended: float
    stages: tuple[StageRun, ...]
    cpus: int = field(default_factory=lambda: os.cpu_count() or 1)
    tests: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """From its first command to its last."""
        return self.ended - self.began

    @property
    def green(self) -> bool:
        """Whether every stage passed."""
        return all(stage.code == 0 for stage in self.stages)

    @property
    def whole(self) -> bool:
        """Whether every stage came to its end; a test that failed is one that took its time."""
        return not self.count("untried") and all(
            stage.code == 0 or self.failed(stage.name) for stage in self.stages
        )

    @property
    def quiet(self) -> bool:
        """Whether its machine is one of two CPUs that did little else meanwhile."""
        share = [run.cpu / run.seconds / CPUS for run in self.stages if run.name == "check"]
        wanted = QUIET / 2 if self.bare else QUIET  # the host is built beside it
        return self.cpus == CPUS and bool(share) and share[0] >= wanted

    def failed(self, stage: str) -> list[str]:
        """Return the tests of a stage that failed."""
        bad = {"failed", "error"}
        return [test["id"] for test in self.tests.get(stage, []) if test["outcome"] in bad]

    def count(self, *outcomes: str) -> int:
        """Count the tests that ended so."""
        return sum(t["outcome"] in outcomes for tests in self.tests.values() for t in tests)


def folder() -> Path:
    """Return where runs are kept."""
    return cache.directory() / "times"


def begin(stamp: str) -> Path:
    """Make a folder for a run, and let the oldest go."""
    path = folder() / stamp
    path.mkdir(parents=True)
    for old in sorted(folder().iterdir())[:-KEPT]:
        shutil.rmtree(old)
    return path


def write(path: Path, run: Run) -> None:
    """Keep a run; its tests are there already, one file a stage."""
    kept = {name: value for name, value in asdict(run).items() if name != "tests"}
    (path / "run.json").write_text(json.dumps(kept, indent=1) + "\n")


def read_tests(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return each stage's tests, as pytest's hook wrote them."""
    found = {}
    for file in sorted(path.glob("*.json")):
        if file.name != "run.json":
            content = json.loads(file.read_text())
            found[str(content["stage"])] = content["tests"]
    return found


def runs() -> Iterator[Run]:
    """Return the runs that came to their end, oldest first."""
    for path in sorted(folder().glob("*/run.json")):
        content = json.loads(path.read_text())
        stages = tuple(StageRun(**stage) for stage in content.pop("stages"))
        yield Run(**content, stages=stages, tests=read_tests(path.parent))
