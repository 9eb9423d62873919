"""Contenders, and where they run."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.bench.stopwatch import Lap
from tests.lab.host import Lab

STOPWATCH = Path(__file__).with_name("stopwatch.py")
PYTHON = "/opt/raptorctl/bin/python"
"""The interpreter that runs raptorctl in the lab."""

PLACE = "/root/bench"
"""Where the lab has our scripts."""

TIMEOUT = 3600.0
"""Seconds for one contest in the lab: a bound, not an expectation."""


@dataclass(frozen=True)
class Contender:
    """What is timed.

    Args:
        name: of its laps.
        argv: the program; only this is timed.
        before, after: shell scripts around it.
        ok: exit codes that are none of a failure.
    """

    name: str
    argv: tuple[str, ...]
    before: str = ""
    after: str = ""
    ok: tuple[int, ...] = (0,)


Laps = Mapping[str, Sequence[Lap]]


def here(rounds: int, *contenders: Contender) -> Laps:
    """Run a contest on this machine."""
    done = subprocess.run(
        [sys.executable, "-I", str(STOPWATCH)],
        input=_wish(rounds, contenders), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)
    return _laps(done.stdout)


def in_lab(lab: Lab, rounds: int, *contenders: Contender) -> Laps:
    """Run a contest inside the lab: the way there is in no figure."""
    lab.put(STOPWATCH.read_text(), f"{PLACE}/stopwatch.py")
    wish = _wish(rounds, contenders)
    done = lab.run(PYTHON, "-I", f"{PLACE}/stopwatch.py", input=wish, timeout=TIMEOUT)
    return _laps(done.stdout)


def seconds(laps: Laps, ours: str, theirs: str) -> tuple[list[float], list[float]]:
    """Return the durations of two contenders, round by round."""
    return [lap["seconds"] for lap in laps[ours]], [lap["seconds"] for lap in laps[theirs]]


def reported(laps: Laps, name: str) -> list[float]:
    """Return durations as the contender took them: of the wipe, not of an interpreter's start."""
    return [float(json.loads(lap["said"])["seconds"]) for lap in laps[name]]


def peaks(laps: Laps, name: str) -> list[int]:
    """Return a contender's peak memory, bytes, round by round."""
    return [lap["peak"] for lap in laps[name]]


def _wish(rounds: int, contenders: Sequence[Contender]) -> str:
    return json.dumps({"rounds": rounds, "contenders": [asdict(each) for each in contenders]})


def _laps(text: str) -> Laps:
    laps: Laps = json.loads(text)
    return laps
