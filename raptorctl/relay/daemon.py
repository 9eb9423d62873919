"""Takes connections for libvirtd; a process for each, which becomes who connected.

libvirtd asks the kernel who is at the other end of its socket, and polkit about that process
(SO_PEERCRED, pkcheck(1)). So the process that connects there is one of the tenant's number, for as
long as the connection lasts. It reaches libvirtd's socket, in a directory that root alone enters,
by a descriptor that was opened before it gave up being root (open(2), O_PATH).
"""

import gc
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Never

from raptorctl.relay.carry import filtered, unfiltered
from raptorctl.relay.frames import FrameError
from raptorctl.relay.gate import BASIC
from raptorctl.relay.person import become, look_up, peer
from raptorctl.relay.room import Room

FIRST: Final = 3
"""systemd's first descriptor (SD_LISTEN_FDS_START)."""
BACKLOG: Final = 4096
"""Connections that wait to be taken; the kernel's net.core.somaxconn bounds it (listen(2))."""
REMEMBERED: Final = 10.0
"""Seconds for which whether an account is an admin's is not asked again to count; each
connection asks anew for what it may do."""
NICE: Final = 5
"""Of tenants' connections, so that a storm of them is after the listener (nice(2))."""


def listening(environment: Mapping[str, str]) -> list[socket.socket]:
    """Return the sockets that systemd opened.

    Raises:
        KeyError: it opened none (sd_listen_fds(3)).
    """
    count = int(environment["LISTEN_FDS"])
    return [socket.socket(fileno=number) for number in range(FIRST, FIRST + count)]


@dataclass
class Relay:
    """The listening process.

    Args:
        sockets: where clients connect.
        directory: where libvirtd's own sockets are.
        admin_groups: members of these, and root, are not filtered.
        calls: the numbers of those that tenants may make.
    """

    sockets: Iterable[socket.socket]
    directory: str
    admin_groups: frozenset[str]
    calls: frozenset[int] = BASIC
    _known: dict[int, tuple[bool, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.room = Room(self._is_trusted)

    def run(self) -> Never:
        """Take connections until a signal ends us."""
        gc.freeze()
        with selectors.DefaultSelector() as selector:
            for server in self.sockets:
                server.setblocking(False)
                server.listen(BACKLOG)
                selector.register(server, selectors.EVENT_READ, self._taker(server))
            selector.register(_ended_children(), selectors.EVENT_READ, _drain)
            while True:
                for key, _ in selector.select():
                    key.data(key.fileobj)
                self._reap()

    def _taker(self, server: socket.socket) -> Callable[[object], None]:
        path = Path(self.directory) / Path(server.getsockname()).name

        def take(_: object) -> None:
            with suppress(OSError):  # they hung up, or we have no process left for them
                client, _ = server.accept()
                with client:
                    self._take(client, path)

        return take

    def _take(self, client: socket.socket, path: Path) -> None:
        uid = peer(client)
        if not self.room.admits(uid):
            return
        process = os.fork()
        if process == 0:
            _carry(client, uid, path, self)
        self.room.enter(uid, process)

    def _reap(self) -> None:
        with suppress(ChildProcessError):  # none are left
            while process := os.waitpid(-1, os.WNOHANG)[0]:
                self.room.leave(process)

    def _is_trusted(self, uid: int) -> bool:
        if uid == 0:
            return True
        trusted, until = self._known.get(uid, (False, 0.0))
        if time.monotonic() >= until:
            trusted = False
            with suppress(KeyError):
                trusted = look_up(uid, self.admin_groups).trusted
            self._known[uid] = (trusted, time.monotonic() + REMEMBERED)
        return trusted


def _ended_children() -> socket.socket:
    ours, theirs = socket.socketpair()
    for side in (ours, theirs):
        side.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(theirs.detach(), warn_on_full_buffer=False)
    return ours


def _drain(told: object) -> None:
    if isinstance(told, socket.socket):
        told.recv(4096)


def _carry(client: socket.socket, uid: int, path: Path, relay: Relay) -> Never:
    """Be the process of one connection; nothing that happens here comes back to the listener."""
    try:
        signal.set_wakeup_fd(-1)
        person = look_up(uid, relay.admin_groups)
        if not person.trusted:
            os.nice(NICE)
        mark = os.open(path, os.O_PATH | os.O_CLOEXEC)
        _close_but(client.fileno(), mark)
        become(person)
        with socket.socket(socket.AF_UNIX) as server:
            server.connect(f"/proc/self/fd/{mark}")
            os.close(mark)
            if person.trusted:
                unfiltered(client, server)
            else:
                filtered(client, server, relay.calls)
    except (FrameError, KeyError, OSError):
        pass  # they are hung up on
    finally:
        os._exit(0)


def _close_but(*kept: int) -> None:
    """Close the listening sockets and whatever else the listener has open, but for its log."""
    first = FIRST
    for number in sorted(kept):
        os.closerange(first, number)
        first = number + 1
    os.closerange(first, 1024)
