"""Who is connected to libvirt, by its administration socket (virt-admin(1)).

libvirt-python has no administration interface, so the program is asked, and its tables are read.
"""

import re
from collections.abc import Iterator
from typing import Final

from raptorctl.errors import CommandError, MissingError
from raptorctl.host.system import command

DAEMONS: Final = ("libvirtd", "virtqemud", "virtproxyd")
"""Those a tenant's virsh can reach: the one of all drivers, or the modular ones."""

_NUMBER: Final = re.compile(r"^ *([0-9]+) ", re.MULTILINE)
_UID: Final = re.compile(r"^unix_user_id *: *([0-9]+)$", re.MULTILINE)


def disconnect(uid: int) -> int:
    """End all connections of one account to libvirt; returns how many there were.

    A stream that was open when a right was taken away stays open, and a connection can outlive the
    process that made it, handed on over a socket.

    Args:
        uid: whose.
    """
    found = [(daemon, client) for daemon in DAEMONS for client in _clients(daemon, uid)]
    for daemon, client in found:
        # 1: it went by itself since it was listed.
        _ask(daemon, "client-disconnect", daemon, client)
    return len(found)


def _clients(daemon: str, uid: int) -> Iterator[str]:
    for client in _NUMBER.findall(_ask(daemon, "client-list", daemon)):
        if str(uid) in _UID.findall(_ask(daemon, "client-info", daemon, client)):
            yield client


def _ask(daemon: str, *words: str) -> str:
    """Ask one daemon; one that is not there, or asleep, has no clients and says nothing."""
    try:
        return command.run("virt-admin", "-q", "-c", f"{daemon}:///system", *words, ok=(0, 1))
    except (CommandError, MissingError):
        return ""
