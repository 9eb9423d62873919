"""The lab's one door to programs on the development machine."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.lab.errors import LabError

TAIL_LINES = 40
"""How much of a failed program's output is worth a person's eyes."""


def tool(
    *argv: str | Path,
    timeout: float,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its good end within `timeout` seconds, or say how it ended."""
    command = [str(word) for word in argv]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            check=False,
        )
    except FileNotFoundError as error:
        raise LabError(
            f"{command[0]} is not installed; `make env` installs what is needed"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{command[0]} did not end within {timeout:.0f} s") from error
    if done.returncode:
        raise LabError(
            f"{command[0]} ended with {done.returncode}:\n{tail(done.stdout + done.stderr)}"
        )
    return done


def tail(text: str) -> str:
    """Return the last lines of `text`."""
    return "\n".join(text.rstrip().splitlines()[-TAIL_LINES:])


def as_root(*argv: str | Path) -> tuple[str | Path, ...]:
    """Prefix a command with sudo where we are not root: a root file system has root's files in it."""
    return argv if os.geteuid() == 0 else ("sudo", *argv)


@contextmanager
def saying(what: str) -> Iterator[None]:
    """Tell a person on stderr what is done now, and how many seconds it took."""
    print(f"lab: {what} ...", file=sys.stderr, flush=True)
    start = time.monotonic()
    yield
    print(f"lab: {what}: {time.monotonic() - start:.1f} s", file=sys.stderr, flush=True)


def wait_for(what: str, probe: Callable[[], str | None], timeout: float) -> None:
    """Call `probe` until it returns None; it returns what it saw as long as that is not enough."""
    end = time.monotonic() + timeout
    seen = probe()
    while seen is not None:
        if time.monotonic() > end:
            raise LabError(f"waited {timeout:.0f} s for {what}; last seen: {seen}")
        time.sleep(0.2)
        seen = probe()
