"""Programs that do for whoever typed sudo what they could do without it, and no more.

Where there is no sudo, they have our own rights.
"""

import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import IO, Final

from raptorctl.errors import CommandError
from raptorctl.host.system.caller import caller
from raptorctl.host.system.command import ENVIRONMENT, find

BEAT: Final = 0.2
"""Seconds between two looks at a program that takes long."""
LARGEST: Final = 4 << 20
"""Bytes of what a program says."""


def run_as_caller(
    argv: Sequence[str],
    source: IO[bytes] | None = None,
    *,
    timeout: float = 60.0,
    beat: Callable[[], None] = lambda: None,
) -> bytes:
    """Run a program with the caller's rights, and return what it wrote to standard output.

    Args:
        argv: the program and its arguments.
        source: what it reads; None for nothing.
        timeout: seconds after which it is killed.
        beat: called several times a second; what it raises ends the program.

    Raises:
        CommandError: it ended badly, or past its time limit.
        MissingError: there is no such program.
    """
    who = caller()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            (find(argv[0]), *argv[1:]),
            stdin=source or subprocess.DEVNULL,
            stdout=out,
            stderr=errors,
            env=ENVIRONMENT,
            cwd="/",
            umask=0o022,
            start_new_session=True,  # ^C is for us to act upon
            **(who.process() if who else {}),
        )
        with process:
            status = _status(process, time.monotonic() + timeout, beat)
        errors.seek(0)
        if status:
            raise CommandError(argv, status, errors.read(1 << 16).decode(errors="replace"))
        out.seek(0)
        return out.read(LARGEST)


def _status(process: "subprocess.Popen[bytes]", end: float, beat: Callable[[], None]) -> int | None:
    try:
        while True:
            try:
                return process.wait(BEAT)
            except subprocess.TimeoutExpired:
                beat()
                if time.monotonic() >= end:
                    process.kill()
                    process.wait()
                    return -9
    except BaseException:
        process.kill()
        raise
