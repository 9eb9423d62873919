"""A step's process on this host: heard while it speaks, ended in time, with all that it started."""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

from raptorctl.drivers.guest import Heard
from raptorctl.drivers.tick import Tick
from raptorctl.errors import HostError, WaitError
from raptorctl.host.system.command import ENVIRONMENT
from raptorctl.model.build import BuildStep, Verbosity
from raptorctl.model.build_script import title
from raptorctl.model.error_code import Code

BEAT: Final = 0.1
"""Seconds between two looks for a signal."""
PIECE: Final = 1 << 16


def refuse_failed(step: BuildStep, called: str, status: int) -> None:
    """Refuse to go on after a step that failed, unless its errors do not matter.

    Args:
        step: which was run.
        called: which of them it is: `step 1/2`.
        status: with which it ended.

    Raises:
        HostError: it failed.
    """
    if status and not step.ignore_errors:
        raise HostError(
            f"{called} ({title(step)}) ended with status {status}",
            resolution="nothing was exported",
            code=Code.GUEST_STEP_FAILED,
            subject=title(step),
        )


def followed(
    argv: Sequence[str], step: BuildStep, options: Mapping[str, Any], heard: Heard, tick: Tick
) -> int:
    """Run a step's process; return its exit status.

    Args:
        argv: the program and its arguments.
        step: what of its output is passed on, and how long it may take.
        options: as of subprocess.Popen.
        heard: told what it says, as it comes.
        tick: called several times a second; what it raises ends it.

    Raises:
        HostError: it cannot be started.
        WaitError: it took too long, and was ended.
    """
    quiet = step.verbosity in {Verbosity.ERRORS, Verbosity.NOTHING}
    mute = step.verbosity is Verbosity.NOTHING
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if quiet else subprocess.PIPE,
            stderr=subprocess.DEVNULL if mute else subprocess.PIPE if quiet else subprocess.STDOUT,
            start_new_session=True,
            **options,
        )
    except OSError as error:
        raise HostError(f"step {title(step)}: {error.strerror}") from error
    try:
        with _bound(process.pid):
            return _heard(process, step, heard, tick)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def _bound(group: int) -> Iterator[None]:
    """Have a group of processes end with us, should we be killed: a pipe of ours is closed then.

    PR_SET_PDEATHSIG would end a shell, and leave what it has started.
    """
    argv = ("sh", "-c", 'cat; kill -s KILL -- "-$1"', "sh", str(group))
    watcher = subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=ENVIRONMENT, cwd="/", start_new_session=True,
    )  # fmt: skip
    try:
        yield
    finally:
        # Before the group is waited for, so that its number is nobody else's yet.
        os.killpg(watcher.pid, signal.SIGKILL)
        watcher.communicate()


def _heard(process: "subprocess.Popen[bytes]", step: BuildStep, heard: Heard, tick: Tick) -> int:
    deadline = time.monotonic() + step.timeout
    with selectors.DefaultSelector() as ready:
        if stream := process.stdout or process.stderr:
            os.set_blocking(stream.fileno(), False)
            ready.register(stream, selectors.EVENT_READ)
        while True:
            ended = process.poll() is not None
            for key, _ in ready.select(0 if ended else BEAT):
                if piece := os.read(key.fd, PIECE):
                    heard(piece)
                else:
                    ready.unregister(key.fileobj)
                break
            else:
                if ended:
                    break
            if not ready.get_map() and not ended:
                time.sleep(BEAT)
            tick(0, 0)
            if time.monotonic() >= deadline and not ended:
                raise WaitError(f"step {title(step)}", step.timeout, "it still at work")
    return process.wait()
