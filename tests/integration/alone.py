"""What the machine has only once, and tests of other processes use as well."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(what: str) -> Iterator[None]:
    """Keep out every other process that uses the same thing; wait for one that does.

    Args:
        what: `ports`, the first free ones of loopback; `accounts`, their free numbers; `remains`,
            the number whose files are looked for.
    """
    with Path(f"/tmp/raptor-{what}-{os.geteuid()}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
