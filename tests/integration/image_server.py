"""A server of images on loopback that can do wrong everything a server can."""

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PIECE = 64 << 10


@dataclass
class Page:
    """What is served under a path, and how.

    Args:
        body: the bytes.
        status: of the reply.
        cut_after: send so many bytes of the body of each of the first `cuts` replies, then hang up.
        cuts: how many replies.
        lie: added to the length that is announced.
        length: whether one is announced at all.
        chunked: whether the body is sent in chunks (RFC 9112 7.1).
        ranges: whether Range is heeded.
        etag: of the body, unless it is empty.
        shift: added to where a range is said to begin.
        location: where a redirect leads.
        pause: seconds before each piece.
        headers: further ones.
    """

    body: bytes = b""
    status: int = 200
    cut_after: int = 0
    cuts: int = 0
    lie: int = 0
    length: bool = True
    chunked: bool = False
    ranges: bool = True
    etag: str | None = None
    shift: int = 0
    location: str = ""
    pause: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def tag(self) -> str:
        made = f'"{hashlib.sha256(self.body).hexdigest()[:16]}"'
        return made if self.etag is None else self.etag


@dataclass
class Request:
    """What somebody asked.

    Args:
        path: with its query.
        headers: as sent, by lower-case names.
        sent: bytes of body that went out.
    """

    path: str
    headers: dict[str, str]
    sent: int = 0


class ImageServer:
    """Pages by path; what was asked is kept."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[Request] = []
        self.url = ""

    def of(self, path: str) -> list[Request]:
        """Requests for a path."""
        return [request for request in self.asked if request.path.partition("?")[0] == path]

    def page(self, request: Request) -> Page | None:
        """What to answer; others make it of the request."""
        return self.pages.get(request.path.partition("?")[0])


@contextmanager
def serving(server: ImageServer) -> Iterator[ImageServer]:
    """Let a server listen on a port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            request = Request(self.path, {k.lower(): v for k, v in self.headers.items()})
            server.asked.append(request)
            page = server.page(request)
            with suppress(BrokenPipeError, ConnectionResetError):
                _answer(self, request, page or Page(b"<html>no such page</html>", 404))

        def log_message(self, *_args: object) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    server.url = f"http://127.0.0.1:{listener.server_address[1]}"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


def _answer(handler: BaseHTTPRequestHandler, request: Request, page: Page) -> None:
    heard = request.headers
    if page.tag and heard.get("if-none-match") == page.tag:
        handler.send_response(304)
        handler.end_headers()
        return
    start = _start(heard, page)
    if start and start >= len(page.body):
        handler.send_response(416)
        handler.send_header("Content-Range", f"bytes */{len(page.body)}")
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return
    _send_head(handler, page, start)
    _send_body(handler, request, page, page.body[start:])


def _start(heard: dict[str, str], page: Page) -> int:
    wanted = heard.get("range", "")
    same = heard.get("if-range", page.tag) == page.tag
    if page.ranges and same and wanted.startswith("bytes="):
        return int(wanted.removeprefix("bytes=").rstrip("-"))
    return 0


def _send_head(handler: BaseHTTPRequestHandler, page: Page, start: int) -> None:
    handler.send_response(206 if start else page.status)
    if start:
        first, last = start + page.shift, len(page.body) - 1
        handler.send_header("Content-Range", f"bytes {first}-{last}/{len(page.body)}")
    if page.location:
        handler.send_header("Location", page.location)
    if page.tag:
        handler.send_header("ETag", page.tag)
    for name, value in page.headers.items():
        handler.send_header(name, value)
    if page.chunked:
        handler.send_header("Transfer-Encoding", "chunked")
    elif page.length:
        handler.send_header("Content-Length", str(len(page.body) - start + page.lie))
    if page.lie or not page.length:
        handler.close_connection = True
    handler.end_headers()


def _send_body(handler: BaseHTTPRequestHandler, request: Request, page: Page, body: bytes) -> None:
    cuts, page.cuts = page.cuts, max(0, page.cuts - 1)
    most = page.cut_after if cuts else len(body)
    for at in range(0, min(most, len(body)), PIECE):
        piece = body[at : min(at + PIECE, most)]
        time.sleep(page.pause)
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if page.chunked else piece)
        request.sent += len(piece)
    if cuts:
        handler.close_connection = True
    elif page.chunked:
        handler.wfile.write(b"0\r\n\r\n")
    handler.wfile.flush()
