"""WebSockets: what a page tells by itself, and a machine's console. Each asks who is there."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.websockets import WebSocket, WebSocketDisconnect

from raptorctl.api import console as consoles
from raptorctl.api import log as logs
from raptorctl.api import screen as screens
from raptorctl.api.session import Session
from raptorctl.drivers.domain import ConsoleStream
from raptorctl.errors import RaptorError
from raptorctl.model.error_code import Code
from raptorctl.model.names import MachineName
from raptorctl.model.text import harmless
from raptorctl.web.door import Visit
from raptorctl.web.lookout import Glimpse
from raptorctl.web.pages import host_values, machine_values
from raptorctl.web.paint import part
from raptorctl.web.site import Site, machine_named

OUTSIDE: Final = 4401
"""Close codes of ours (RFC 6455, 7.4.2): the page's login is not there (any more); its machine is
not there; taken; off; it ended."""
ABSENT, TAKEN, OFF, ENDED, REFUSED = 4404, 4409, 4410, 4411, 4403
MOST_UNSENT: Final = 1 << 20
"""Bytes that a console has said and a slow reader has not taken; then some are left out."""
MOST_REASON: Final = 123
"""Bytes of why a socket is closed (RFC 6455, 5.5)."""
MOST_TYPED: Final = 64 * 1024
"""Bytes of one message of what is typed or pasted."""
TAIL_LINES: Final = 200
MOST_SOCKETS: Final = 250
"""Of one visit; a browser opens 255 (Chromium) at most."""

Paint = Callable[[Glimpse], str]


async def live_host(socket: WebSocket) -> None:
    """Tell the host's page what has changed."""
    site: Site = socket.app.state.site

    def paint(visit: Visit, seen: Glimpse) -> str:
        return part(site, visit, "host_part.html", **host_values(site, seen))

    await inside(socket, lambda visit: _live(socket, lambda seen: paint(visit, seen)))


async def live_machine(socket: WebSocket) -> None:
    """Tell a machine's page what has changed."""
    site: Site = socket.app.state.site

    async def serve(visit: Visit) -> None:
        name = machine_named(socket)
        shows = await run_in_threadpool(lambda: screens.is_shown(site.session, name))

        def paint(seen: Glimpse) -> str:
            found = seen.machine(name)
            values = machine_values(site, name, found.state if found else "gone", screen=shows)
            return part(site, visit, "machine_part.html", **values)

        await _live(socket, paint)

    await inside(socket, serve)


async def live_work(socket: WebSocket) -> None:
    """Tell how far something is that was asked for."""
    site: Site = socket.app.state.site
    found = site.works.find(str(socket.path_params["work"]))

    async def serve(visit: Visit) -> None:
        if found is None:
            await socket.close(ABSENT)
            return
        await _live(socket, lambda _: part(site, visit, "work_part.html", work=found))

    await inside(socket, serve)


async def _live(socket: WebSocket, paint: Paint) -> None:
    site: Site = socket.app.state.site
    with site.lookout.watching() as changed:
        sent = ""
        while True:
            changed.clear()
            said = paint(await site.lookout.now())
            if said != sent:
                await socket.send_text(said)
                sent = said
            await changed.wait()


async def console(socket: WebSocket) -> None:
    """Carry a console."""
    site: Site = socket.app.state.site
    force = socket.query_params.get("take") == "1"

    async def serve(visit: Visit) -> None:
        name = machine_named(socket)
        ears, held = Listener(asyncio.get_running_loop()), list[ConsoleStream]()

        def attach() -> None:
            held.append(consoles.opened(site.session, name, ears, force=force))

        try:
            if "tail" in socket.query_params:
                await socket.send_bytes(await run_in_threadpool(lambda: _tail(site.session, name)))
            await run_in_threadpool(attach)
            await either(_said(socket, ears), _typed(socket, visit, held[0]))
        finally:  # it may have come to be while we were told to end
            for stream in held:
                await asyncio.shield(run_in_threadpool(stream.close))
        await goodbye(socket, site, name)

    await inside(socket, serve, hears=True)


def _tail(session: Session, name: MachineName) -> bytes:
    """What a console said before, made harmless: a terminal that shows nothing says nothing."""
    said = b""
    with suppress(RaptorError):
        said = b"".join(logs.console(session, name, TAIL_LINES))
    return harmless(said.decode(errors="replace")).replace("\n", "\r\n").encode()


async def goodbye(socket: WebSocket, site: Site, name: MachineName) -> None:
    """Say why a console ended: its machine went off, or somebody else has it now."""
    runs = False
    with suppress(RaptorError):
        runs = await run_in_threadpool(lambda: consoles.runs(site.session, name))
    with suppress(RuntimeError, WebSocketDisconnect):  # the reader has gone away
        await socket.close(ENDED if runs else OFF)


async def _refused(socket: WebSocket, error: RaptorError) -> None:
    """Close a socket, and say why."""
    why = error.brief.encode()[:MOST_REASON].decode(errors="ignore")
    with suppress(RuntimeError, WebSocketDisconnect):  # the reader has gone away
        await socket.close(_code_of(error), why)


def _code_of(error: RaptorError) -> int:
    known = {
        Code.CONSOLE_TAKEN: TAKEN,
        Code.MACHINE_OFF: OFF,
        Code.MACHINE_NOT_FOUND: ABSENT,
    }
    return known.get(error.code, REFUSED)


class Listener:
    """What a console said and nobody has taken yet; implements `raptorctl.drivers.domain.Ears`.

    A reader that is slow waits for nobody and keeps nobody waiting: beyond `MOST_UNSENT` the
    oldest is left out.

    Args:
        loop: that of the reader.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._unsent = bytearray()
        self._news = asyncio.Event()
        self.over = False

    def heard(self, data: bytes) -> None:
        """See `Ears`."""
        self._soon(lambda: self._add(data))

    def ended(self) -> None:
        """See `Ears`."""
        self._soon(self._end)

    async def take(self) -> bytes:
        """Wait for something, and return all of it; nothing once it has ended."""
        await self._news.wait()
        taken = bytes(self._unsent)
        self._unsent.clear()
        if not self.over:
            self._news.clear()
        return taken

    def _soon(self, act: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the server has ended, and with it the loop
            self._loop.call_soon_threadsafe(act)

    def _add(self, data: bytes) -> None:
        self._unsent += data
        if len(self._unsent) > MOST_UNSENT:
            del self._unsent[: -MOST_UNSENT // 2]
        self._news.set()

    def _end(self) -> None:
        self.over = True
        self._news.set()


async def _said(socket: WebSocket, ears: Listener) -> None:
    while data := await ears.take():
        await socket.send_bytes(data)


async def _typed(socket: WebSocket, visit: Visit, stream: ConsoleStream) -> None:
    site: Site = socket.app.state.site
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        data = message.get("bytes") or (message.get("text") or "").encode()
        if len(data) > MOST_TYPED:
            return
        site.door.used(visit)
        stream.send(data)


async def inside(
    socket: WebSocket, serve: Callable[[Visit], Coroutine[Any, Any, None]], *, hears: bool = False
) -> None:
    """Serve a socket as long as its login lasts and its reader is there; else say why not.

    Args:
        socket: just asked for.
        serve: does what it is for.
        hears: whether that reads what is said, and so notices when the reader goes away.
    """
    site: Site = socket.app.state.site
    visit = site.visit(socket)
    if visit is None:  # nothing is opened that strangers could hold; the page asks why (login.js)
        await socket.close()
        return
    await socket.accept()
    if socket.query_params.get("login", visit.id) != visit.id:  # a tab of another login's
        await socket.close(OUTSIDE)
        return
    if visit.sockets >= MOST_SOCKETS:
        await socket.close(REFUSED, "too many at a time")
        return
    visit.sockets += 1
    try:
        with suppress(WebSocketDisconnect):
            leaves = () if hears else (_gone(socket),)
            await either(serve(visit), visit.over.wait(), *leaves)
        if visit.over.is_set():
            with suppress(RuntimeError, WebSocketDisconnect):
                await socket.close(OUTSIDE)
    except HTTPException:
        await socket.close(ABSENT)
    except RaptorError as error:
        await _refused(socket, error)
    finally:
        visit.sockets -= 1


async def _gone(socket: WebSocket) -> None:
    """Wait until the reader goes away; what they say is not for us."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def either(*acts: Coroutine[Any, Any, Any]) -> None:
    """Do all at the same time, until the first one ends; what it raised is raised."""
    tasks = [asyncio.ensure_future(act) for act in acts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
