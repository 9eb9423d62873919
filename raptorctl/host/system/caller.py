"""Whoever typed `sudo raptorctl`: a file that they name is opened with their rights, not root's.

sudo makes an admin root for raptorctl "and nothing else". A file that root opens because they named
it would be more than that: they could read what is not theirs, or have root act on it. So the one
function here, `open_given`, is what every option that names a file goes through.

The file is opened by a child that has become the caller for good (setresuid(2)), so that the kernel
alone decides, once, on the very file that is then read: nothing is checked first and opened later.
The child holds no right of root's, cannot be traced by the caller (it is not dumpable: prctl(2),
PR_SET_DUMPABLE), and hands back a descriptor and nothing else (unix(7), SCM_RIGHTS).
"""

import errno
import os
import pwd
import signal
import stat
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Never, cast

from raptorctl.errors import InputError, RefusedError
from raptorctl.model.names import shown

if TYPE_CHECKING:
    import socket

NUMBER: Final = struct.Struct("i")
"""A descriptor, and what the child says: an errno(3), or 0 where it hands a descriptor over."""


@dataclass(frozen=True)
class Sudoer:
    """The account behind sudo.

    Args:
        uid, gid: its numbers.
        groups: the numbers of all its groups.
    """

    uid: int
    gid: int
    groups: tuple[int, ...]

    def process(self) -> dict[str, Any]:
        """Return what makes subprocess.Popen run a program as them."""
        return {"user": self.uid, "group": self.gid, "extra_groups": list(self.groups)}


def caller(environment: Mapping[str, str] = os.environ) -> Sudoer | None:
    """Return who typed sudo (sudo(8), SUDO_UID); None where we act with rights of our own.

    Raises:
        RefusedError: SUDO_UID is no account's. It is never taken for root's.
    """
    said = environment.get("SUDO_UID", "")
    if os.geteuid() != 0 or said in {"", "0"}:
        return None
    try:
        entry = pwd.getpwuid(int(said) if said.isascii() and said.isdecimal() else -1)
    except (KeyError, OverflowError) as error:
        raise RefusedError(
            f"SUDO_UID is {shown(said)}, which is not the uid of an account",
            resolution="run this by sudo from an account of this host",
        ) from error
    groups = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))
    return Sudoer(entry.pw_uid, entry.pw_gid, groups)


def open_given(path: str, *, follow: bool = False) -> BinaryIO:
    """Open a file that somebody named, to read it, unbuffered, with the rights of who named it.

    Args:
        path: regular files only: no device, no FIFO.
        follow: whether it may be a symbolic link.

    Raises:
        InputError: it is missing, not a regular file, or not theirs to read.
        RefusedError: see `caller`.
    """
    return _regular(path, caller(), follow=follow)


def read_given(path: str, largest: int, *, follow: bool = False) -> bytes:
    """Read a file that somebody named; see `open_given`.

    Args:
        path: the file.
        largest: bytes; one more is read, so that whoever asked can tell.
        follow: whether it may be a symbolic link.
    """
    with open_given(path, follow=follow) as stream:
        return whole(stream, largest + 1)


def open_own(path: str) -> BinaryIO:
    """Open a file of raptorctl's own, as carefully, with the rights that we have.

    Raises:
        InputError: it is missing, or not a regular file.
    """
    return _regular(path, None, follow=False)


def whole(stream: BinaryIO, largest: int) -> bytes:
    """Read on until the end, or until `largest` bytes are read: read(2) may give fewer."""
    pieces: list[bytes] = []
    while largest > 0 and (piece := stream.read(largest)):
        pieces.append(piece)
        largest -= len(piece)
    return b"".join(pieces)


def _regular(path: str, who: Sudoer | None, *, follow: bool) -> BinaryIO:
    # O_NONBLOCK: opening a FIFO must not wait for a writer.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    flags |= 0 if follow else os.O_NOFOLLOW
    try:
        os.fsencode(path)
        descriptor = open_as(who, path, flags) if who else os.open(path, flags)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name, or no text
        if getattr(error, "errno", 0) == errno.ELOOP and not follow and _is_link(who, path):
            raise InputError(
                f"{_called(path)} is a symbolic link", resolution="name the file itself"
            ) from error
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{_called(path)} cannot be read: {why}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InputError(f"{_called(path)} is not a regular file")
    return cast("BinaryIO", open(descriptor, "rb", buffering=0))  # noqa: PTH123 - a descriptor


def _is_link(who: Sudoer | None, path: str) -> bool:
    """Whether O_NOFOLLOW refused: ELOOP is said of a circle of links on the way as well."""
    flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC  # opens a link itself: open(2)
    try:
        descriptor = open_as(who, path, flags) if who else os.open(path, flags)
    except OSError:
        return False
    try:
        return stat.S_ISLNK(os.fstat(descriptor).st_mode)
    finally:
        os.close(descriptor)


def _called(path: str) -> str:
    """An absolute path is ours or looked up, and its end tells more than its beginning."""
    return path if path.startswith("/") and path.isprintable() else shown(path)


def open_as(who: Sudoer, path: str, flags: int) -> int:
    """Open a file or folder as somebody else, and return a descriptor of our own.

    Raises:
        OSError: they may not, or there is none.
    """
    import socket

    ours, theirs = socket.socketpair()
    with ours, theirs:
        child = os.fork()
        if child == 0:
            _child(theirs, who, path, flags)
        theirs.close()
        try:
            # Not recv_fds(), which drops the flag, so that programs would inherit the descriptor.
            room, flag = socket.CMSG_LEN(NUMBER.size), socket.MSG_CMSG_CLOEXEC
            said, passed, *_ = ours.recvmsg(NUMBER.size, room, flag)
        finally:
            os.kill(child, signal.SIGKILL)  # it has answered, or nobody waits for it any more
            os.waitpid(child, 0)
    if passed:
        return int(NUMBER.unpack(passed[0][2])[0])
    number = NUMBER.unpack(said)[0] if said else errno.EIO
    raise OSError(number, os.strerror(number))


def _child(theirs: "socket.socket", who: Sudoer, path: str, flags: int) -> Never:
    """Become the caller, open the file, hand it over. Only system calls: there may be threads."""
    import socket

    try:
        os.setgroups(who.groups)
        os.setresgid(who.gid, who.gid, who.gid)
        os.setresuid(who.uid, who.uid, who.uid)
        socket.send_fds(theirs, [NUMBER.pack(0)], [os.open(path, flags)])
    except OSError as error:
        theirs.send(NUMBER.pack(error.errno or errno.EIO))
    finally:
        os._exit(0)
