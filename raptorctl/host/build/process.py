"""A step's process on this host: heard while it speaks, ended in time, with all that it started."""

import json
import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from raptorctl.drivers.guest import Heard
from raptorctl.drivers.tick import Tick
from raptorctl.errors import HostError, WaitError
from raptorctl.host.build import reaper
from raptorctl.model.build import BuildStep, Verbosity
from raptorctl.model.build_script import title
from raptorctl.model.error_code import Code

BEAT: Final = 0.1
"""Seconds between two looks for a signal."""
PIECE: Final = 1 << 16
RIGHTS: Final = ("user", "group", "extra_groups")
"""What of the options is the step's own; what runs it keeps the rights that we have."""


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
    out = subprocess.DEVNULL if quiet else subprocess.PIPE
    errors = subprocess.PIPE if quiet else subprocess.STDOUT
    rights = {key: options[key] for key in RIGHTS if key in options}
    rest = {key: value for key, value in options.items() if key not in RIGHTS}
    ours, theirs = socket.socketpair()
    with ours:
        try:
            process = subprocess.Popen(
                (sys.executable, "-I", "-S", reaper.__file__, json.dumps(rights), *argv),
                stdin=theirs.fileno(),
                stdout=out,
                stderr=subprocess.DEVNULL if mute else errors,
                start_new_session=True,
                **rest,
            )
        except OSError as error:
            raise HostError(f"step {title(step)}: {error.strerror}") from error
        finally:
            theirs.close()
        try:
            _hear(process, step, heard, tick)
            return _status(ours.recv(PIECE), step)
        finally:
            ours.shutdown(socket.SHUT_RDWR)  # whatever still runs is ended by that
            process.wait()


def _status(said: bytes, step: BuildStep) -> int:
    what, _, number = said.decode().partition(" ")
    if what == reaper.REFUSED:
        raise HostError(f"step {title(step)}: {os.strerror(int(number))}")
    if what != reaper.ENDED:
        raise HostError(f"step {title(step)}: what runs it was killed")
    return int(number)


def _hear(process: "subprocess.Popen[bytes]", step: BuildStep, heard: Heard, tick: Tick) -> None:
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
