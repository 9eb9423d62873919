"""Steps on this host, once the disks are as they will be exported; by the caller's rights."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from raptorctl.drivers.guest import Heard
from raptorctl.drivers.tick import Tick
from raptorctl.host.build.process import followed, refuse_failed
from raptorctl.host.system.caller import caller
from raptorctl.host.system.command import ENVIRONMENT
from raptorctl.host.system.durable import remove_file, replace_file
from raptorctl.model.build import BuildStep
from raptorctl.model.build_script import argv


def run_steps(steps: Sequence[BuildStep], disks: Sequence[Path], heard: Heard, tick: Tick) -> None:
    """Run steps; see `raptorctl.drivers.build.Builder.after`."""
    who = caller()
    with _lent(disks):
        for number, step in enumerate(steps, start=1):
            options = {
                "env": {**ENVIRONMENT, "HOME": os.environ.get("HOME", "/")},
                "cwd": step.dir or disks[0].parent,
                **(who.process() if who else {}),
            }
            with _written(step, disks[0].with_name("after")) as script:
                words = [*argv(step, script), *map(str, disks)]
                status = followed(words, step, options, heard, tick)
            refuse_failed(step, f"after-step {number}/{len(steps)}", status)


@contextmanager
def _written(step: BuildStep, script: Path) -> Iterator[str]:
    """Have a script in a file of theirs: any account may read a command line (proc(5))."""
    who = caller()
    try:
        replace_file(script, step.inline.encode(), 0o400)
        if who:
            os.chown(script, who.uid, -1)
        yield str(script)
    finally:
        remove_file(script)


@contextmanager
def _lent(disks: Sequence[Path]) -> Iterator[None]:
    """Have the disks belong to whoever typed sudo, as long as their steps are at work.

    Not the folder: what they started may outlive a step, and put a link in a disk's place.
    """
    who = caller()
    paths = disks if who else []
    try:
        for path in paths:
            os.chown(path, who.uid if who else -1, -1)
        yield
    finally:
        for path in paths:
            os.chown(path, 0, -1)
