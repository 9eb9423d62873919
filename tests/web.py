"""A page's server in a thread of the test, on a host in memory; and plain HTTP to it."""

import asyncio
import http.client
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode, urlsplit

import uvicorn.server
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from raptorctl.api.caller import Caller
from raptorctl.web import serve
from raptorctl.web.control import ask
from tests.fakes import World
from tests.unit.api.session import InMemory


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str


@dataclass
class Browser:
    """As much of one as a test needs: a cookie, and forms."""

    port: int
    cookie: str = ""
    csrf: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str | None
    ) -> Answer:
        said: dict[str, str | None] = {
            "Host": f"127.0.0.1:{self.port}",
            "Cookie": self.cookie or None,
            **({"Origin": f"http://127.0.0.1:{self.port}"} if method == "POST" else {}),
            **self.headers,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        line = self.connection()
        try:
            line.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in said.items():
                if value is not None:
                    line.putheader(name, value)
            if body is not None:
                line.putheader("Content-Length", str(len(body)))
            line.endheaders(body)
            answer = line.getresponse()
            told = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(answer.status, told, answer.read().decode())
        finally:
            line.close()

    def get(self, path: str, **headers: str | None) -> Answer:
        return self.ask("GET", path, None, **headers)

    def post(self, path: str, fields: Mapping[str, str] = {}, **headers: str | None) -> Answer:
        body = urlencode({"csrf": self.csrf, **fields}).encode()
        return self.ask("POST", path, body, **headers)

    def enter(self, link: str) -> Answer:
        """Follow a link that logs in."""
        answer = self.get(urlsplit(link).path)
        if "set-cookie" in answer.headers:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
            self.csrf = self.get("/").text.partition('name="csrf" value="')[2].partition('"')[0]
        return answer


@dataclass
class Served:
    """A server that runs."""

    port: int
    server: serve.Server
    socket: Path

    def link(self, who: str = "carol") -> str:
        said = ask(self.socket, {"do": "link", "who": who})
        assert said is not None
        return str(said["link"])

    def browser(self, who: str = "carol") -> Browser:
        """One that is logged in."""
        made = Browser(self.port)
        assert made.enter(self.link(who)).status == 200
        return made


class Hurried:
    """asyncio, for uvicorn: it sleeps a tenth of a second twice before it ends, and tests end often."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 20)


@contextmanager
def served(world: World, folder: Path, caller: Caller | None = None) -> Iterator[Served]:
    """Serve a host in memory."""

    def make(who: str) -> InMemory:
        by = caller or Caller(who or "carol", root=True)
        session = InMemory(caller=by)
        session.put(world, folder)
        return session

    listening = serve.bound(0)
    port = listening.getsockname()[1]
    session = make("")
    path = folder / "web.sock"
    ready = threading.Event()
    server = serve.server(session, make, port, lambda _: ready.set())
    server.path = path
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    with patch.object(uvicorn.server, "asyncio", Hurried()):
        thread.start()
        try:
            assert ready.wait(60)
            yield Served(port, server, path)
        finally:
            server.should_exit = True
            thread.join(60)
            listening.close()
    assert not thread.is_alive()


def socket_of(
    browser: Browser, path: str, origin: str | None = None, **more: Any
) -> ClientConnection:
    """Open a WebSocket as a page of the browser would, or as another page."""
    line: ClientConnection = connect(
        f"ws://127.0.0.1:{browser.port}{path}",
        origin=Origin(origin or f"http://127.0.0.1:{browser.port}"),
        additional_headers={"Cookie": browser.cookie},
        compression=None,
        **more,
    ).__enter__()
    return line


def closed(line: ClientConnection) -> int:
    """Read a WebSocket to its end, and return the code that it was closed with."""
    try:
        while True:
            line.recv(timeout=60)
    except ConnectionClosed as end:
        return end.rcvd.code if end.rcvd else 1006
