"""Processes of steps on this host, and after-steps: heard, bounded, and ended with all they started."""

import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest

from raptorctl.errors import HostError, StoppedError, WaitError
from raptorctl.host.build.after import run_steps
from raptorctl.host.build.process import followed
from raptorctl.model.build import BuildStep, Verbosity


def silent(_done: int, _total: int) -> None:
    """Tell nobody."""


@pytest.mark.parametrize(
    ("verbosity", "said"),
    [
        (Verbosity.ALL, b"out\nerr\n"),
        (Verbosity.ERRORS, b"err\n"),
        (Verbosity.NOTHING, b""),
    ],
)
def test_what_is_asked_for_of_its_output_is_heard(verbosity: Verbosity, said: bytes) -> None:
    heard: list[bytes] = []
    step = BuildStep(inline="x", verbosity=verbosity)
    argv = ("sh", "-c", "echo out; echo err >&2; exit 4")
    assert followed(argv, step, {}, heard.append, silent) == 4
    assert b"".join(heard) == said


def test_one_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    step = BuildStep(inline="long", timeout=0.3)
    argv = ("sh", "-c", f"sleep 1000 & echo $! > {pid}; wait")
    with pytest.raises(WaitError, match="step long"):
        followed(argv, step, {}, lambda _data: None, silent)
    _ends(int(pid.read_text()))


@pytest.mark.parametrize("how", ["setsid", 'setsid setsid sh -c \'"$0" "$@" &\''])
def test_what_left_its_session_and_its_parents_is_ended_with_it(how: str, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    daemon = f"{how} sh -c 'echo $$ > {pid}.new; mv {pid}.new {pid}; exec sleep 1000' >/dev/null &"
    argv = ("sh", "-c", f"{daemon} until [ -e {pid} ]; do :; done; exit 3")
    assert followed(argv, BuildStep(inline="x"), {}, lambda _data: None, silent) == 3
    assert not Path(f"/proc/{int(pid.read_text())}").exists()


def test_what_cannot_be_started_is_told() -> None:
    with pytest.raises(HostError, match="step x: No such file or directory"):
        followed(("/no/such",), BuildStep(inline="x"), {}, lambda _data: None, silent)
    with pytest.raises(HostError, match="step x: No such file or directory"):
        followed(("true",), BuildStep(inline="x"), {"cwd": "/no"}, lambda _data: None, silent)


def test_a_signal_ends_it(tmp_path: Path) -> None:
    def stopped(_done: int, _total: int) -> None:
        raise StoppedError(2)

    with pytest.raises(StoppedError):
        followed(("sleep", "1000"), BuildStep(inline="x"), {}, lambda _data: None, stopped)


@pytest.mark.parametrize("how", ["", "setsid"])
def test_all_that_it_started_ends_with_us_even_when_we_are_killed(how: str, tmp_path: Path) -> None:
    pid, seen = tmp_path / "pid", tmp_path / "seen"
    line = f"{how} sleep 1000 & echo $! > {pid}.new; mv {pid}.new {pid}; wait"
    code = (
        "from tests.unit.host.build.test_process import *\n"
        f"tick = lambda *_: Path({str(seen)!r}).touch()\n"
        f"followed(('sh', '-c', {line!r}), BuildStep(inline='x'), {{}}, print, tick)"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[4]) as ours:
        while not (pid.exists() and seen.exists()):
            assert ours.poll() is None
            time.sleep(0.01)
        ours.kill()
    _ends(int(pid.read_text()))


def test_more_than_a_pipe_holds_is_heard(tmp_path: Path) -> None:
    heard: list[bytes] = []
    argv = ("head", "-c", "1000000", "/dev/zero")
    assert followed(argv, BuildStep(inline="x"), {}, heard.append, silent) == 0
    assert len(b"".join(heard)) == 1000000


def test_after_steps_have_the_disks_as_arguments_and_one_that_fails_is_told(
    tmp_path: Path,
) -> None:
    disks = [tmp_path / "disk0.raw", tmp_path / "disk1.raw"]
    heard: list[bytes] = []
    good = BuildStep(inline='echo "$1 $2"; pwd')
    run_steps([good], disks, heard.append, silent)
    assert b"".join(heard).decode() == f"{disks[0]} {disks[1]}\n{tmp_path}\n"
    said = BuildStep(inline="tr '\\0' ' ' < /proc/$$/cmdline # secret")
    heard.clear()
    run_steps([said], disks, heard.append, silent)
    assert heard == [f"sh -e {tmp_path}/after {disks[0]} {disks[1]} ".encode()]
    assert [*tmp_path.iterdir()] == []
    bad = BuildStep(inline="false\ntrue")
    run_steps([BuildStep(inline="false", ignore_errors=True)], disks, heard.append, silent)
    with pytest.raises(HostError, match=r"after-step 2/2 \(false …\) ended with status 1"):
        run_steps([good, bad], disks, heard.append, silent)


def _ends(pid: int) -> None:
    """It was killed, and is gone in a moment. A zombie has ended, too."""
    deadline = time.monotonic() + 30
    stat = Path(f"/proc/{pid}/stat")
    with suppress(ProcessLookupError, FileNotFoundError):
        while stat.read_text().rpartition(")")[2].split()[0] != "Z":
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.mark.skipif(os.geteuid() != 0, reason="as root only, somebody else is asked for")
def test_an_after_step_under_sudo_writes_to_the_disk_and_puts_no_link_in_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SUDO_UID", "65534")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o711)
        disk = folder / "disk0.raw"
        disk.write_text("disk")
        disk.chmod(0o600)
        daemon = """setsid sh -c 'echo $$ > "$0"; exec sleep 1000' "$0" >/dev/null 2>&1 &"""
        kill = 'kill -9 $PPID; until [ -s "$0" ]; do :; done'
        late = BuildStep(command=("sh", "-c", f"{daemon} {kill}"))
        disk.write_text("")
        run_steps((late,), [disk], lambda _data: None, silent)
        assert not Path(f"/proc/{int(disk.read_text())}").exists()
        disk.write_text("disk")
        write = BuildStep(command=("sh", "-c", 'echo more >> "$0"'))
        link = BuildStep(command=("sh", "-c", 'rm -f "$0"; ln -s /etc/shadow "$0"'))
        run_steps((write, BuildStep(inline="id")), [disk], lambda _data: None, silent)
        with pytest.raises(HostError, match="ended with status"):
            run_steps((link,), [disk], lambda _data: None, silent)
        assert disk.read_text() == "diskmore\n"
        assert (disk.stat().st_uid, disk.is_symlink()) == (0, False)
