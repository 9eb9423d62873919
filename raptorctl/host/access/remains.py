"""What a number without an account still owns: files (find(1)), System V IPC (sysvipc(7)).

Files are found on all local filesystems that can be written, by find(1) without following links or
going on to other mounts. Each is then reached anew, folder by folder, none of them by a link
(open(2), O_NOFOLLOW), and looked at again before it is touched: whoever renames folders meanwhile
gains nothing, as nothing is ever touched that the number does not own.

What only root can reach is none of the tenant's doing and nobody's way in (the layers of
containers, backups), and is left alone.
"""

import os
import re
import select
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from raptorctl.drivers.tick import Tick
from raptorctl.errors import CommandError, HostError
from raptorctl.host.system import command, procfs
from raptorctl.host.system.peer import name_of
from raptorctl.host.system.pipe import piped

MOUNTS: Final = Path("/proc/self/mountinfo")
IPC: Final = Path("/proc/sysvipc")
LOCAL: Final = frozenset(
    "ext2 ext3 ext4 xfs btrfs f2fs bcachefs zfs jfs nilfs2 reiserfs overlay tmpfs ramfs devtmpfs"
    " hugetlbfs mqueue".split()
)
"""Filesystems that are this host's alone and know owners: not the network's, FUSE's, or proc."""
MOST: Final = 1000
"""Things that are told of: whoever wants all of them removes them."""
BEAT: Final = 0.2
PIECE: Final = 1 << 16
KINDS: Final = {"shm": "shared memory", "sem": "semaphores", "msg": "message queue"}
REMOVERS: Final = {"shm": "-m", "sem": "-s", "msg": "-q"}  # ipcrm(1)


def left(uid: int) -> tuple[str, ...]:
    """Return what a number owns, at most `MOST` things; nothing where an account has it.

    Raises:
        HostError: nobody can look.
    """
    if name_of(uid):
        return ()
    found = [f"{KINDS[kind]} {number}" for kind, number in _ipc(uid)]
    for path in _found(uid, lambda *_: None):
        with _reached(path, uid) as place:
            if place:
                found.append(os.fsdecode(path))
        if len(found) >= MOST:
            break
    return tuple(found)


def sweep(uid: int, tick: Tick) -> Mapping[str, int]:
    """Remove what a number owns; what lies where not everybody can write becomes root's.

    Args:
        uid: the number. While an account has it, nothing is touched.
        tick: called several times a second; what it raises ends the sweep.

    Returns:
        How many things were removed, and how many are root's now.
    """
    done: Counter[str] = Counter(removed=0, kept=0)
    if name_of(uid):
        return done
    for kind, number in _ipc(uid):
        command.run("ipcrm", REMOVERS[kind], number, ok=(0, 1))  # 1: it is gone
        done["removed"] += 1
    folders = []
    for path in _found(uid, tick):
        with _reached(path, uid) as place:
            if place and place.is_folder:
                folders.append(path)  # once it is empty
            elif place:
                done[place.take()] += 1
    for path in reversed(folders):  # find(1) tells of a folder before what is in it
        tick(0, 1)
        with _reached(path, uid) as place:
            if place:
                done[place.take()] += 1
    return done


class Place:
    """One thing that the number owns, by the folder that it is in.

    Args:
        folder: a descriptor of that.
        name: in it.
        shared: whether everybody can put things where it lies.
        mode: as stat(2) has it.
    """

    def __init__(self, folder: int, name: bytes, mode: int, *, shared: bool) -> None:
        self._folder, self._name, self._mode, self._shared = folder, name, mode, shared

    @property
    def is_folder(self) -> bool:
        """Whether it is a directory."""
        return stat.S_ISDIR(self._mode)

    def take(self) -> str:
        """Remove it, or give it to root, as `removed` or `kept`.

        A file of root's that others wrote would be trusted where everybody may put one, and a link
        of root's followed (proc_sys_fs(5), protected_symlinks), so there everything goes.
        """
        if self.is_folder:
            return "removed" if self._shared and self._emptied() else self._given()
        if self._shared or not stat.S_ISREG(self._mode):
            with suppress(FileNotFoundError):
                os.unlink(self._name, dir_fd=self._folder)
            return "removed"
        return self._given()

    def _emptied(self) -> bool:
        try:
            os.rmdir(self._name, dir_fd=self._folder)
        except OSError:  # it holds what is another's, or is where something is mounted
            return False
        return True

    def _given(self) -> str:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        descriptor = os.open(self._name, flags, dir_fd=self._folder)
        try:
            if stat.S_IFMT(os.fstat(descriptor).st_mode) == stat.S_IFMT(self._mode):
                # First, so that nothing of it is ever root's and setuid, or others' to write.
                os.fchmod(descriptor, self._mode & 0o755)
                os.fchown(descriptor, 0, 0)
        finally:
            os.close(descriptor)
        return "kept"


def _ipc(uid: int) -> Iterator[tuple[str, str]]:
    """What it owns or made: whoever made it may remove it, whosever it is by now (sysvipc(7))."""
    for kind in REMOVERS:
        try:
            head, *rows = (IPC / kind).read_text().splitlines()
        except (OSError, ValueError):  # a kernel without it
            continue
        for row in rows:
            told = dict(zip(head.split(), row.split(), strict=False))
            if str(uid) in {told.get("uid"), told.get("cuid")}:
                yield kind, row.split()[1]


def _found(uid: int, tick: Tick) -> Iterator[bytes]:
    mounts = [path for path in local_mounts(procfs.read_bytes(MOUNTS)) if not _is_private_way(path)]
    # A folder of root's that nobody else enters: what is in it is passed over.
    private = ("-type", "d", "-uid", "0", "-gid", "0", "!", "-perm", "/011", "-prune")
    mine = ("-uid", str(uid), "-print0")
    argv = ("find", *map(os.fsdecode, mounts), "-xdev", "-ignore_readdir_race",
            "(", *private, ")", "-o", *mine)  # fmt: skip
    try:
        with piped(argv) as stream:
            yield from _records(stream.fileno(), tick)
    except CommandError as error:
        if error.exit_status != 1:  # 1: some folder cannot be read, such as a tenant's FUSE mount
            said = f"cannot search for files: {error.reason.line or error.brief}"
            raise HostError(said, details=error.details, resolution=error.reason.advice) from error


def _records(descriptor: int, tick: Tick) -> Iterator[bytes]:
    rest = b""
    while True:
        while not select.select([descriptor], [], [], BEAT)[0]:
            tick(0, 1)
        piece = os.read(descriptor, PIECE)
        if not piece:
            return
        tick(0, 1)
        *whole, rest = (rest + piece).split(b"\0")
        yield from whole


def local_mounts(text: bytes) -> list[bytes]:
    """Return where local filesystems that can be written are mounted (proc_pid_mountinfo(5))."""
    found: dict[bytes, bool] = {}
    for line in text.splitlines():
        before, _, after = line.partition(b" - ")
        path, options = before.split()[4:6]
        kind = after.split()[0].decode()
        # The last one at a place hides the others.
        found[_unescaped(path)] = kind in LOCAL and b"rw" in options.split(b",")
    return [path for path, fits in found.items() if fits]


def _unescaped(path: bytes) -> bytes:
    return re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), path)


def _is_private_way(path: bytes) -> bool:
    way = _way(path)
    if way is None:
        return True
    os.close(way[0])
    return False


@contextmanager
def _reached(path: bytes, uid: int) -> Iterator[Place | None]:
    """Reach a thing by its folders; None where that cannot be, or it is not the number's."""
    way = _way(path)
    if way is None:
        yield None
        return
    folder, shared = way
    name = path.rpartition(b"/")[2] or b"."
    try:
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except OSError:
            yield None
        else:
            mine = status.st_uid == uid
            yield Place(folder, name, status.st_mode, shared=shared) if mine else None
    finally:
        os.close(folder)


def _way(path: bytes) -> tuple[int, bool] | None:
    """Open the folder of a path, and tell whether everybody can write on the way to it.

    None where only root can go there, or the way is another by now.
    """
    flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    here, shared = os.open("/", flags), False
    for name in path.split(b"/")[1:-1]:
        try:
            there = os.open(name, flags, dir_fd=here)
        except OSError:
            return None
        finally:
            os.close(here)
        here, status = there, os.fstat(there)
        if _is_private(there, status):
            os.close(here)
            return None
        shared = shared or _is_everybodys(status.st_mode)
    return here, shared


def _is_everybodys(mode: int) -> bool:
    """Whether all may put files there, or all by a program's group, as the spool of cron's."""
    return bool(mode & stat.S_IWOTH or (mode & stat.S_ISVTX and mode & stat.S_IWGRP))


def _is_private(descriptor: int, status: os.stat_result) -> bool:
    if status.st_uid or status.st_gid or status.st_mode & stat.S_IXOTH:
        return False
    with suppress(OSError):  # acl(5): without one, the group in the mode is the group
        return not os.getxattr(f"/proc/self/fd/{descriptor}", "system.posix_acl_access")
    return True
