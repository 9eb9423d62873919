"""What the machine has only once, and tests of other processes use as well."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TextIO


@contextmanager
def alone(what: str) -> Iterator[None]:
    """Keep out every other process that uses the same thing; wait for one that does.

    Args:
        what: `accounts`, their free numbers; `remains`, the number whose files are looked for.
    """
    with _lock(what) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def share(what: str, count: int) -> int:
    """Return the number of one of several, which is this process's until it ends."""
    for number in range(count):
        file = _lock(f"{what}-{number}")
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _SHARES.append(file)
            return number
        file.close()
    raise AssertionError(f"{count} processes of tests have each a share of {what}")


_SHARES: Final[list[TextIO]] = []


def _lock(what: str) -> TextIO:
    return Path(f"/tmp/raptor-{what}-{os.geteuid()}.lock").open("w")
