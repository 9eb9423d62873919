"""The pipe that cloud-init's output goes through, run by a real shell on a real terminal."""

import os
import pty
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from raptorctl.model.seed import FirstBoot
from raptorctl.render.cloud_config import cloud_config
from tests.unit.render.test_cloud_config import GUEST

SAID = "Cloud-init v. 22 running 'init'\n  two  spaces\\n\nlast, without an end"


def through(folder: Path, console: str, active: str) -> subprocess.CompletedProcess[str]:
    """Run it with other paths than a guest's."""
    mode, command = cloud_config(FirstBoot(), GUEST)["output"]["all"].split(" ", 1)
    assert mode == "|"
    (folder / "active").write_text(active)
    for path, other in {
        "/var/log/cloud-init-output.log": str(folder / "log"),
        "/sys/class/tty/console/active": str(folder / "active"),
        "/dev/hvc0": console,
    }.items():
        assert path in command
        command = command.replace(path, other)
    return subprocess.run(
        ["sh", "-c", command], input=SAID, capture_output=True, text=True, check=False
    )


def everything_on(master: int) -> str:
    """What was written to a terminal whose other end is closed: it comes in pieces, then EIO."""
    said = b""
    with suppress(OSError):
        while piece := os.read(master, 10_000):
            said += piece
    os.close(master)
    return said.decode()


@pytest.mark.parametrize("active", ["tty0\n", "hvc0 ttyS0\n", ""])
def test_every_line_is_on_the_owners_console_in_the_log_and_where_it_went_before(
    tmp_path: Path, active: str
) -> None:
    master, slave = pty.openpty()
    done = through(tmp_path, os.ttyname(slave), active)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == SAID + "\n"
    assert (tmp_path / "log").read_text() == SAID
    os.close(slave)
    assert everything_on(master).replace("\r", "") == SAID + "\n"


def test_once_where_the_owners_console_is_the_systems(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    done = through(tmp_path, os.ttyname(slave), "tty0 hvc0\n")
    os.close(slave)
    assert (done.stdout, everything_on(master)) == (SAID, "")


def test_a_console_that_is_not_there_is_not_made_a_file_of(tmp_path: Path) -> None:
    done = through(tmp_path, str(tmp_path / "hvc0"), "tty0\n")
    assert done.stdout == SAID + "\n"
    assert not (tmp_path / "hvc0").exists()
