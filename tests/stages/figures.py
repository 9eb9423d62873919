"""The figures of whole runs that are kept in the repository: they outlive machines and their caches."""

import json
import time
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tests.lab.cache import CHECKOUT
from tests.stages.record import Run

FOLDER: Final = CHECKOUT / "tests/stages/runs"

RUNS: Final = 3
"""How many of a kind, warm or bare, are kept and quoted; older ones go."""

DEAREST: Final = 10


@dataclass(frozen=True)
class Figures:
    """What one run took.

    Args:
        began: in UTC; the file's name as well.
        commit: what was checked out.
        bare: whether it began without a cache.
        minutes: from its first command to its last.
        red: how many tests failed; what failed took its time all the same.
        stages: minutes, by name.
        files: seconds of all tests in a file, by its path.
        dearest: seconds of the dearest tests, by what pytest calls them.
    """

    began: str
    commit: str
    bare: bool
    minutes: float
    red: int
    stages: dict[str, float]
    files: dict[str, float]
    dearest: dict[str, float]


def figures(run: Run) -> Figures:
    """Sum up a run."""
    tests = {test["id"]: float(test["seconds"]) for found in run.tests.values() for test in found}
    files: dict[str, float] = defaultdict(float)
    for test, seconds in tests.items():
        files[test.partition("::")[0]] += seconds
    dearest = sorted(tests.items(), key=lambda item: -item[1])[:DEAREST]
    return Figures(
        began=time.strftime("%Y%m%d-%H%M%S", time.gmtime(run.began)),
        commit=run.commit,
        bare=run.bare,
        minutes=round(run.seconds / 60, 1),
        red=run.count("failed", "error"),
        stages={stage.name: round(stage.seconds / 60, 1) for stage in run.stages},
        files={file: round(seconds) for file, seconds in sorted(files.items()) if seconds >= 1},
        dearest={test: round(seconds) for test, seconds in dearest},
    )


def keep(run: Run) -> None:
    """Write a run's figures into the repository, and let older ones of its kind go."""
    FOLDER.mkdir(exist_ok=True)
    new = figures(run)
    _path(new).write_text(json.dumps(asdict(new), indent=1) + "\n")
    for old in [one for one in kept() if one.bare == new.bare][:-RUNS]:
        _path(old).unlink()


def kept() -> list[Figures]:
    """Return what is kept, the oldest first."""
    return [Figures(**json.loads(path.read_text())) for path in sorted(FOLDER.glob("*.json"))]


def _path(one: Figures) -> Path:
    return FOLDER / f"{one.began}.json"
