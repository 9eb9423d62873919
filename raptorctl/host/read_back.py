"""Reading a wiped device back and looking at every byte that came."""

import secrets
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import cycle
from mmap import mmap
from typing import Final

from raptorctl.errors import WipeError
from raptorctl.host.device import Device, naming_errors
from raptorctl.model.sizes import KIB, MIB

PIECE: Final = 4 * MIB
"""Bytes of one read; every piece begins at a multiple of it."""

SAMPLED: Final = 64
"""Of so many pieces, one is read back where not all are."""

READERS: Final = 2
"""While one piece is looked at, the next one is on its way."""

ZEROES: Final = bytearray(256 * KIB)
"""Stays in the processor's cache. A bytearray, as that compares itself with any buffer by memcmp,
twenty times faster than two memoryviews do."""

Span = tuple[int, int]
"""Start and length in bytes."""


def verify(device: Device, spans: Iterable[Span], tick: Callable[[int], None]) -> None:
    """Read parts of a device and look at every byte.

    Raises:
        WipeError: the device fails, or a byte is not zero.
        StoppedError: from `tick`.
    """
    done = 0
    # Closed on the way out: the device must not be closed under a reader when `tick` stops us.
    with closing(_in_order(device, spans)) as lengths:
        for length in lengths:
            done += length
            tick(done)


def _in_order(device: Device, spans: Iterable[Span]) -> Generator[int]:
    """Yield each span's length once it is found zero; some are read ahead."""
    # One buffer more than there are reads under way: the one being waited for has its own.
    buffers = cycle([mmap(-1, PIECE) for _ in range(READERS + 1)])
    under_way: deque[Future[int]] = deque()
    with ThreadPoolExecutor(READERS, "read-back") as readers:
        for span in spans:
            under_way.append(readers.submit(_check, device, span, next(buffers)))
            if len(under_way) > READERS:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


def _check(device: Device, span: Span, buffer: mmap) -> int:
    start, length = span
    with memoryview(buffer)[:length] as view:
        with naming_errors(device, "reading back", start):
            came = device.read(start, view)
        if came != length:
            raise WipeError(f"{device.name} gave {came} of {length} bytes at offset {start}")
        at = first_nonzero(view)
    if at is not None:
        raise WipeError(f"{device.name} is not zero at offset {start + at} after zeroing")
    return length


def first_nonzero(view: memoryview) -> int | None:
    """Return the offset of the first byte that is not zero, or None when all are."""
    for start in range(0, len(view), len(ZEROES)):
        part = view[start : start + len(ZEROES)]
        zeroes = ZEROES if len(part) == len(ZEROES) else bytearray(len(part))
        if zeroes != part:
            return start + len(part) - len(bytes(part).lstrip(b"\0"))
    return None


def spans_to_verify(size: int, all_up_to: int) -> Iterator[Span]:
    """Choose what to read back of `size` bytes, in rising order and without overlap.

    Up to `all_up_to` bytes that is everything. Above, it is the first piece, the last one, and of
    the others one at random out of each 64 neighbours: at least a 64th of the device, nowhere far
    from any byte, and not to be foretold.
    """
    pieces = range(-(-size // PIECE))
    chosen = pieces if size <= all_up_to else _sample(len(pieces))
    return ((n * PIECE, min(PIECE, size - n * PIECE)) for n in chosen)


def _sample(pieces: int) -> Iterator[int]:
    last = pieces - 1
    yield 0
    for first in range(1, last, SAMPLED):
        yield first + secrets.randbelow(min(SAMPLED, last - first))
    if last > 0:
        yield last
