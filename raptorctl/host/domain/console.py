"""A machine's console, by libvirt's stream: no virsh, and no lock file where anybody can write.

libvirt carries bytes only: the window's size does not travel (virDomainOpenConsole). Its events,
and all that is done with a stream, have one thread: a loop of its own for each stream is not what
libvirt is made for (virEventRunDefaultImpl).
"""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any, Final

import libvirt

from raptorctl.drivers.domain import Ears
from raptorctl.errors import HostError, RefusedError
from raptorctl.host.domain.hypervisor import Hypervisor
from raptorctl.model.error_code import Code

PIECE: Final = 65536
BEAT: Final = 0.25  # seconds between two looks at whether there is a console
PATIENCE: Final = 30.0  # seconds that QEMU has to make the console of a machine that starts
READABLE: Final = libvirt.VIR_STREAM_EVENT_READABLE
WRITABLE: Final = libvirt.VIR_STREAM_EVENT_WRITABLE
OVER: Final = libvirt.VIR_STREAM_EVENT_ERROR | libvirt.VIR_STREAM_EVENT_HANGUP


class LibvirtConsoles(Hypervisor):
    """Consoles of one libvirt; implements `raptorctl.drivers.domain.Consoles`."""

    def open(
        self, uuid: str, ears: Ears, *, force: bool, tick: Callable[[], None]
    ) -> "LibvirtStream":
        """Connect with a console; see `raptorctl.drivers.domain.Consoles`.

        Raises:
            HostError: somebody else has it, or libvirt says no.
            RefusedError: it is off.
            MissingError: libvirt does not answer.
        """
        # Before the connection is opened, or its events are nobody's.
        loop = _loop()
        with self._calling("open the console") as connection:
            return LibvirtStream(_opened(connection, uuid, tick, force=force), ears, loop)

    def screen(self, uuid: str) -> socket.socket:
        """Connect with a screen; see `raptorctl.drivers.domain.Consoles`.

        Of a pair of sockets QEMU gets the other end (virDomainOpenGraphicsFD): there is no path
        that anybody could find, and libvirt has asked already who we are.
        """
        with self._calling("open the screen") as connection:
            domain = connection.lookupByUUIDString(uuid)
            flag = libvirt.VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH
            return socket.socket(fileno=domain.openGraphicsFD(0, flag))


def _opened(connection: Any, uuid: str, tick: Callable[[], None], *, force: bool) -> Any:
    domain = connection.lookupByUUIDString(uuid)
    flag = libvirt.VIR_DOMAIN_CONSOLE_FORCE if force else libvirt.VIR_DOMAIN_CONSOLE_SAFE
    end = time.monotonic() + PATIENCE
    while True:
        stream = connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
        try:
            domain.openConsole(None, stream, flag)
        except libvirt.libvirtError as error:
            _refuse(error, last=time.monotonic() > end)
        else:
            return stream
        tick()
        time.sleep(BEAT)


def _refuse(error: Any, *, last: bool) -> None:
    """Libvirt has no codes of their own for these (qemuDomainOpenConsole)."""
    said = error.get_error_message() or ""
    if "Active console session" in said:
        raise HostError(
            "that console is in use", resolution="add --force", code=Code.CONSOLE_TAKEN
        ) from error
    if "domain is not running" in said:  # it went off since its state was asked
        raise RefusedError("that machine is off", code=Code.MACHINE_OFF) from error
    # A machine that has just been started is active before QEMU has said where its console is.
    if last or "not yet assigned" not in said:
        raise error


class LibvirtStream:
    """One connection with a console; implements `raptorctl.drivers.domain.ConsoleStream`.

    Args:
        stream: libvirt's, not blocking.
        ears: whom it tells.
        loop: the thread that everything is done in.
    """

    def __init__(self, stream: Any, ears: Ears, loop: threading.Thread) -> None:
        self._stream, self._ears, self._loop = stream, ears, loop
        self._typed = b""
        self._over = False
        self._closed = threading.Event()
        stream.eventAddCallback(READABLE, self._moved, None)

    def send(self, data: bytes) -> None:
        """See `ConsoleStream`."""
        self._soon(lambda: self._type(data))

    def close(self) -> None:
        """See `ConsoleStream`."""
        self._soon(self._close)
        if threading.current_thread() is not self._loop:
            self._closed.wait()

    def _soon(self, act: Callable[[], None]) -> None:
        """Do something in the loop's thread, in order; what leaves a callback is printed there."""

        def due(timer: int, _opaque: object) -> None:
            libvirt.virEventRemoveTimeout(timer)
            act()

        libvirt.virEventAddTimeout(0, due, None)

    def _type(self, data: bytes) -> None:
        self._typed += data
        self._carry(self._send)

    def _close(self) -> None:
        self._over = True
        if not self._closed.is_set():
            for end in (self._stream.eventRemoveCallback, self._stream.abort):
                with suppress(libvirt.libvirtError):  # it has ended by itself
                    end()
        self._closed.set()

    def _moved(self, _stream: Any, events: int, _opaque: object) -> None:
        if events & READABLE:
            self._carry(self._show)
        if events & WRITABLE:
            self._carry(self._send)
        if events & OVER:
            self._end()

    def _carry(self, move: Callable[[], None]) -> None:
        if self._over:
            return
        try:
            move()
        except libvirt.libvirtError:
            self._end()

    def _end(self) -> None:
        if not self._over:
            self._over = True
            self._ears.ended()

    def _show(self) -> None:
        said = self._stream.recv(PIECE)
        if said == -2:  # nothing there after all
            return
        if said:
            self._ears.heard(said)
        else:
            self._end()

    def _send(self) -> None:
        while self._typed:
            sent = self._stream.send(self._typed)
            if sent < 0:
                break
            self._typed = self._typed[sent:]
        self._stream.eventUpdateCallback(READABLE | (WRITABLE if self._typed else 0))


@cache
def _loop() -> threading.Thread:
    """Have libvirt's events served, by one thread for the whole process."""
    libvirt.virEventRegisterDefaultImpl()
    loop = threading.Thread(target=_serve, name="libvirt events", daemon=True)
    loop.start()
    return loop


def _serve() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()
