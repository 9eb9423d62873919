"""Services of root's that know who asks: a Unix socket that systemd opened, and who is behind it.

The kernel says which account connected (unix(7), SO_PEERCRED); nothing that is said does. One line
of JSON is asked, bounded in size and time, and lines of JSON are answered. systemd starts a process
for each connection (systemd.socket(5), Accept=yes), with the socket as its standard input.
"""

import json
import os
import pwd
import select
import socket
import struct
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from raptorctl.errors import HostError, InputError, MissingError
from raptorctl.model.error_code import Code

PEER: Final = struct.Struct("3i")
"""struct ucred: pid, uid, gid (unix(7), SO_PEERCRED)."""
PATIENCE: Final = 10.0
"""Seconds for somebody to say what they want, and to take the last of what they are told."""
LAST: Final = 1.0
"""Seconds for what somebody still says who was refused before they had said it all."""
MOST_LEFT: Final = 1 << 20
"""Bytes of it."""
PIECE: Final = 65536
LONGEST_ANSWER: Final = 4 << 20
"""Bytes of one line that is answered."""


def standard_input() -> socket.socket:
    """Take the connection from standard input, which becomes empty: programs inherit that."""
    client = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return client


def uid_of(client: socket.socket) -> int:
    """Return the number of the account that connected."""
    return int(PEER.unpack(client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size))[1])


def name_of(uid: int) -> str:
    """Return the name of the account of that number, or ""."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


def read_line(client: socket.socket, longest: int, seconds: float = PATIENCE) -> bytes:
    """Read one line, without its end, and nothing after it.

    Args:
        client: connected.
        longest: bytes.
        seconds: for all of it, however slowly it comes.

    Raises:
        InputError: it is longer, does not end, or does not come.
    """
    said, until = b"", time.monotonic() + seconds
    while b"\n" not in said:
        left = until - time.monotonic()
        if left <= 0 or not _says(client, left):
            raise InputError(f"nothing was asked within {seconds:g} s")
        with suppress(ConnectionError):
            if more := client.recv(PIECE):
                said += more
                if len(said) > longest:
                    raise InputError(f"what was asked is longer than {longest} bytes")
                continue
        raise InputError("what was asked has no end")
    line, _, rest = said.partition(b"\n")
    if rest:
        raise InputError("more than one thing was asked")
    return line


def _says(client: socket.socket, seconds: float) -> bool:
    """Wait for something to be said; not by select(2), which has no number above 1023."""
    waits = select.poll()
    waits.register(client, select.POLLIN)
    return bool(waits.poll(seconds * 1000))


class Answers:
    """Lines of JSON to who asked. One who does not read them holds up nobody's job.

    Args:
        client: connected.
    """

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        self._left = b""
        self._is_heard = True
        client.setblocking(False)

    def tell(self, said: Mapping[str, Any]) -> None:
        """Send one line, if it can go out at once; nothing more is told of a job to the deaf."""
        if self._is_heard:
            self._left = _line(said)
            self._send()
            self._is_heard = not self._left

    def end(self, said: Mapping[str, Any]) -> None:
        """Send the last line; wait a while for it to be taken."""
        self._left += _line(said)
        until = time.monotonic() + PATIENCE
        while self._left and (left := until - time.monotonic()) > 0:
            if not select.select([], [self._client], [], left)[1] or not self._send():
                return
        self._hear_out()

    def _hear_out(self) -> None:
        """Read what they still say: closed on it, they would hear of a reset and not the answer."""
        with suppress(OSError):
            self._client.shutdown(socket.SHUT_WR)
            for _ in range(MOST_LEFT // PIECE):
                if not select.select([self._client], [], [], LAST)[0]:
                    return
                if not self._client.recv(PIECE):
                    return

    def _send(self) -> bool:
        """Send what goes; whether somebody is still there."""
        try:
            self._left = self._left[self._client.send(self._left) :]
        except BlockingIOError:
            return True
        except OSError:  # they hung up, which ends no job
            self._left, self._is_heard = b"", False
            return False
        return True


def ask(path: str, said: Mapping[str, Any], nobody: MissingError) -> Iterator[Mapping[str, Any]]:
    """Ask a service, and yield its answers as they come.

    Args:
        path: of its socket.
        said: what is asked.
        nobody: raised where there is no such service, or we may not ask it.

    Raises:
        MissingError: `nobody`.
        HostError: it broke off.
    """
    with socket.socket(socket.AF_UNIX) as asked:
        try:
            asked.connect(path)
        except (FileNotFoundError, ConnectionRefusedError, PermissionError) as error:
            raise nobody from error
        except OSError as error:
            raise _broken(error.strerror) from error
        with suppress(BrokenPipeError):  # it has refused before it heard all, and says why
            asked.sendall(_line(said))
            asked.shutdown(socket.SHUT_WR)
        with asked.makefile("rb") as answers:
            try:
                while line := answers.readline(LONGEST_ANSWER):
                    yield _read(line)
            except OSError as error:
                raise _broken(error.strerror) from error


def _line(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said).encode() + b"\n"


def _read(line: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(line)
    except ValueError as error:
        raise _broken("no answer that is understood") from error
    if not isinstance(said, dict):
        raise _broken("no answer that is understood")
    return said


def _broken(why: str | None) -> HostError:
    return HostError(f"raptorctl's service broke off: {why}", code=Code.HOST_FAILED)
