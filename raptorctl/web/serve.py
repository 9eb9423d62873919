"""The server: uvicorn on loopback, with a patience of our own for who sends nothing."""

import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from raptorctl.api.session import Session
from raptorctl.errors import RefusedError
from raptorctl.model.error_code import Code
from raptorctl.web.app import build
from raptorctl.web.control import Control, listen
from raptorctl.web.site import Site

LOOPBACK: Final = "127.0.0.1"
PORT: Final = 8440
HEAD_SECONDS: Final = 10.0
"""That a request's head may take; uvicorn itself would wait forever."""
LARGEST_HEAD: Final = 16 * 1024
LARGEST_FRAME: Final = 64 * 1024
MOST_CONNECTIONS: Final = 800
END_SECONDS: Final = 5
"""That open requests have to end when the server does."""


class Impatient(H11Protocol):
    """Hangs up on who connects and does not ask, or asks slowly: whoever is slow holds no place."""

    def connection_made(self, transport: Any) -> None:
        """Begin to wait."""
        super().connection_made(transport)
        self._patience = self.loop.call_later(HEAD_SECONDS, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._patience.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Wait no more once a request is whole; the time between two of them is uvicorn's."""
        super().data_received(data)
        asked = bool(self.cycle)
        if asked or self.transport.get_protocol() is not self:  # a WebSocket has one of its own
            self._patience.cancel()


class Server(uvicorn.Server):
    """uvicorn, with the command line's socket beside it.

    Args:
        config: uvicorn's.
        path: of that socket.
        control: who answers there.
        ready: called once all of it listens.
    """

    def __init__(
        self, config: uvicorn.Config, path: Path, control: Control, ready: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self.path, self._control, self._ready = path, control, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen."""
        await super().startup(sockets)
        self._listening = await listen(self.path, self._control)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what is open for whoever is there, then all else."""
        self._control.close()
        self._listening.close()
        self.path.unlink(missing_ok=True)
        await super().shutdown(sockets)


def place(session: Session) -> Path:
    """Where the command line's socket is."""
    return (
        Path(session.places.runtime if session.on_session_host else "/run") / "raptorctl-web.sock"
    )


def bound(port: int | None) -> socket.socket:
    """Take a port of loopback; None for ours, or any that is free.

    Raises:
        RefusedError: it is taken.
    """
    for attempt in (PORT, 0) if port is None else (port,):
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((LOOPBACK, attempt))
        except OSError as error:
            made.close()
            if attempt != PORT or port is not None:
                raise RefusedError(
                    f"port {attempt} of {LOOPBACK} is not to be had: {error.strerror}",
                    resolution="choose another with --port",
                    code=Code.IN_USE,
                    subject=str(attempt),
                ) from error
        else:
            return made
    raise AssertionError("a free port was asked for")


def server(
    session: Session,
    make: Callable[[str], Session],
    port: int,
    says: Callable[[str], None] = lambda _: None,
) -> Server:
    """Make the page's server.

    Args:
        session: of whoever opens it; they get the first link.
        make: opens a session for an account; "" for the account itself.
        port: of loopback.
        says: told the link, once it can be followed.
    """
    site = Site(make, cookie=f"raptorctl-{port}")
    control = Control(site.door, lambda token: f"http://{LOOPBACK}:{port}/enter/{token}")
    config = uvicorn.Config(
        build(site),
        http=Impatient,
        ws="auto",
        ws_max_size=LARGEST_FRAME,
        ws_max_queue=8,
        ws_per_message_deflate=False,
        h11_max_incomplete_event_size=LARGEST_HEAD,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=END_SECONDS,
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
    )
    return Server(config, place(session), control, lambda: says(control.link(session.caller.name)))


def serve(
    session: Session,
    make: Callable[[str], Session],
    listening: socket.socket,
    says: Callable[[str], None],
) -> None:
    """Serve the page until a signal ends it; see `server`.

    Args:
        session: of whoever opens it.
        make: opens a session for an account.
        listening: a port of loopback.
        says: told the link.
    """
    _log(session.log_directory)
    server(session, make, listening.getsockname()[1], says).run([listening])


def _log(folder: Path) -> None:
    """Have what nobody foresaw told in a file, and not on a terminal."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / "web.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.close(descriptor)
    handler = logging.FileHandler(folder / "web.log", delay=True)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name in ("uvicorn", "uvicorn.error", "asyncio"):
        logging.getLogger(name).addHandler(handler)
        logging.getLogger(name).propagate = False
