"""Programs that outlive us: an `lvcreate` goes on when raptorctl gets SIGKILL in the middle of it.

What it makes then, nobody would know of. So each program that root starts holds a shared lock
until it ends: its standard input is an empty file that is locked, and a lock belongs to the open
file, which a child shares (flock(2)). Whoever can have the lock alone knows that none is left.
Other than a process identifier in a journal, this cannot be missed between fork and writing.
"""

import fcntl
import os
import time
from pathlib import Path
from typing import IO, Final

from raptorctl.errors import WaitError

FILE: Final = Path("/run/raptorctl.programs")
TIMEOUT: Final = 120.0
"""Seconds; twice what a program has by default (`raptorctl.host.system.command`)."""
BEAT: Final = 0.1


def nothing_to_read(*, awaited: bool = True) -> IO[bytes]:
    """Return what a program gets as its standard input: nothing, and the lock.

    Args:
        awaited: False for one that changes nothing that a job owns, and may take hours.
    """
    if not awaited or os.geteuid() != 0:  # what others start changes nothing of the host's
        return open(os.devnull, "rb")  # noqa: PTH123 - the plainest way to say it
    descriptor = os.open(FILE, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return os.fdopen(descriptor, "rb")


def await_orphans(timeout: float = TIMEOUT) -> None:
    """Wait until no program runs any more that an earlier command has started.

    Args:
        timeout: seconds.

    Raises:
        WaitError: one still runs; nothing was touched.
    """
    deadline = time.monotonic() + timeout
    with nothing_to_read() as file:
        while not _alone(file):
            if time.monotonic() > deadline:
                raise WaitError(
                    "the programs of an earlier command to end", timeout, f"`fuser {FILE}`"
                )
            time.sleep(BEAT)


def _alone(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        # A failed conversion may have given the shared lock up (flock(2)), which does no harm.
        return False
    return True
