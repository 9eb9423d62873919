"""Waiting: looking again and again, with a bound."""

import time
from collections.abc import Callable
from typing import Final

from raptorctl.drivers.tick import Tick
from raptorctl.errors import HostError, WaitError
from raptorctl.model.guest import Sight

POLL: Final = 0.25
"""Seconds from one look to the next. One that listens for longer is followed by another at once, so
that readiness is seen within a second."""


def wait_until(
    awaited: str, look: Callable[[], Sight], timeout: float, tick: Tick
) -> tuple[Sight, float]:
    """Look until it is so; return the last look, and the seconds it took: 0 if it was so already.

    Args:
        awaited: what for, in words.
        look: what there is to see now; looked at once at least, however short the time.
        timeout: seconds.
        tick: called between two looks with milliseconds waited and in all; what it raises ends it.

    Raises:
        WaitError: it was not so in time; says what was seen last.
        HostError: it will never be so.
    """
    began, waited = time.monotonic(), 0.0
    while True:
        looked = time.monotonic()
        sight = look()
        if sight.problem:
            raise HostError(f"{awaited}: {sight.problem}")
        if sight.so:
            return sight, waited
        waited = time.monotonic() - began
        if waited >= timeout:
            raise WaitError(awaited, round(waited, 1), sight.seen)  # a look may outlast it
        tick(int(waited * 1000), int(timeout * 1000))
        pause = looked + POLL - time.monotonic()
        time.sleep(max(0.0, min(pause, timeout - waited)))
