"""One changing command at a time on a host.

flock(2), not lockf: a POSIX record lock is lost when any descriptor of the file is closed. The
file is never removed, so nobody can hold a lock on a name that is gone. It says who holds it, for
people; the lock itself is the kernel's and ends with the process.
"""

import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from raptorctl.engine.stop import Stop
from raptorctl.errors import RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.stamp import stamp

LOCK_FILE: Final = Path("/run/raptorctl.lock")
"""Not in /run/lock: there anybody may make a file of any name first, and hold it."""
PATIENCE: Final = 60.0  # seconds
POLL: Final = 0.2  # seconds


class Lock:
    """The host's lock, held.

    Args:
        descriptor: of the lock file.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._is_held = True

    def release(self) -> None:
        """Let others in; a second time does nothing."""
        if self._is_held:
            self._is_held = False
            os.ftruncate(self._descriptor, 0)
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)


class Turn:
    """Whose turn it is among the threads of one run, before they ask for the host's lock.

    They wait for each other without a bound: only for other processes patience ends.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()

    @contextmanager
    def taken(self, stop: Stop) -> Iterator[Callable[[], None]]:
        """Have it until the block ends, or what it gives is called.

        Raises:
            StoppedError: a signal came while another thread had it.
        """
        while not self._mutex.acquire(timeout=POLL):
            stop.check()
        has_it = True

        def give_back() -> None:
            nonlocal has_it
            if has_it:
                has_it = False
                self._mutex.release()

        try:
            yield give_back
        finally:
            give_back()


@contextmanager
def hold_lock(
    path: Path, command: str, by: str, stop: Stop, timeout: float = PATIENCE
) -> Iterator[Lock]:
    """Hold the host's lock, until the block ends or the lock is released in it.

    Args:
        path: the lock file.
        command: what we are about to do, for whoever waits for us.
        by: who does it.
        stop: looked at while waiting.
        timeout: seconds to wait for another holder.

    Raises:
        RefusedError: another process holds it; says which, whose, and since when.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    try:
        _wait(descriptor, stop, timeout)
        _sign(descriptor, command, by)
        lock = Lock(descriptor)
        yield lock
        lock.release()
    finally:
        os.close(descriptor)


def _wait(descriptor: int, stop: Stop, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stop.check()
            if time.monotonic() >= deadline:
                raise RefusedError(
                    f"another raptorctl is at work: {_holder(descriptor)}",
                    resolution="try again when it is done",
                    code=Code.BUSY,
                ) from None
            time.sleep(POLL)
        else:
            return


def _sign(descriptor: int, command: str, by: str) -> None:
    since = stamp(datetime.now(UTC))
    text = json.dumps({"pid": os.getpid(), "by": by, "command": command, "since": since})
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(), 0)


def _holder(descriptor: int) -> str:
    try:
        holder = json.loads(os.pread(descriptor, 4096, 0))
        return "`{command}` by {by}, pid {pid}, since {since}".format(**holder)
    except (ValueError, KeyError, TypeError):
        return "it has not said who it is"
