"""Steps by systemd-nspawn, on a small tree with a shell: needs root and systemd-container."""

import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
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
PASTA = "--netns\x00/proc"
"""A part of the command line of what joins our networks to the host's."""
BUILDER = LocalBuilder(Libvirt("test:///default"))
FAR, LOOPBACK, GATEWAY = ("203.0.113.77", 7001), ("127.0.0.1", 7002), ("198.51.100.1", 7002)
HOST = f"""
mkdir -p /dev/net
mount -t tmpfs tmpfs /dev/net
mknod -m 666 /dev/net/tun c 10 200
ip link set lo up
ip link add uplink type veth peer name other
ip address add 198.51.100.7/24 dev uplink
ip link set uplink up
ip link set other up
ip route add default via {GATEWAY[0]}
ip address add {FAR[0]}/32 dev lo
exec "$@"
"""
"""A host's network: a way out, and two addresses that something listens on (RFC 5737)."""
ON_THAT_HOST = ("unshare", "--mount", "--net", "sh", "-euc")
RUN = """
import pickle, sys
from tests.integration import test_build_nspawn as tests
tests.on_that_host(pickle.load(sys.stdin.buffer))
"""


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


def debugfs(disk: RoomDisk, line: str) -> str:
    argv = ("/usr/sbin/debugfs", "-R", line, disk.path)
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


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
    assert "Type: regular" in debugfs(room.disks[1], "stat /made")


def test_a_step_that_fails_ends_it_and_nothing_stays_mounted(room: BuildRoom) -> None:
    with pytest.raises(HostError, match=r"step 1/1 \(exit 7\) ended with status 7"):
        BUILDER.run(replace(room, steps=(BuildStep(inline="exit 7"),)), silent)
    assert left(room) == ""


def test_nothing_of_it_outlives_us(room: BuildRoom) -> None:
    step = BuildStep(inline="touch /srv/data/on; sleep 86417")
    process = subprocess.Popen(
        (*ON_THAT_HOST, HOST, "host", sys.executable, "-c", RUN),
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert process.stdin
    process.stdin.write(pickle.dumps(replace(room, steps=(step,))))
    process.stdin.close()
    deadline = time.monotonic() + 60
    while SLEEP not in _commands():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert PASTA in _commands()
    process.send_signal(signal.SIGKILL)
    process.wait()
    while left(room) or SLEEP in _commands() or PASTA in _commands():
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


def on_that_host(room: BuildRoom) -> None:
    """Have two servers that say a word to whoever comes, and tell what steps say."""
    for place in (FAR, LOOPBACK):
        threading.Thread(target=_speak, args=(socket.create_server(place),), daemon=True).start()
    BUILDER.listen(_tell)
    BUILDER.run(room, silent)


def _tell(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _speak(server: socket.socket) -> None:
    while True:
        caller, _ = server.accept()
        caller.sendall(b"a word\n")
        caller.close()


def ask(place: tuple[str, int]) -> BuildStep:
    line = f"timeout 5 bash -c 'cat </dev/tcp/{place[0]}/{place[1]}' || echo nobody at {place[0]}"
    return BuildStep(inline=line)


def said_on_that_host(room: BuildRoom, host: str = HOST) -> str:
    argv = (*ON_THAT_HOST, host, "host", sys.executable, "-c", RUN)
    return subprocess.run(
        argv, input=pickle.dumps(room), stdout=subprocess.PIPE, check=True,
        cwd=Path(__file__).parents[2], timeout=60,
    ).stdout.decode()  # fmt: skip


def test_steps_reach_what_this_host_reaches_but_not_its_loopback(room: BuildRoom) -> None:
    names = BuildStep(inline="cat /etc/resolv.conf")
    said = said_on_that_host(
        replace(room, steps=(ask(FAR), ask(LOOPBACK), ask(GATEWAY), names)),
    )
    assert "a word\n" in said.partition("2/4")[0]
    assert f"nobody at {LOOPBACK[0]}\n" in said
    assert f"nobody at {GATEWAY[0]}\n" in said
    assert said.endswith(Path("/etc/resolv.conf").read_text())
    assert PASTA not in _commands()
    assert left(room) == ""
    etc = debugfs(room.disks[0], "ls -p /etc")
    assert "os-release" in etc
    assert "resolv.conf" not in etc


def test_steps_that_may_use_no_network_have_none(room: BuildRoom) -> None:
    made = BuildStep(inline="touch /etc/resolv.conf")
    said = said_on_that_host(replace(room, network=False, steps=(ask(FAR), made)))
    assert f"nobody at {FAR[0]}\n" in said
    assert "resolv.conf" in debugfs(room.disks[0], "ls -p /etc")


def test_a_host_without_a_way_out_has_none_to_give_and_says_so(room: BuildRoom) -> None:
    said = said_on_that_host(
        replace(room, steps=(ask(FAR),)), HOST.replace("default", "198.18.0.0/15")
    )
    assert said.startswith("steps have no network here: ")
    assert f"nobody at {FAR[0]}\n" in said


def _commands() -> str:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_text(errors="replace"))
        except OSError:  # it has just ended
            continue
    return "\n".join(found)
