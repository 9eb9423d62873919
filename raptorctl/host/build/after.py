"""Steps on this host, once the disks are as they will be exported; by the caller's rights."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from raptorctl.drivers.guest import Heard
from raptorctl.drivers.tick import Tick
from raptorctl.errors import HostError, WaitError
from raptorctl.host.system.caller import caller
from raptorctl.host.system.command import ENVIRONMENT
from raptorctl.model.build import BuildStep, Verbosity
from raptorctl.model.build_script import argv, title
from raptorctl.model.error_code import Code

BEAT: Final = 0.1
"""Seconds between two looks for a signal."""
PIECE: Final = 1 << 16


def run_steps(steps: Sequence[BuildStep], disks: Sequence[Path], heard: Heard, tick: Tick) -> None:
    """Run steps; see `raptorctl.drivers.build.Builder.after`."""
    with _lent(disks):
        for number, step in enumerate(steps, start=1):
            status = _run(step, disks, heard, tick)
            if status and not step.ignore_errors:
                raise HostError(
                    f"after-step {number}/{len(steps)} ({title(step)}) ended with status {status}",
                    resolution="nothing was exported",
                    code=Code.GUEST_STEP_FAILED,
                    subject=title(step),
                )


def _run(step: BuildStep, disks: Sequence[Path], heard: Heard, tick: Tick) -> int:
    who = caller()
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(
                [*argv(step), *map(str, disks)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL if step.verbosity is Verbosity.ERRORS else said,
                stderr=said,
                env={**ENVIRONMENT, "HOME": os.environ.get("HOME", "/")},
                cwd=step.dir or disks[0].parent,
                start_new_session=True,
                **(who.process() if who else {}),
            )
        except OSError as error:
            raise HostError(f"after-step {title(step)}: {error.strerror}") from error
        try:
            return _awaited(process, step, tick)
        finally:
            _end(process)
            said.seek(0)
            while step.verbosity is not Verbosity.NOTHING and (piece := said.read(PIECE)):
                heard(piece)


def _awaited(process: "subprocess.Popen[bytes]", step: BuildStep, tick: Tick) -> int:
    deadline = time.monotonic() + step.timeout
    while True:
        try:
            return process.wait(BEAT)
        except subprocess.TimeoutExpired:
            tick(0, 0)
            if time.monotonic() >= deadline:
                name = f"after-step {title(step)}"
                raise WaitError(name, step.timeout, "it still at work") from None


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End whatever the step has left at work: the disks are exported next."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def _lent(disks: Sequence[Path]) -> Iterator[None]:
    """Have the disks belong to whoever typed sudo, as long as their steps are at work."""
    who = caller()
    paths = [disks[0].parent, *disks] if who else []
    try:
        for path in paths:
            os.chown(path, who.uid if who else -1, -1)
        yield
    finally:
        for path in paths:
            os.chown(path, 0, -1)
