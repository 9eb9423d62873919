"""A TCP server that stands between raptorctl and named, and spoils things as a test asks."""

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Answer = Callable[[bytes], bytes | None]
"""Given a request, what to answer; None cuts the connection without a word."""

_SECONDS = 20
_UPDATE = 5
"""The opcode (RFC 2136 section 1.3)."""


class Relay(socketserver.ThreadingTCPServer):
    """Counts what passes through it."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.connections = 0
        self.updates = 0

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Handler(socketserver.BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        self.server.connections += 1
        self.request.settimeout(_SECONDS)
        while request := _receive(self.request):
            self.server.updates += is_update(request)
            answer = self.server.answer(request)
            if answer is None:
                return
            _send(self.request, answer)


@contextmanager
def relay(answer: Answer) -> Iterator[Relay]:
    with Relay(answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(_SECONDS)


def is_update(request: bytes) -> bool:
    return request[2] >> 3 & 0xF == _UPDATE


def forward(port: int, request: bytes) -> bytes:
    """Ask the real server."""
    with socket.create_connection(("127.0.0.1", port), _SECONDS) as upstream:
        _send(upstream, request)
        return _receive(upstream)


def _send(to: socket.socket, message: bytes) -> None:
    to.sendall(len(message).to_bytes(2, "big") + message)


def _receive(source: socket.socket) -> bytes:
    size = int.from_bytes(_exactly(source, 2), "big")
    return _exactly(source, size)


def _exactly(source: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = source.recv(size - len(data))
        if not piece:
            return b""
        data += piece
    return data
