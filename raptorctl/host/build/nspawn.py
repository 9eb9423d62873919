"""Steps by systemd-nspawn, with disks mounted on this host: root's, and for trusted images.

Mounts are made in a namespace of their own (unshare(1)), which one process keeps: it unmounts
when we close its input, or die. So no mount and no loop device of it is found afterwards.
"""

import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, Never

from raptorctl.drivers.guest import Heard
from raptorctl.drivers.tick import Tick
from raptorctl.errors import HostError, MissingError
from raptorctl.host.build import network, partitions, transport
from raptorctl.host.build.holder import held
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
    "--timezone=off",
)  # fmt: skip
"""systemd-nspawn(1): no file of the image's is changed by itself."""
MOUNTS: Final = ("unshare", "--mount", "--propagation", "private", "sh", "-c")
ALONE: Final = ("--private-network", "--resolv-conf=off")
"""No network but a loopback."""
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
    entries = transport.laid_out(room)
    with _inside(room, heard) as inside:
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
def _inside(room: BuildRoom, heard: Heard) -> Iterator[tuple[str, ...]]:
    """Have disks and network for as long as the block lasts; yields what a step is run by.

    What systemd-nspawn starts may outlive it. In a namespace of processes it is the first, with
    which the kernel ends all others (pid_namespaces(7)); and it ends when we do.
    """
    refuse = partial(_refuse, "mounted"), partial(_refuse, "unmounted")
    with (
        _network(room, heard) as (spaces, options),
        held((*MOUNTS, script(room, asks=bool(spaces))), *refuse) as holder,
    ):
        yield (
            "nsenter", f"--mount=/proc/{holder}/ns/mnt", *spaces, "setpriv", "--pdeathsig", "KILL",
            "unshare", "--pid", "--fork", "--kill-child=KILL", "--mount-proc",
            find("systemd-nspawn"), *OPTIONS, *options, f"--directory={room.folder}/{ROOT}",
            f"--machine=raptor-build-{room.job}",
            f"--bind-ro={room.folder}/{transport.TREE}:{HERE}", *_binds(room), "--",
        )  # fmt: skip


@contextmanager
def _network(room: BuildRoom, heard: Heard) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yields how nsenter(1) enters the steps' network, and what systemd-nspawn(1) is told of it."""
    with ExitStack() as stack:
        inside: tuple[tuple[str, ...], tuple[str, ...]] = (), ALONE
        if room.network:
            try:
                inside = stack.enter_context(network.made()), (network.resolver(),)
            except (MissingError, HostError) as error:
                heard(f"steps have no network here: {error}\n".encode())
        yield inside


def _refuse(what: str, errors: bytes) -> Never:
    lines = errors.decode(errors="replace").strip()
    raise HostError(f"the build's disks cannot be {what}: {plain(lines[-200:])}", details=lines)


def script(room: BuildRoom, *, asks: bool) -> str:
    """Mount the disks, say so, wait until our end of the pipe is closed, and unmount them.

    Args:
        room: which disks, and where.
        asks: whether steps ask this host's name servers.
    """
    root = Path(room.folder) / ROOT
    lines = ["set -e", f"mkdir -p {shlex.quote(str(root))} {OWN}", f"mount -t tmpfs tmpfs {OWN}"]
    for disk in room.disks:
        place = shlex.quote(f"{root}{disk.mount.rstrip('/')}")
        lines += [*_beyond_links(root, disk.mount)] if disk.mount.strip("/") else []
        lines += [f"mkdir -p {place}", f"mount -o {_loop(disk)} {shlex.quote(disk.path)} {place}"]
    before, after = _names(root) if asks else ("", "")
    # Not with set -e: `cat` ends badly where our end broke, and that is no reason to stay mounted.
    return "\n".join(
        [
            *lines,
            before,
            "echo ready",
            "cat >/dev/null || true",
            after,
            f"umount {OWN}",
            f"umount -R {shlex.quote(str(root))}",
            "",
        ]
    )


def _names(root: Path) -> tuple[str, str]:
    """See whether the image has no /etc/resolv.conf, and take away an empty one in its place.

    systemd-nspawn makes it, to mount this host's on.
    """
    etc, names = shlex.quote(f"{root}/etc"), shlex.quote(f"{root}/etc/resolv.conf")
    return (
        f"[ -L {etc} ] || [ -e {names} ] || [ -L {names} ] || none=yes",
        f'[ -z "${{none-}}" ] || [ -L {etc} ] || [ -s {names} ] || rm -f {names}',
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
