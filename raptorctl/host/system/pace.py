"""How often an account may ask: counted in a file for each, which root alone reads."""

import fcntl
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from raptorctl.errors import RefusedError
from raptorctl.model.error_code import Code


@dataclass(frozen=True)
class Pace:
    """A bound on how often something is done.

    Args:
        folder: of the files, gone with a boot as the clock is that they tell (clock_gettime(2),
            CLOCK_BOOTTIME).
        what: is counted, one word.
        most: times.
        seconds: in which.
    """

    folder: Path
    what: str
    most: int
    seconds: int

    def take(self, uid: int) -> None:
        """Count once more.

        Args:
            uid: of the account.

        Raises:
            RefusedError: that is too often.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self.folder / f"{self.what}-{uid}", flags, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            now = time.clock_gettime(time.CLOCK_BOOTTIME)
            times = [at for at in _times(file.read()) if now - self.seconds < at <= now]
            if len(times) >= self.most:
                wait = round(times[-self.most] + self.seconds - now) + 1
                raise RefusedError(
                    f"more than {self.most} requests in {self.seconds} s",
                    resolution=f"try again in {wait} s",
                    code=Code.BUSY,
                )
            file.seek(0)
            file.write(json.dumps([*times, now]).encode())
            file.truncate()


def _times(text: bytes) -> list[float]:
    try:
        found = json.loads(text)
    except ValueError:  # new, or torn: the count begins anew
        return []
    return [at for at in found if isinstance(at, float)] if isinstance(found, list) else []
