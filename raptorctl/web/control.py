"""How the command line speaks with a server that runs: a line of JSON each way, on a Unix socket.

Only the account that the server runs as gets to the socket, by its mode and by SO_PEERCRED.
"""

import asyncio
import json
import os
import socket
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from raptorctl.api.caller import ACCOUNT
from raptorctl.errors import HostError, InputError, MissingError
from raptorctl.host.system.peer import read_line
from raptorctl.model.error_code import Code
from raptorctl.web.door import Door

LONGEST: Final = 4096
"""Bytes of a question."""
LONGEST_ANSWER: Final = 1 << 17
SECONDS: Final = 10.0
"""That a question or an answer may take."""
CREDENTIALS: Final = struct.Struct("3i")
"""pid, uid, gid (unix(7), SO_PEERCRED)."""


class Control:
    """Answers the command line.

    Args:
        door: whose links and visits are asked about.
        address: makes a link of its secret part.
    """

    def __init__(self, door: Door, address: Callable[[str], str]) -> None:
        self._door, self._address = door, address

    def link(self, who: str) -> str:
        """Make a link for an account."""
        return self._address(self._door.link(who))

    def close(self) -> None:
        """End all visits: what is open for them would keep the server from ending."""
        self._door.end(lambda _: True)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one question, and hang up."""
        try:
            async with asyncio.timeout(SECONDS):
                if _uid(writer.get_extra_info("socket")) in {0, os.geteuid()}:
                    said = self._answer(json.loads(await reader.readline()))
                    writer.write(json.dumps(said).encode() + b"\n")
                    await writer.drain()
        except (TimeoutError, ValueError, OSError):
            pass  # who asks so is not our command line
        finally:
            writer.close()

    def _answer(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        match asked:
            case {"do": "link", "who": str(who)} if ACCOUNT.fullmatch(who):
                return {"link": self.link(who)}
            case {"do": "sessions"}:
                return {"sessions": [visit.encode() for visit in self._door.visits]}
            case {"do": "logout", "which": str(which)} if which:
                return {"ended": self._door.end(lambda visit: which in {visit.id, visit.who})}
            case {"do": "logout-all"}:
                return {"ended": self._door.end(lambda _: True)}
        raise ValueError("no such question")


def _uid(connected: socket.socket) -> int:
    said = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    return int(CREDENTIALS.unpack(said)[1])


async def attend(bound: socket.socket, control: Control) -> asyncio.Server:
    """Answer whoever comes to a socket; whoever made it removes it."""
    return await asyncio.start_server(control.answer, sock=bound, limit=LONGEST)


async def listen(path: Path, control: Control) -> asyncio.Server:
    """Listen for the command line of this account alone.

    Raises:
        HostError: the socket cannot be made there.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            path.unlink()  # of a server that was killed: one that runs has been asked before
        bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            bound.bind(str(path))
        finally:
            os.umask(before)
        return await attend(bound, control)
    except OSError as error:
        raise HostError(f"cannot listen at {path}: {error.strerror or error}") from error


def ask(path: Path, question: Mapping[str, str], seconds: float = SECONDS) -> dict[str, Any] | None:
    """Ask a server that runs; None where none does.

    Args:
        path: of its socket.
        question: see `Control`.
        seconds: that it may take, however slowly it answers.

    Raises:
        HostError: it does not answer.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
            server.settimeout(seconds)
            server.connect(str(path))
            server.sendall(json.dumps(question).encode() + b"\n")
            return _object(read_line(server, LONGEST_ANSWER, seconds))
    except (FileNotFoundError, ConnectionRefusedError):
        return None
    except (OSError, ValueError, RecursionError, InputError) as error:
        raise HostError(
            f"the page's server at {path} does not answer",
            resolution="end it, and start it again with `raptorctl web`",
        ) from error


def _object(line: bytes) -> dict[str, Any]:
    said = json.loads(line)
    if not isinstance(said, dict):
        raise ValueError(said)  # noqa: TRY004 - JSON of another kind, as JSON that is none
    return said


def asked(path: Path, question: Mapping[str, str]) -> dict[str, Any]:
    """Ask a server that has to run; see `ask`.

    Raises:
        MissingError: none runs.
    """
    said = ask(path, question)
    if said is None:
        raise MissingError(
            "the page is not open", resolution="`raptorctl web` opens it", code=Code.WEB_NOT_OPEN
        )
    return said
