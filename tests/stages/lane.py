"""Running a stage, and the stages of a lane one after the other."""

import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from tests.stages.record import StageRun
from tests.stages.stage import Stage


def run_lane(stages: Iterable[Stage], times: Path, results: list[StageRun]) -> None:
    """Run stages one after the other; a red one does not keep the next from being tried.

    Args:
        stages: of one lane.
        times: the folder that pytest writes its times to.
        results: where each stage's result is added as soon as it is known.
    """
    for stage in stages:
        results.append(run_stage(stage, times))  # noqa: PERF401 - each as soon as it is known


def run_stage(stage: Stage, times: Path) -> StageRun:
    """Run one stage, each line of its output marked with its name and its minute."""
    began = time.time()
    process = subprocess.Popen(
        ["make", "--no-print-directory", stage.target],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, "RAPTOR_TIMES": str(times), "RAPTOR_STAGE": stage.name},
    )
    assert process.stdout is not None
    for line in process.stdout:
        minutes = (time.time() - began) / 60
        sys.stdout.write(f"{stage.name:>11} {minutes:4.1f} | {line.rstrip()}\n")
        sys.stdout.flush()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return StageRun(
        name=stage.name,
        target=stage.target,
        seconds=time.time() - began,
        cpu=usage.ru_utime + usage.ru_stime,
        code=process.returncode,
    )
