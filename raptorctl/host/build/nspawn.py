"""Steps by systemd-nspawn, with disks mounted on this host: root's, and for trusted images.

Mounts are made in a namespace of their own (unshare(1)), which one process keeps: it unmounts
when we close its input, or die. So no mount and no loop device of it is found afterwards.
"""

import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from raptorctl.drivers.guest import Heard
from raptorctl.drivers.tick import Tick
from raptorctl.errors import HostError
from raptorctl.host.build import partitions, transport
from raptorctl.host.build.process import followed, refuse_failed
from raptorctl.host.system.command import ENVIRONMENT, find
from raptorctl.model.build import BuildStep, Verbosity
from raptorctl.model.build_room import BuildRoom, RoomDisk
from raptorctl.model.build_script import title
from raptorctl.model.text import plain
from raptorctl.render.build_machine import HERE, placed, step_script

ROOT: Final = "root"
"""Where in a build's folder its first disk is mounted."""
OPTIONS: Final = (
    "--quiet", "--register=no", "--keep-unit", "--as-pid2", "--pipe", "--link-journal=no",
    "--timezone=off", "--resolv-conf=off", "--private-network",
)  # fmt: skip
"""systemd-nspawn(1): no network but a loopback, and no file of the image's is changed by itself."""
HOUSEKEEPING: Final = 600.0
OWN: Final = "/run/systemd/nspawn"
"""Where systemd-nspawn has a folder of each machine, which it does not always take away."""


def run_in(room: BuildRoom, heard: Heard, tick: Tick) -> None:
    """Run a build's steps; see `raptorctl.drivers.build.Builder.run`.

    Raises:
        HostError: a step failed, or a disk cannot be mounted.
        WaitError: a step took too long.
    """
    find("systemd-nspawn")
    # What systemd-nspawn starts may outlive it. In a namespace of processes it is the first, with
    # which the kernel ends all others (pid_namespaces(7)); and it ends when we do.
    entries = transport.laid_out(room)
    with _mounted(room) as holder:
        inside = (
            "nsenter", f"--mount=/proc/{holder}/ns/mnt", "setpriv", "--pdeathsig", "KILL",
            "unshare", "--pid", "--fork", "--kill-child=KILL", "--mount-proc",
            find("systemd-nspawn"), *OPTIONS, f"--directory={room.folder}/{ROOT}",
            f"--machine=raptor-build-{room.job}",
            f"--bind-ro={room.folder}/{transport.TREE}:{HERE}", *_binds(room), "--",
        )  # fmt: skip
        options = {"env": ENVIRONMENT, "cwd": "/"}
        if entries:
            put = BuildStep(inline="put files", timeout=HOUSEKEEPING, verbosity=Verbosity.ERRORS)
            argv = (*inside, "sh", "-c", placed(transport.rows(entries)))
            if status := followed(argv, put, options, heard, tick):
                raise HostError(f"putting files into their places ended with status {status}")
        for number, step in enumerate(room.steps):
            place = f"{number + 1}/{len(room.steps)}"
            heard(f"{place} {title(step)}\n".encode())
            argv = (*inside, "sh", "-c", step_script(step, number))
            status = followed(argv, replace(step, verbosity=Verbosity.ALL), options, heard, tick)
            refuse_failed(step, f"step {place}", status)


@contextmanager
def _mounted(room: BuildRoom) -> Iterator[int]:
    """Have the disks mounted for as long as the block lasts; yields who keeps them so."""
    argv = ("unshare", "--mount", "--propagation", "private", "sh", "-c", script(room))
    holder = subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=ENVIRONMENT, cwd="/", start_new_session=True,
    )  # fmt: skip
    try:
        said = holder.stdout.readline() if holder.stdout else b""
        if said != b"ready\n":
            _refuse("mounted", holder.communicate()[1])
        yield holder.pid
    except BaseException:
        if holder.returncode is None:
            holder.communicate()
        raise
    _, errors = holder.communicate()
    if holder.returncode:
        _refuse("unmounted", errors)


def _refuse(what: str, errors: bytes) -> None:
    lines = errors.decode(errors="replace").strip()
    raise HostError(f"the build's disks cannot be {what}: {plain(lines[-200:])}", details=lines)


def script(room: BuildRoom) -> str:
    """Mount the disks, say so, wait until our end of the pipe is closed, and unmount them."""
    root = Path(room.folder) / ROOT
    lines = ["set -e", f"mkdir -p {shlex.quote(str(root))} {OWN}", f"mount -t tmpfs tmpfs {OWN}"]
    for disk in room.disks:
        place = shlex.quote(f"{root}{disk.mount.rstrip('/')}")
        lines += [*_beyond_links(root, disk.mount)] if disk.mount.strip("/") else []
        lines += [f"mkdir -p {place}", f"mount -o {_loop(disk)} {shlex.quote(disk.path)} {place}"]
    # Not with set -e: `cat` ends badly where our end broke, and that is no reason to stay mounted.
    return "\n".join(
        [
            *lines,
            "echo ready",
            "cat >/dev/null || true",
            f"umount {OWN}",
            f"umount -R {shlex.quote(str(root))}",
            "",
        ]
    )


def _beyond_links(root: Path, mount: str) -> Iterator[str]:
    """Refuse a place that the image's own links lead to: out of the image, they are this host's."""
    top, inside = shlex.quote(str(root)), shlex.quote(mount.rstrip("/"))
    same = f'[ "$(readlink -m -- {top}{inside})" = "$(readlink -m -- {top})"{inside} ]'
    yield f"{same} || {{ echo {inside} is behind a link of the image >&2; exit 1; }}"


def _loop(disk: RoomDisk) -> str:
    seen = partitions.look_at(Path(disk.path))
    area = seen.partition(disk.partition) if disk.partition else seen.root
    if area is None or not area.filesystem:
        raise HostError(f"{Path(disk.path).name} has no file system that is known")
    return f"loop,nodev,offset={area.start},sizelimit={int(area.size)}"


def _binds(room: BuildRoom) -> Iterator[str]:
    for number, share in enumerate(room.shares):
        source = share.path or f"{room.folder}/{transport.TREE}/shares/{number}"
        option = "--bind" if share.writable else "--bind-ro"
        yield f"{option}={_escaped(source)}:{_escaped(share.at)}"


def _escaped(path: str) -> str:
    """As systemd-nspawn(1) takes a colon within a path."""
    return path.replace("\\", "\\\\").replace(":", "\\:")
