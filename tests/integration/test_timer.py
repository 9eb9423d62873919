"""Timers of a real systemd: a user's manager in the system's place."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from raptorctl.errors import CommandError
from raptorctl.host.system import command, unit
from raptorctl.host.system.timer import SystemdTimers
from raptorctl.model.stamp import stamp

SYSTEMD = Path("/usr/lib/systemd/systemd")
NAME = "raptorctl-share-20261129-120000-aaaa"
# Where the host was not booted with systemd, a manager believes so (sd_booted(3)).
BOOTED = "mount -t tmpfs none /run && mkdir -p /run/systemd/system && exec "

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not SYSTEMD.exists(), reason="needs root, and systemd"
)


def wait_for(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def timers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SystemdTimers]:
    """Timers whose service writes the time into the file `ran`."""
    units, run, programs = tmp_path / "config/systemd/user", tmp_path / "run", tmp_path / "bin"
    for folder in (units, run, programs):
        folder.mkdir(parents=True)
    run.chmod(0o700)
    ran = f"ExecStart=/bin/sh -c 'date +%%s.%%N >> {tmp_path}/ran'"
    (units / "raptorctl-expire.service").write_text(f"[Service]\nType=oneshot\n{ran}\n")
    for program in ("systemctl", "systemd-run"):
        # systemd-run looks by PATH for what a timer is to start: this systemctl, too.
        script = f'export XDG_RUNTIME_DIR={run}\nexec /usr/bin/{program} --user "$@"'
        (programs / program).write_text(f"#!/bin/sh\n{script}\n")
        (programs / program).chmod(0o755)
    path = f"{programs}:/usr/bin:/bin"
    monkeypatch.setattr(command, "PATH", path)
    monkeypatch.setitem(command.MANNERS, "_env", {"PATH": path, "LC_ALL": "C"})
    environment = {
        "PATH": path,
        "XDG_RUNTIME_DIR": str(run),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "HOME": str(tmp_path),
    }
    words = ("unshare", "--mount", "sh", "-c", f"{BOOTED}{SYSTEMD} --user")
    with (tmp_path / "log").open("wb") as log:
        manager = subprocess.Popen(words, env=environment, stdout=log, stderr=log)
    try:
        wait_for((run / "systemd/private").exists)
        yield SystemdTimers()
    finally:
        manager.terminate()
        manager.wait(30)


def moment(seconds: int) -> str:
    return stamp(datetime.now(UTC) + timedelta(seconds=seconds))


def test_the_service_is_started_at_the_moment_and_the_timer_is_gone(
    timers: SystemdTimers, tmp_path: Path
) -> None:
    at = moment(3)
    assert not timers.is_set(NAME)
    timers.set(NAME, at)
    assert timers.is_set(NAME)
    ran = tmp_path / "ran"
    wait_for(lambda: ran.exists() and ran.read_text().endswith("\n"))
    assert float(ran.read_text()) >= datetime.fromisoformat(at).timestamp()
    wait_for(lambda: not timers.is_set(NAME))
    timers.cancel(NAME)


def test_one_that_is_cancelled_does_nothing_and_can_be_set_again(
    timers: SystemdTimers, tmp_path: Path
) -> None:
    timers.set(NAME, moment(2))
    timers.cancel(NAME)
    assert not timers.is_set(NAME)
    time.sleep(3)
    assert not (tmp_path / "ran").exists()
    timers.set(NAME, "2099-01-31T00:00:00Z")
    assert timers.is_set(NAME)
    with pytest.raises(CommandError, match="already loaded"):
        timers.set(NAME, "2099-01-31T00:00:00Z")


def test_several_units_are_told_apart_by_one_question(timers: SystemdTimers) -> None:
    timers.set(NAME, "2099-01-31T00:00:00Z")
    there, service = f"{NAME}.timer", "raptorctl-expire.service"
    asked = ("none.socket", there, "none@1.service", service)
    assert unit.running(*asked) == (there,)
    found = unit.properties("ActiveState,MemoryMax,ExecStart", *asked)
    assert [one["ActiveState"] for one in found] == ["inactive", "active", "inactive", "inactive"]
    assert [one.get("ExecStart", "") != "" for one in found] == [False, False, False, True]
