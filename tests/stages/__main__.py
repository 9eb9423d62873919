"""`python -m tests.stages`: run every stage; `python -m tests.stages times`: write up the runs."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests import latest
from tests.lab import cache
from tests.stages import page, record
from tests.stages.lane import run_lane
from tests.stages.record import Run, StageRun
from tests.stages.stage import LANES, LATEST_MINUTE


def main() -> int:
    """Do what was asked; return 0 when all is green."""
    if sys.argv[1:] == ["times"]:
        return page.write()
    run = run_all(float(os.environ.get("RAPTOR_BEGAN") or time.time()))
    tell(run)
    return 0 if run.green else 1


def run_all(began: float) -> Run:
    """Run the lanes side by side, keep what they took, and return it."""
    before = hosts()
    os.environ[latest.VARIABLE] = str(began + 60 * LATEST_MINUTE)
    times = record.begin(time.strftime("%Y%m%d-%H%M%S", time.gmtime(began)))
    results: list[StageRun] = []
    lanes = [threading.Thread(target=run_lane, args=(lane, times, results)) for lane in LANES]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    bare = not hosts() <= before
    tests = record.read_tests(times)
    run = Run(commit(), bare, began, time.time(), tuple(results), tests=tests)
    record.write(times, run)
    return run


def hosts() -> set[str]:
    """Return the converged hosts that are kept; a run that makes one began bare."""
    return {path.name for path in cache.directory().glob("host-*") if path.suffix != ".part"}


def commit() -> str:
    """Return what is checked out; `+` says that files differ from it."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty=+"], capture_output=True, text=True, check=False
    )
    return said.stdout.strip() or "unknown"


def tell(run: Run) -> None:
    """Say how each stage ended; for what is red, how to run it alone."""
    print()
    for stage in run.stages:
        print(f"{'red' if stage.code else 'green':5} {stage.name:11} {stage.seconds / 60:5.1f} min")
    for stage in run.stages:
        if stage.code:
            tell_red(stage, run.failed(stage.name))
    if untried := run.count("untried"):
        print(f"\n{untried} tests of the lab were not tried, for lack of time: make lab")
    print(f"\n{run.seconds / 60:.1f} min in all, {'bare' if run.bare else 'cache warm'}")
    # Alone on its line, for whatever reads how many tests there were.
    print(f"{run.count('passed')} passed, {run.count('failed', 'error')} failed, "
          f"{run.count('skipped', 'untried')} skipped")  # fmt: skip


def tell_red(stage: StageRun, failed: list[str]) -> None:
    """Name what is red in a stage: its tests, or all of it."""
    if not failed:
        print(f"\nred: {stage.name}\n  alone: make {stage.target}")
    python = Path(sys.executable).relative_to(Path.cwd())
    for test in failed:
        print(f"\nred: {stage.name}: {test}\n  alone: {python} -m pytest '{test}'")


if __name__ == "__main__":
    sys.exit(main())
