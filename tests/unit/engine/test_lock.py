"""The lock: one at a time, and the one who waits is told for whom."""

import os
from pathlib import Path

import pytest

from raptorctl.engine.lock import hold_lock
from raptorctl.engine.stop import Stop
from raptorctl.errors import RefusedError, StoppedError


def test_the_second_is_told_who_is_first(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with (
        hold_lock(path, "provision alice dev", "carol", Stop()),
        pytest.raises(RefusedError) as caught,
        hold_lock(path, "provision bob web", "dave", Stop(), timeout=0),
    ):
        pass
    for part in ("provision alice dev", "carol", str(os.getpid())):
        assert part in str(caught.value)
    with hold_lock(path, "provision bob web", "dave", Stop(), timeout=0):
        pass


def test_waiting_can_be_stopped(tmp_path: Path) -> None:
    path, stop = tmp_path / "lock", Stop()
    stop.ask(15)
    with (
        hold_lock(path, "a", "b", Stop()),
        pytest.raises(StoppedError),
        hold_lock(path, "c", "d", stop),
    ):
        pass
