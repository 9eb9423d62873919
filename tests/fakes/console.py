"""Consoles in memory."""

import socket
from collections.abc import Callable

from raptorctl.drivers.domain import Ears


class FakeStream:
    """One connection: what is typed is said again, as a terminal's driver does."""

    def __init__(self, ears: Ears) -> None:
        self.ears = ears
        self.typed = b""
        self.closed = False

    def send(self, data: bytes) -> None:
        self.typed += data
        if data:
            self.ears.heard(data)

    def close(self) -> None:
        self.closed = True


class FakeConsoles:
    """Consoles that greet; the first `cut` of them end by themselves.

    `streams` are all there were, `screens` the guests' ends of all screens.
    """

    def __init__(self) -> None:
        self.cut = 0
        self.attached: list[tuple[str, bool]] = []
        self.streams: list[FakeStream] = []
        self.screens: list[socket.socket] = []

    def open(self, uuid: str, ears: Ears, *, force: bool, tick: Callable[[], None]) -> FakeStream:
        self.attached.append((uuid, force))
        tick()
        stream = FakeStream(ears)
        self.streams.append(stream)
        ears.heard(b"login: ")
        if len(self.attached) <= self.cut:
            ears.ended()
        return stream

    def screen(self, uuid: str) -> socket.socket:
        ours, guests = socket.socketpair()
        self.screens.append(guests)
        guests.sendall(b"RFB 003.008\n")
        return ours
