"""libvirt's messages, as far as one must know them to let a call pass or not.

Source: libvirt, src/rpc/virnetprotocol.x. All numbers are XDR's: big-endian, 32 bits (RFC 4506).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

LENGTH: Final = struct.Struct(">I")
"""Bytes of the whole message, this number's own four included."""
HEADER: Final = struct.Struct(">IIiIII")
SMALLEST: Final = LENGTH.size + HEADER.size
LARGEST: Final = LENGTH.size + 16777216
"""VIR_NET_MESSAGE_LEN_MAX and VIR_NET_MESSAGE_MAX."""
REMOTE: Final = 0x20008086
KEEPALIVE: Final = 0x6B656570
VERSION: Final = 1
"""Of both programs."""
ACCESS_DENIED: Final = 88
"""VIR_ERR_ACCESS_DENIED (virterror.h): what libvirtd itself says where polkit says no."""
FROM_RPC: Final = 7
LEVEL_ERROR: Final = 2


class FrameError(ValueError):
    """Bytes that are no message of libvirt's."""


class Kind(IntEnum):
    """virNetMessageType."""

    CALL = 0
    REPLY = 1
    MESSAGE = 2
    STREAM = 3
    CALL_WITH_FDS = 4
    REPLY_WITH_FDS = 5


class Status(IntEnum):
    """virNetMessageStatus."""

    OK = 0
    ERROR = 1
    CONTINUE = 2


@dataclass(frozen=True)
class Frame:
    """One message.

    Args:
        program, version, procedure, kind, serial, status: its header.
        body: what follows the header.
    """

    program: int
    version: int
    procedure: int
    kind: Kind
    serial: int
    status: Status
    body: bytes = b""

    def encode(self) -> bytes:
        """Return the bytes that go over the wire."""
        header = HEADER.pack(
            self.program, self.version, self.procedure, self.kind, self.serial, self.status
        )
        return LENGTH.pack(SMALLEST + len(self.body)) + header + self.body


def decode(data: bytes) -> Frame:
    """Return a whole message's parts.

    Raises:
        FrameError: its header is none.
    """
    program, version, procedure, kind, serial, status = HEADER.unpack_from(data, LENGTH.size)
    try:
        return Frame(
            program, version, procedure, Kind(kind), serial, Status(status), data[SMALLEST:]
        )
    except ValueError as error:
        raise FrameError(str(error)) from error


class Cutter:
    """Cuts what arrives into messages; keeps at most one that is not whole yet.

    Args:
        largest: bytes of a message, its length included.
    """

    def __init__(self, largest: int = LARGEST) -> None:
        self._held = bytearray()
        self._largest = largest

    def cut(self, arrived: bytes) -> Iterator[bytes]:
        """Yield each message that is whole now.

        Raises:
            FrameError: its length is below a header's or above the bound.
        """
        self._held += arrived
        while len(self._held) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._held)
            if not SMALLEST <= length <= self._largest:
                raise FrameError(f"a message of {length} bytes")
            if len(self._held) < length:
                return
            whole = bytes(self._held[:length])
            del self._held[:length]
            yield whole


def refusal(call: Frame, message: str) -> Frame:
    """Return the answer to a call that libvirtd never sees (virNetMessageError)."""
    text = message.encode()
    padded = text + bytes(-len(text) % 4)
    body = struct.pack(">iiII", ACCESS_DENIED, FROM_RPC, 1, len(text)) + padded
    # level, no domain, no str1 to str3, int1, int2, no network
    body += struct.pack(">iIIIIiiI", LEVEL_ERROR, 0, 0, 0, 0, 0, 0, 0)
    return Frame(
        call.program, call.version, call.procedure, Kind.REPLY, call.serial, Status.ERROR, body
    )
