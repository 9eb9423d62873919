"""What a run cost, test by test: written where the environment variable RAPTOR_TIMES says.

One JSON file per run, `<stage>.json`; RAPTOR_STAGE names the stage. `make times` adds them up. A
line per test goes to `<stage>.log` as it ends, so that a run that is cut off tells how far it came.
"""

import json
import os
import time
from pathlib import Path
from typing import Any, Final

import pytest

from tests.latest import UNTRIED

FOLDER: Final = "RAPTOR_TIMES"
STAGE: Final = "RAPTOR_STAGE"


def wanted(config: pytest.Config) -> bool:
    """Tell whether this process writes: not a worker of pytest-xdist, whose controller does."""
    return bool(os.environ.get(FOLDER)) and not hasattr(config, "workerinput")


class Times:
    """A plugin that adds up what pytest reports.

    The processor's time is that of pytest and of all that it waited for, workers of pytest-xdist
    and what they waited for included (times(2)); a daemon that outlives its test is not in it.
    """

    def __init__(self) -> None:
        self.began = time.time()
        self.tests: dict[str, dict[str, Any]] = {}
        self.stage = os.environ.get(STAGE) or "tests"
        self.folder = Path(os.environ[FOLDER])
        self.folder.mkdir(parents=True, exist_ok=True)

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add one phase (setup, call or teardown) of a test, in seconds."""
        new = {"id": report.nodeid, "file": report.location[0], "seconds": 0.0, "outcome": "passed"}
        test = self.tests.setdefault(report.nodeid, new)
        test["seconds"] += report.duration
        if report.failed:
            test["outcome"] = report.outcome
        elif report.skipped and test["outcome"] == "passed":
            test["outcome"] = "untried" if UNTRIED in str(report.longrepr) else report.outcome
        if report.when == "teardown":
            minutes = (time.time() - self.began) / 60
            with (self.folder / f"{self.stage}.log").open("a") as log:
                log.write(f"{minutes:6.2f} {test['seconds']:7.2f} {test['outcome']} {test['id']}\n")

    @pytest.hookimpl
    def pytest_unconfigure(self) -> None:
        """Write the file. By now pytest-xdist has waited for its workers.

        Raises:
            OSError: the directory cannot be written to.
        """
        spent = os.times()
        run = {
            "stage": self.stage,
            "began": self.began,
            "ended": time.time(),
            "cpu": spent.user + spent.system + spent.children_user + spent.children_system,
            "tests": list(self.tests.values()),
        }
        (self.folder / f"{self.stage}.json").write_text(json.dumps(run, indent=1) + "\n")
