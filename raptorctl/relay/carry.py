"""One connection, carried between a client and libvirtd until either hangs up."""

import array
import os
import select
import socket
from collections.abc import Collection
from contextlib import suppress
from threading import Thread
from typing import Final

from raptorctl.relay.gate import Gate

CHUNK: Final = 65536
BOUND: Final = 262144
"""Bytes that wait for one side before the other side is not read any more."""
DESCRIPTORS: Final = 32
"""VIR_NET_MESSAGE_NUM_FDS_MAX."""


def filtered(client: socket.socket, server: socket.socket, calls: Collection[int]) -> None:
    """Carry a tenant's connection: what the gate lets through.

    Args:
        client: the tenant's side.
        server: libvirtd's.
        calls: the numbers of those that may pass.

    Raises:
        FrameError: either side sent what is no message of libvirt's.
        OSError: either side hung up while something was on its way.
    """
    for side in (client, server):
        side.setblocking(False)
    Filtered(client, server, Gate(calls)).run()


class Filtered:
    """A tenant's connection."""

    def __init__(self, client: socket.socket, server: socket.socket, gate: Gate) -> None:
        self.client, self.server, self.gate = client, server, gate
        self.client_ended = self.server_ended = False

    def run(self) -> None:
        """Carry until libvirtd has hung up and the client has all of it, or the client is gone."""
        while not (self.server_ended and not self.gate.to_client):
            poller = select.poll()
            poller.register(self.client, self._wanted_of_client())
            if not self.server_ended:
                poller.register(self.server, self._wanted_of_server())
            happened = dict(poller.poll())
            if self._gone(happened.get(self.client.fileno(), 0)):
                return
            self._client(happened.get(self.client.fileno(), 0))
            self._server(happened.get(self.server.fileno(), 0))

    def _wanted_of_client(self) -> int:
        reads = not self.client_ended and not self.server_ended
        reads &= len(self.gate.to_server) < BOUND and self.gate.waiting < BOUND
        return select.POLLIN * reads | select.POLLOUT * bool(self.gate.to_client)

    def _wanted_of_server(self) -> int:
        reads = self.gate.waiting < BOUND
        return select.POLLIN * reads | select.POLLOUT * bool(self.gate.to_server)

    @staticmethod
    def _gone(happened: int) -> bool:
        """Both directions are closed, and nothing is left to be read."""
        return bool(happened & (select.POLLHUP | select.POLLERR)) and not happened & select.POLLIN

    def _client(self, happened: int) -> None:
        if happened & select.POLLOUT:
            _send(self.client, self.gate.to_client)
        if happened & select.POLLIN:
            if arrived := self.client.recv(CHUNK):
                self.gate.from_client(arrived)
            else:
                self.client_ended = True
        if self.client_ended and not self.gate.to_server and not self.server_ended:
            with suppress(OSError):  # libvirtd was faster
                self.server.shutdown(socket.SHUT_WR)

    def _server(self, happened: int) -> None:
        if happened & select.POLLOUT:
            _send(self.server, self.gate.to_server)
        if happened & (select.POLLIN | select.POLLHUP):
            if arrived := self.server.recv(CHUNK):
                self.gate.from_server(arrived)
            else:
                self.server_ended = True


def _send(side: socket.socket, waiting: bytearray) -> None:
    with suppress(BlockingIOError):
        del waiting[: side.send(waiting)]


def unfiltered(client: socket.socket, server: socket.socket) -> None:
    """Carry an admin's connection: all of it, descriptors too."""
    Thread(target=_pump, args=(client, server), daemon=True).start()
    _pump(server, client)


def _pump(source: socket.socket, target: socket.socket) -> None:
    room = socket.CMSG_SPACE(DESCRIPTORS * array.array("i").itemsize)
    with suppress(OSError):  # a side that hung up ends it
        while True:
            arrived, extra, _, _ = source.recvmsg(CHUNK, room)
            if not arrived:
                break
            _forward(target, arrived, extra)
        target.shutdown(socket.SHUT_WR)


def _forward(target: socket.socket, data: bytes, extra: list[tuple[int, int, bytes]]) -> None:
    sent = target.sendmsg([data], extra)
    for _, _, numbers in extra:
        for descriptor in array.array("i", numbers):
            os.close(descriptor)
    target.sendall(data[sent:])
