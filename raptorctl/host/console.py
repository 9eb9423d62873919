"""A machine's console, by libvirt's stream: no virsh, and no lock file where anybody can write.

libvirt carries bytes only: the window's size does not travel (virDomainOpenConsole).
"""

import os
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import libvirt

from raptorctl.errors import HostError
from raptorctl.host.hypervisor import Hypervisor
from raptorctl.model.error_code import Code

ESCAPE: Final = b"\x1d"
"""^], as telnet(1) and virsh(1) have it."""

PIECE: Final = 65536
BEAT: Final = 250  # milliseconds between two looks at whether somebody wants to stop
PATIENCE: Final = 30.0  # seconds that QEMU has to make the console of a machine that starts
QUIET: Final = 2.0  # seconds of silence after the end of what is typed, from a file or a pipe


class LibvirtConsoles(Hypervisor):
    """Consoles of one libvirt; implements `raptorctl.drivers.domain.Consoles`."""

    def attach(
        self, uuid: str, source: int, sink: int, *, force: bool, tick: Callable[[], None]
    ) -> bool:
        """Connect two descriptors with a console; see `raptorctl.drivers.domain.Consoles`.

        Raises:
            HostError: somebody else has it, or libvirt says no.
            MissingError: libvirt does not answer.
        """
        # Before the connection is opened, or its events are nobody's.
        libvirt.virEventRegisterDefaultImpl()
        with self._calling("open the console") as connection:
            stream = _opened(connection, uuid, tick, force=force)
            return _Attached(stream, source, sink).run(tick)


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
        time.sleep(BEAT / 1000)


def _refuse(error: Any, *, last: bool) -> None:
    """Libvirt has no codes of their own for these (qemuDomainOpenConsole)."""
    said = error.get_error_message() or ""
    if "Active console session" in said:
        raise HostError(
            "somebody has that console", resolution="add --force", code=Code.CONSOLE_TAKEN
        ) from error
    # A machine that has just been started is active before QEMU has said where its console is.
    if last or "not yet assigned" not in said:
        raise error


class _Attached:
    """One connection between descriptors and a console.

    Args:
        stream: libvirt's, not blocking.
        source: what is typed.
        sink: what is shown.
    """

    def __init__(self, stream: Any, source: int, sink: int) -> None:
        self._stream, self._source, self._sink = stream, source, sink
        self._typed = b""
        self._left: bool | None = None
        self._error: OSError | None = None
        self._quiet_until: float | None = None
        self._watch = libvirt.virEventAddHandle(
            source, libvirt.VIR_EVENT_HANDLE_READABLE, self._read_typed, None
        )
        self._timer = libvirt.virEventAddTimeout(BEAT, self._beat, None)

    def run(self, tick: Callable[[], None]) -> bool:
        """Carry bytes until one side ends; returns whether it was the owner.

        Raises:
            OSError: the descriptors cannot be read or written.
        """
        self._stream.eventAddCallback(libvirt.VIR_STREAM_EVENT_READABLE, self._moved, None)
        try:
            while self._left is None:
                libvirt.virEventRunDefaultImpl()
                tick()
            if self._error:
                raise self._error
            return self._left
        finally:
            self._close()

    def _close(self) -> None:
        libvirt.virEventRemoveTimeout(self._timer)
        self._forget_source()
        for end in (self._stream.eventRemoveCallback, self._stream.abort):
            with suppress(libvirt.libvirtError):  # it has ended by itself
                end()

    def _read_typed(self, _watch: int, _fd: int, _events: int, _opaque: object) -> None:
        with self._ending():
            self._type(os.read(self._source, PIECE))

    def _type(self, typed: bytes) -> None:
        if not typed:
            self._forget_source()
            self._quiet_until = time.monotonic() + QUIET
        before, escape, _ = typed.partition(ESCAPE)
        self._typed += before
        self._send()
        if escape:
            self._left = True

    def _forget_source(self) -> None:
        if self._watch >= 0:
            libvirt.virEventRemoveHandle(self._watch)
            self._watch = -1

    def _beat(self, _timer: int, _opaque: object) -> None:
        if self._quiet_until is not None and time.monotonic() > self._quiet_until:
            self._left = True

    def _moved(self, _stream: Any, events: int, _opaque: object) -> None:
        with self._ending():
            if events & libvirt.VIR_STREAM_EVENT_READABLE:
                self._show()
            if events & libvirt.VIR_STREAM_EVENT_WRITABLE:
                self._send()
        if events & (libvirt.VIR_STREAM_EVENT_ERROR | libvirt.VIR_STREAM_EVENT_HANGUP):
            self._end(left=False)

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """Let an error end the connection: what leaves a callback is printed, and forgotten."""
        try:
            yield
        except libvirt.libvirtError:
            self._end(left=False)
        except OSError as error:
            self._error = error
            self._end(left=True)

    def _end(self, *, left: bool) -> None:
        if self._left is None:
            self._left = left

    def _show(self) -> None:
        said = self._stream.recv(PIECE)
        if said == -2:  # nothing there after all
            return
        if not said:
            self._end(left=False)
            return
        if self._quiet_until is not None:
            self._quiet_until = time.monotonic() + QUIET
        write_all(self._sink, said)

    def _send(self) -> None:
        while self._typed:
            sent = self._stream.send(self._typed)
            if sent < 0:
                break
            self._typed = self._typed[sent:]
        events = libvirt.VIR_STREAM_EVENT_READABLE
        if self._typed:
            events |= libvirt.VIR_STREAM_EVENT_WRITABLE
        self._stream.eventUpdateCallback(events)


def write_all(sink: int, data: bytes) -> None:
    """Write all of it, also where the descriptor does not block (an ssh terminal's may not)."""
    while data:
        try:
            data = data[os.write(sink, data) :]
        except BlockingIOError:
            select.select([], [sink], [])
