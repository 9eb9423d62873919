"""The server: uvicorn on loopback, with a patience of our own for who sends nothing."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.auto import AutoWebSocketsProtocol

from raptorctl.api.session import Session
from raptorctl.errors import RefusedError
from raptorctl.host.system.loopback import owner
from raptorctl.model.error_code import Code
from raptorctl.web.app import build
from raptorctl.web.control import Control, listen
from raptorctl.web.edge import App
from raptorctl.web.site import Site

LOOPBACK: Final = "127.0.0.1"
PORT: Final = 8440
PATIENCE_SECONDS: Final = 10.0
"""That a connection may take to ask something, and to take an answer; uvicorn waits forever."""
LARGEST_HEAD: Final = 16 * 1024
LARGEST_FRAME: Final = 64 * 1024
MOST_CONNECTIONS: Final = 600
"""More are hung up on: the server's jobs need files of their own, of 1024 (RLIMIT_NOFILE)."""
MOST_OF_OTHERS: Final = 200
"""Of these, connections of accounts that the page is not for: they cannot hold all of them."""
BACKLOG: Final = 64
"""That wait to be accepted, which asyncio does all at once (listen(2))."""
END_SECONDS: Final = 5
"""That open requests have to end when the server does."""


class Impatient(H11Protocol):
    """Hangs up on who is slow to ask, or to take the answer: whoever is slow holds no place."""

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait, unless there are too many already."""
        super().connection_made(transport)
        self._wait()
        self.is_ours = _is_ours(transport.get_extra_info("peername"))
        others = sum(not getattr(one, "is_ours", True) for one in self.connections)
        if len(self.connections) > MOST_CONNECTIONS or (
            not self.is_ours and others > MOST_OF_OTHERS
        ):
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Wait no more once a head is whole: what it asks for has a patience of its own."""
        super().data_received(data)
        if self._answers or self.transport.get_protocol() is not self:  # a WebSocket has its own
            self._wait_no_more()

    def on_response_complete(self) -> None:
        """Wait for the next request, and for this answer to be taken."""
        super().on_response_complete()
        if not self._answers:
            self._wait()

    def pause_writing(self) -> None:
        """Wait for what was said to be taken."""
        super().pause_writing()
        self._wait()

    def resume_writing(self) -> None:
        """Wait no more if there is more to say."""
        super().resume_writing()
        if self._answers:
            self._wait_no_more()

    @property
    def _answers(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self) -> None:
        self._wait_no_more()
        # Not close(), which waits until what was sent has been taken.
        self._patience = self.loop.call_later(PATIENCE_SECONDS, self.transport.abort)

    def _wait_no_more(self) -> None:
        if self._patience:
            self._patience.cancel()


class Unheld(asyncio.Protocol):
    """Hangs up on who takes nothing of what a WebSocket says, in front of a protocol of uvicorn's.

    Those end a connection by close(), which waits until what was sent has been taken.
    """

    _look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Have each byte told that has to wait, also of the answers before it."""
        super().connection_made(transport)
        self._way: asyncio.WriteTransport = transport
        self._way.set_write_buffer_limits(0)
        if self._way.get_write_buffer_size():
            self.pause_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        self._look_no_more()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Begin to look whether it is taken."""
        super().pause_writing()
        self._look_later()

    def resume_writing(self) -> None:
        """All of it was taken."""
        self._look_no_more()
        super().resume_writing()

    def _look_later(self) -> None:
        self._left = self._way.get_write_buffer_size()
        loop = asyncio.get_running_loop()
        self._look = loop.call_later(PATIENCE_SECONDS, self._hang_up_or_wait)

    def _hang_up_or_wait(self) -> None:
        if self._way.get_write_buffer_size() < self._left:  # slow, but there
            self._look_later()
        else:
            self._way.abort()

    def _look_no_more(self) -> None:
        if self._look:
            self._look.cancel()


class ImpatientSocket(Unheld, AutoWebSocketsProtocol):  # type: ignore[misc, valid-type]
    """What uvicorn takes for WebSockets, which its versions differ in, with our patience."""


def _is_ours(peer: tuple[str, int] | None) -> bool:
    """Whether a connection comes from root or from whoever opened the page, also through sshd.

    Behind a Unix socket, which only some may open, there is nobody else.
    """
    if not peer:
        return True
    return owner(peer) in {0, os.geteuid(), int(os.environ.get("SUDO_UID", "0") or 0)}


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
    """Where the command line's socket is.

    Each admin has a server of their own: it opens files, and logs in to registries, as whoever
    typed sudo (`raptorctl.host.system.caller`), and so as nobody else.
    """
    if session.on_session_host:
        return Path(session.places.runtime) / "raptorctl-web.sock"
    return Path("/run") / f"raptorctl-web-{session.caller.name}.sock"


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
            made.listen(BACKLOG)  # till then, another account could bind it as well (ip(7))
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


def configured(app: App) -> uvicorn.Config:
    """How a page is served, whatever leads to it."""
    return uvicorn.Config(
        app,
        http=Impatient,
        ws=ImpatientSocket,
        ws_max_size=LARGEST_FRAME,
        ws_max_queue=8,
        ws_per_message_deflate=False,
        h11_max_incomplete_event_size=LARGEST_HEAD,
        backlog=BACKLOG,
        timeout_graceful_shutdown=END_SECONDS,
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
    )


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
    config = configured(build(site))
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
    page = server(session, make, listening.getsockname()[1], says)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # not below nohup(1)
        signal.signal(signal.SIGHUP, page.handle_exit)  # the terminal is gone: end as by ^C
    page.run([listening])


def _log(folder: Path) -> None:
    """Have what nobody foresaw told in a file, and not on a terminal."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / "web.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.close(descriptor)
    handler = logging.FileHandler(folder / "web.log", delay=True)
    handler.setLevel(logging.ERROR)  # not what a request got wrong: anybody could fill the disk
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name in ("uvicorn", "uvicorn.error", "asyncio"):
        logging.getLogger(name).addHandler(handler)
        logging.getLogger(name).propagate = False
