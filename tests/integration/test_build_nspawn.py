"""Steps by systemd-nspawn, on a small tree with a shell: needs root and systemd-container."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.errors import HostError
from raptorctl.host.build.workshop import LocalBuilder
from raptorctl.model.build import BuildFile, BuildShare, BuildStep, Empty, Filesystem, Way
from raptorctl.model.build_room import BuildRoom, RoomDisk
from raptorctl.model.settings import Libvirt
from raptorctl.model.sizes import MIB, Size
from tests.small_tree import small_disk, small_tree

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
SLEEP = "sleep\x0086417"
"""The command line of a step that only we have."""
BUILDER = LocalBuilder(Libvirt("test:///default"))


def silent(_done: int, _total: int) -> None:
    """Tell nobody."""


@pytest.fixture
def room(tmp_path: Path) -> BuildRoom:
    folder, share = tmp_path / "j1", tmp_path / "share"
    BUILDER.open(str(folder), "j1")
    share.mkdir()
    (share / "in").write_text("in\n")
    disks = (folder / "disk0.raw", folder / "disk1.raw")
    small_disk(disks[0], small_tree(tmp_path / "tree"), 64 * MIB)
    BUILDER.blank(Empty(Size(16 * MIB), Filesystem.EXT4), str(disks[1]))
    return BuildRoom(
        folder=str(folder),
        job="j1",
        way=Way.NSPAWN,
        disks=(RoomDisk(str(disks[0]), "/"), RoomDisk(str(disks[1]), "/srv/data")),
        files=(BuildFile("/etc/motd", content=b"hello\n"),),
        shares=(BuildShare("/mnt/ro", str(share)),),
    )


def left(room: BuildRoom) -> str:
    """Mounts and loop devices of ours."""
    loops = subprocess.run(["losetup", "-a"], capture_output=True, text=True, check=False).stdout
    found = [*Path("/proc/self/mountinfo").read_text().splitlines(), *loops.splitlines()]
    return "\n".join(line for line in found if f"{room.folder}/" in line)


def test_steps_see_disks_files_and_shares_and_nothing_stays_mounted(room: BuildRoom) -> None:
    heard: list[bytes] = []
    BUILDER.listen(heard.append)
    steps = (
        BuildStep(inline="cat /etc/motd /mnt/ro/in; touch /srv/data/made"),
        BuildStep(inline="touch /mnt/ro/new", ignore_errors=True),
    )
    BUILDER.run(replace(room, steps=steps), silent)
    said = b"".join(heard)
    assert b"hello\nin\n" in said
    assert b"Read-only file system" in said
    assert left(room) == ""
    made = subprocess.run(
        ["/usr/sbin/debugfs", "-R", "stat /made", room.disks[1].path],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "Type: regular" in made.stdout


def test_a_step_that_fails_ends_it_and_nothing_stays_mounted(room: BuildRoom) -> None:
    with pytest.raises(HostError, match=r"step 1/1 \(exit 7\) ended with status 7"):
        BUILDER.run(replace(room, steps=(BuildStep(inline="exit 7"),)), silent)
    assert left(room) == ""


def test_nothing_of_it_outlives_us(room: BuildRoom) -> None:
    code = (
        "from tests.integration.test_build_nspawn import *\n"
        "from raptorctl.model.build_room import *\n"
        f"BUILDER.run({room!r}.__class__(**{{**{room!r}.__dict__,"
        " 'steps': (BuildStep(inline='touch /srv/data/on; sleep 86417'),)}), silent)\n"
    )
    code = code.replace("<Way.NSPAWN: 'nspawn'>", "Way.NSPAWN")
    process = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
    deadline = time.monotonic() + 60
    while SLEEP not in _commands():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    while left(room) or SLEEP in _commands():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_no_disk_is_mounted_where_a_link_of_the_image_leads(
    room: BuildRoom, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    line = f"symlink /srv/way {tmp_path / 'out'}"
    subprocess.run(["/usr/sbin/debugfs", "-w", "-R", line, room.disks[0].path], check=True)
    disks = (room.disks[0], RoomDisk(room.disks[1].path, "/srv/way/data"))
    with pytest.raises(HostError, match="cannot be mounted: /srv/way/data is behind a link"):
        BUILDER.run(replace(room, disks=disks, steps=(BuildStep(inline="true"),)), silent)
    assert [*(tmp_path / "out").iterdir()] == []
    assert left(room) == ""


def _commands() -> str:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_text(errors="replace"))
        except OSError:  # it has just ended
            continue
    return "\n".join(found)
