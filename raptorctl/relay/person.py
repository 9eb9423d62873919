"""Who is at the other end, and becoming them."""

import ctypes
import grp
import os
import pwd
import resource
import socket
import struct
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

LIBC: Final = ctypes.CDLL(None, use_errno=True)
PEER: Final = struct.Struct("3i")
"""struct ucred: pid, uid, gid (unix(7), SO_PEERCRED)."""
PR_SET_DUMPABLE: Final = 4
PR_SET_NO_NEW_PRIVS: Final = 38
FILES: Final = 64
"""Open files of one connection; an admin's may pass some on (VIR_NET_MESSAGE_NUM_FDS_MAX is 32)."""


@dataclass(frozen=True)
class Person:
    """An account.

    Args:
        uid, gid: its numbers.
        groups: the numbers of all its groups, as polkit's rules see them (getgrouplist(3)).
        trusted: root, or in an admins' group.
    """

    uid: int
    gid: int
    groups: tuple[int, ...]
    trusted: bool


def peer(client: socket.socket) -> int:
    """Return the number of the account that connected."""
    said = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size)
    return int(PEER.unpack(said)[1])


def look_up(uid: int, admin_groups: Collection[str]) -> Person:
    """Return what the host knows of an account now.

    Raises:
        KeyError: there is none of that number.
    """
    entry = pwd.getpwuid(uid)
    groups = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))
    admins = {group.gr_gid for name in admin_groups if (group := _group(name))}
    return Person(uid, entry.pw_gid, groups, uid == 0 or not admins.isdisjoint(groups))


def _group(name: str) -> grp.struct_group | None:
    try:
        return grp.getgrnam(name)
    except KeyError:
        return None


def become(person: Person) -> None:
    """Be them for good, with no right to trace us or to read what we hold (ptrace(2)).

    Raises:
        OSError: the kernel refuses.
    """
    if person.uid != 0:
        os.setgroups(person.groups)
        os.setresgid(person.gid, person.gid, person.gid)
        os.setresuid(person.uid, person.uid, person.uid)
    for option, value in ((PR_SET_DUMPABLE, 0), (PR_SET_NO_NEW_PRIVS, 1)):
        if LIBC.prctl(option, value, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
