"""Programs that outlive us are waited for."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from raptorctl.errors import WaitError
from raptorctl.host.system import orphans
from raptorctl.host.system.command import run
from raptorctl.host.system.orphans import await_orphans

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only what root starts is waited for")

STARTS = """
import sys
from pathlib import Path
from raptorctl.host.system import command, orphans
orphans.FILE = Path(sys.argv[1])
command.run("sh", "-c", "touch $1.runs; while [ -e $1.runs ]; do sleep 0.05; done", "sh", sys.argv[1])
"""


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(orphans, "FILE", tmp_path / "programs")
    return tmp_path / "programs"


@pytest.fixture
def orphan(file: Path) -> Iterator[Path]:
    """A program whose parent was killed; it ends once this file is gone."""
    parent = subprocess.Popen([sys.executable, "-c", STARTS, str(file)])
    runs = file.with_name("programs.runs")
    while not runs.exists():
        time.sleep(0.02)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    yield runs
    runs.unlink(missing_ok=True)


def test_where_none_is_left_nobody_waits() -> None:
    run("true")
    await_orphans(timeout=0)


def test_one_that_lives_on_is_waited_for(orphan: Path) -> None:
    with pytest.raises(WaitError, match="the programs of an earlier command to end"):
        await_orphans(timeout=0.3)
    orphan.unlink()
    await_orphans(timeout=30)


def test_programs_still_read_nothing() -> None:
    assert run("cat") == ""
