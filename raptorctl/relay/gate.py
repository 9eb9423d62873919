"""What of a tenant's messages goes on to libvirtd, and where refusals go among its answers."""

import struct
from collections.abc import Collection
from typing import Final

from raptorctl.relay.calls import OPEN, STREAMS, allowed
from raptorctl.relay.frames import (
    KEEPALIVE,
    LARGEST,
    LENGTH,
    REMOTE,
    SMALLEST,
    VERSION,
    Cutter,
    Frame,
    FrameError,
    Kind,
    Status,
    decode,
    refusal,
)

URI: Final = b"qemu:///system"
LARGEST_CALL: Final = SMALLEST + 262144
"""VIR_NET_MESSAGE_LEGACY_PAYLOAD_MAX: no client puts more into a message of a stream."""
REFUSED: Final = (
    "access denied: this call of libvirt's is not for tenants; use raptorctl, or ask an admin"
)
BASIC: Final = allowed()
OTHER_URI: Final = "access denied: tenants connect to qemu:///system only"


class Gate:
    """One tenant's connection.

    Args:
        to_server: bytes for libvirtd; who sends them takes them away.
        to_client: bytes for the tenant.
        calls: the numbers of those that may pass.
    """

    def __init__(self, calls: Collection[int] = BASIC) -> None:
        self.calls = calls
        self.to_server = bytearray()
        self.to_client = bytearray()
        self._cutter = Cutter(LARGEST_CALL)
        self._refusals = bytearray()
        self._length = bytearray()
        self._left = 0

    @property
    def waiting(self) -> int:
        """Bytes that the tenant has not taken."""
        return len(self.to_client) + len(self._refusals)

    def from_client(self, arrived: bytes) -> None:
        """Pass on what may pass, and answer the rest.

        Raises:
            FrameError: it is no message that a client of libvirt's sends.
        """
        for whole in self._cutter.cut(arrived):
            if (answer := judge(decode(whole), self.calls)) is None:
                self.to_server += whole
            else:
                self._refusals += answer.encode()
        self._answer()

    def from_server(self, arrived: bytes) -> None:
        """Pass on libvirtd's answers, with refusals between two of them.

        Raises:
            FrameError: a message's length is none.
        """
        while arrived:
            if self._left:
                part, arrived = arrived[: self._left], arrived[self._left :]
                self._left -= len(part)
                self.to_client += part
            else:
                arrived = self._begin(arrived)
            self._answer()

    def _begin(self, arrived: bytes) -> bytes:
        """Take a message's length; it is held back until it is whole."""
        missing = LENGTH.size - len(self._length)
        self._length += arrived[:missing]
        if len(self._length) == LENGTH.size:
            (length,) = LENGTH.unpack(self._length)
            if not SMALLEST <= length <= LARGEST:
                raise FrameError(f"libvirtd sent a message of {length} bytes")
            self.to_client += self._length
            self._length.clear()
            self._left = length - LENGTH.size
        return arrived[missing:]

    def _answer(self) -> None:
        if not self._left:
            self.to_client += self._refusals
            self._refusals.clear()


def judge(frame: Frame, calls: Collection[int] = BASIC) -> Frame | None:
    """Return None for what may pass, or the answer to a call that may not.

    Raises:
        FrameError: no client sends such a message, or it cannot be answered.
    """
    if frame.kind is Kind.CALL and frame.status is Status.OK:
        return _judge_call(frame, calls)
    if frame.kind is Kind.CALL_WITH_FDS:  # descriptors are dropped by recv(2)
        return refusal(frame, REFUSED)
    ours = (frame.program, frame.version) == (REMOTE, VERSION)
    if frame.kind is Kind.STREAM and ours and frame.procedure in STREAMS:
        return None
    alive = (frame.program, frame.version) == (KEEPALIVE, VERSION)
    if frame.kind is Kind.MESSAGE and alive and not frame.body:
        return None
    raise FrameError(f"{frame.kind.name} of program {frame.program:#x}, {frame.procedure}")


def _judge_call(call: Frame, calls: Collection[int]) -> Frame | None:
    if (call.program, call.version) != (REMOTE, VERSION) or call.procedure not in calls:
        return refusal(call, REFUSED)
    if call.procedure == OPEN and not _opens_system(call.body):
        return refusal(call, OTHER_URI)
    return None


def _opens_system(body: bytes) -> bool:
    """Whether a ConnectOpen names the one URI (remote_connect_open_args: name, flags)."""
    padded = URI + bytes(-len(URI) % 4)
    return body[:-4] == struct.pack(">II", 1, len(URI)) + padded
