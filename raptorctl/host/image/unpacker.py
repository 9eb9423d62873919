"""Unpack gzip or xz from standard input to standard output: a program of its own.

It is run as a file, in limits of memory and time, so it imports the standard library alone. The
programs gzip and xz call a stray byte behind what they unpack "unexpected end of file" and
"corrupt"; the libraries below them tell where the last member or stream ends.

Exit status: 0 for all of it; 1 damaged or cut off; 2 unpacked, with a warning on standard error;
3 for another reason, which is on standard error.
"""

import lzma
import sys
import zlib
from collections.abc import Iterator
from typing import BinaryIO, ClassVar, Protocol

CHUNK = 1 << 20
DAMAGED, WARNED, REFUSED = 1, 2, 3


class EndedError(Exception):
    """Unpacking ends here.

    Args:
        status: to exit with.
        said: for people.
    """

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status, self.said = status, said


class Decoder(Protocol):
    """One member of gzip, or one stream of xz."""

    name: ClassVar[str]
    magic: ClassVar[bytes]
    padding: ClassVar[int]
    """The zeroes behind it come in so many."""
    stray: ClassVar[int]
    """The exit status when something else stands behind it."""

    @property
    def eof(self) -> bool:
        """Whether its end has been read."""

    @property
    def rest(self) -> bytes:
        """What was given and stands behind its end."""

    @property
    def verified(self) -> bool:
        """Whether what was unpacked has been compared with its check."""

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Unpack some of it, never much at a time."""


class Gzip:
    """A member (RFC 1952 2.2). gzip(1) passes over what is behind the last, with a warning."""

    name, magic, padding, stray = "gzip", b"\x1f\x8b", 1, WARNED

    def __init__(self, _memory: int) -> None:
        self._inflate = zlib.decompressobj(wbits=31)  # zlib's manual: 16 + 15, a gzip header

    @property
    def eof(self) -> bool:
        """See `Decoder`."""
        return self._inflate.eof

    @property
    def rest(self) -> bytes:
        """See `Decoder`."""
        return self._inflate.unused_data

    @property
    def verified(self) -> bool:
        """See `Decoder`."""
        return True

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """See `Decoder`."""
        while data and not self.eof:
            yield self._inflate.decompress(data, CHUNK)
            data = self._inflate.unconsumed_tail


class Xz:
    """A stream (the .xz file format, 2.1). xz(1) refuses what is neither stream nor padding."""

    name, magic, padding, stray = "xz", b"\xfd7zXZ\x00", 4, REFUSED

    def __init__(self, memory: int) -> None:
        self._decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memory)

    @property
    def eof(self) -> bool:
        """See `Decoder`."""
        return self._decoder.eof

    @property
    def rest(self) -> bytes:
        """See `Decoder`."""
        return self._decoder.unused_data

    @property
    def verified(self) -> bool:
        """See `Decoder`; xz(1) warns of this ("Unsupported type of integrity check")."""
        return lzma.is_check_supported(self._decoder.check)

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """See `Decoder`."""
        yield self._decoder.decompress(data, CHUNK)
        while not self.eof and not self._decoder.needs_input:
            yield self._decoder.decompress(b"", CHUNK)


KINDS: dict[str, type[Gzip] | type[Xz]] = {"gzip": Gzip, "xz": Xz}


def unpacked(source: BinaryIO, kind: type[Gzip] | type[Xz], memory: int) -> Iterator[bytes]:
    """Unpack members or streams, one behind the other, with the zeroes between them.

    Args:
        source: gives as much as it is asked for, until its end.
        kind: of archive.
        memory: bytes that a decoder of xz may use.

    Raises:
        EndedError: it is cut off, or something else stands behind it.
        zlib.error, lzma.LZMAError: it is damaged.
    """
    data, verified = source.read(CHUNK), True
    while True:
        decoder = kind(memory)
        while not decoder.eof:
            if not data:
                raise EndedError(DAMAGED, "unexpected end of file")
            yield from decoder.pieces(data)
            data = decoder.rest if decoder.eof else source.read(CHUNK)
        verified = verified and decoder.verified
        data = _padding_passed(source, kind, data)
        if not data:
            break
        if not data.startswith(kind.magic):
            raise EndedError(kind.stray, _stray(source, kind, data))
    if not verified:
        raise EndedError(WARNED, "its check is of a kind that is not known here, and was not made")


def _padding_passed(source: BinaryIO, kind: type[Gzip] | type[Xz], data: bytes) -> bytes:
    zeroes = 0
    while data := data or source.read(CHUNK):
        left = data.lstrip(b"\0")
        zeroes += len(data) - len(left)
        if left:
            data = left if len(left) >= len(kind.magic) else left + source.read(CHUNK)
            break
        data = b""
    if zeroes % kind.padding:
        said = f"the zeroes behind it are {zeroes}, and should be a multiple of {kind.padding}"
        raise EndedError(kind.stray, said)
    return data


def _stray(source: BinaryIO, kind: type[Gzip] | type[Xz], data: bytes) -> str:
    count = len(data)
    while data := source.read(CHUNK):
        count += len(data)
    what = (
        "1 byte behind what it unpacks to is"
        if count == 1
        else (f"{count} bytes behind what it unpacks to are")
    )
    return f"{what} no {kind.name}"


def main(kind: str, memory: str) -> int:
    """Unpack all; return the exit status."""
    try:
        for piece in unpacked(sys.stdin.buffer, KINDS[kind], int(memory)):
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    except EndedError as ended:
        sys.stdout.buffer.flush()
        sys.stderr.write(f"{ended.said}\n")
        return ended.status
    except (zlib.error, lzma.LZMAError, MemoryError) as error:
        return _failed(error)
    return 0


def _failed(error: Exception) -> int:
    text = str(error)
    if isinstance(error, MemoryError) or "Memory usage limit" in text:
        sys.stderr.write("it takes too much memory to be unpacked\n")
        return REFUSED
    # liblzma's LZMA_OPTIONS_ERROR; RFC 1952 2.3.1.2, reserved bits; inflate.c.
    if "Invalid or unsupported options" in text or "unknown" in text:
        sys.stderr.write("it is packed in a way that is not known here\n")
        return REFUSED
    sys.stderr.write(f"{text}\n")
    return DAMAGED


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
