"""What consoles said: virtlogd's files, for root alone, and the service that reads for tenants.

Who asks over the socket is known by the kernel (unix(7), SO_PEERCRED), and gets what is called
after them. One line asks: the machine's name, how many lines, and whether to go on (`follow`).
"""

import os
import re
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from raptorctl.errors import HostError, MissingError
from raptorctl.host.system.peer import name_of, uid_of
from raptorctl.model.error_code import Code
from raptorctl.model.names import MACHINE, MACHINE_LENGTH, TENANT, split_domain

SOCKET: Final = "/run/raptorctl/log.sock"
MOST_LINES: Final = 100_000
PIECE: Final = 65536
BEAT: Final = 0.5  # seconds between two looks for more
REQUEST: Final = re.compile(r"([a-z0-9-]{3,57}) ([0-9]{1,6}) (once|follow)\n", re.ASCII)
PATIENCE: Final = 10.0  # seconds for somebody to say what they want


def read_log(path: Path, lines: int, *, follow: bool, gone: Callable[[], bool]) -> Iterator[bytes]:
    """Yield the last lines of a log, and then what is added to it.

    Args:
        path: the file; virtlogd puts it aside when it is large, and begins another.
        lines: how many.
        follow: go on until `gone` says that nobody listens.
        gone: asked before each wait.
    """
    if path.is_file():
        with path.open("rb") as file:
            yield b"".join(deque(file, lines))
            place, inode = file.tell(), os.fstat(file.fileno()).st_ino
    else:
        place, inode = 0, 0
    while follow and not gone():
        time.sleep(BEAT)
        if not path.is_file():
            continue
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_ino != inode:
                place, inode = 0, os.fstat(file.fileno()).st_ino
            file.seek(place)
            more = file.read(PIECE)
            place = file.tell()
        if more:
            yield more


def whole_log(path: Path, since: float = 0.0) -> str:
    """Return a log with the one that virtlogd put aside last; "" where nothing was said.

    Args:
        path: the file.
        since: seconds since the epoch; a log that was not written since then says nothing.
    """
    if not path.is_file() or path.stat().st_mtime < since:
        return ""
    before = path.with_name(f"{path.name}.0")
    pieces = [file.read_bytes() for file in (before, path) if file.is_file()]
    return b"".join(pieces).decode(errors="replace")


def ask_service(name: str, lines: int, *, follow: bool) -> Iterator[bytes]:
    """Yield a log as the service reads it for us.

    Raises:
        MissingError: there is no such service, or we may not ask it.
        HostError: it broke off.
    """
    with socket.socket(socket.AF_UNIX) as asked:
        try:
            asked.connect(SOCKET)
            asked.sendall(f"{name} {lines} {'follow' if follow else 'once'}\n".encode())
            while said := asked.recv(PIECE):
                yield said
        except (FileNotFoundError, ConnectionRefusedError, PermissionError) as error:
            raise MissingError(
                "tenants cannot read console logs on this host",
                resolution="ask an admin",
                code=Code.LOG_NOT_FOUND,
            ) from error
        except OSError as error:
            raise HostError(f"the log's service broke off: {error.strerror}") from error


def serve(
    client: socket.socket, directory: Path, shared: Callable[[str, str], bool] = lambda *_: False
) -> None:
    """Answer one client: logs of machines that are theirs, and nothing for anything else.

    Args:
        client: connected.
        directory: where the logs are.
        shared: whether an account may read the log of another's machine; asked again before each
            wait for more.
    """
    client.settimeout(PATIENCE)
    request = REQUEST.fullmatch(_first_line(client))
    account = name_of(uid_of(client))
    if request is None:
        return

    def may() -> bool:
        return _owns(account, request[1]) or _may(shared, account, request[1])

    if not may():
        return
    lines = min(int(request[2]), MOST_LINES)
    path, follow = directory / f"{request[1]}.log", request[3] == "follow"
    for piece in read_log(path, lines, follow=follow, gone=lambda: _gone(client) or not may()):
        client.sendall(piece)


def _first_line(client: socket.socket) -> str:
    said = b""
    while not said.endswith(b"\n") and len(said) < 100 and (more := client.recv(100)):
        said += more
    return said.decode(errors="replace")


def _owns(account: str, name: str) -> bool:
    tenant, _, machine = name.partition("-")
    fits = len(machine) <= MACHINE_LENGTH and MACHINE.fullmatch(machine) is not None
    return fits and TENANT.fullmatch(account) is not None and tenant == account


def _may(shared: Callable[[str, str], bool], account: str, name: str) -> bool:
    machine = split_domain(name)
    fits = machine is not None and len(machine.machine) <= MACHINE_LENGTH
    return fits and TENANT.fullmatch(account) is not None and shared(account, name)


def _gone(client: socket.socket) -> bool:
    """Whether the client hung up: they have nothing more to say, so anything to read is the end."""
    ready, _, _ = select.select([client], [], [], 0)
    return bool(ready)
