"""A machine's screen: its page, and VNC carried over a WebSocket as it comes."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.websockets import WebSocket

from raptorctl.api import screen as screens
from raptorctl.web.door import Visit
from raptorctl.web.site import Ask, Site, machine_named
from raptorctl.web.sockets import MOST_TYPED, either, goodbye, inside

if TYPE_CHECKING:
    from socket import socket as stream

PIECE: Final = 64 * 1024
"""Bytes that are read at once; a reader who is slow to take them has QEMU wait, and nobody else."""


async def screen(ask: Ask) -> Response:
    """A machine's screen."""
    name = ask.machine
    await ask.aside(lambda: screens.refuse_unshown(ask.session.machine(name), name))
    return ask.page("screen.html", name=name)


async def carried(socket: WebSocket) -> None:
    """Carry a screen."""
    site: Site = socket.app.state.site

    async def serve(visit: Visit) -> None:
        name = machine_named(socket)
        held: list[stream] = []
        try:
            await run_in_threadpool(lambda: held.append(screens.opened(site.session, name)))
            reader, writer = await asyncio.open_connection(sock=held[0], limit=PIECE)
            try:
                await either(_shown(socket, reader), _typed(socket, visit, writer))
            finally:  # else the loop watches its number on, which the next connection gets
                writer.transport.abort()
        finally:
            for one in held:
                one.close()
        await goodbye(socket, site, name)

    await inside(socket, serve, hears=True)


async def _shown(socket: WebSocket, reader: asyncio.StreamReader) -> None:
    while data := await reader.read(PIECE):
        await socket.send_bytes(data)


async def _typed(socket: WebSocket, visit: Visit, writer: asyncio.StreamWriter) -> None:
    site: Site = socket.app.state.site
    with suppress(ConnectionError):  # the machine went off: `goodbye` says so
        while True:
            message = await socket.receive()
            data = message.get("bytes") or b""
            if message["type"] == "websocket.disconnect" or len(data) > MOST_TYPED:
                return
            site.door.used(visit)
            writer.write(data)
            await writer.drain()
