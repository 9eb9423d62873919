"""Reading a wiped device back and looking at every byte that came.

On a fast device looking takes nearly as long as reading, so two threads do both, each with a
buffer of its own; neither waits for the other, nor holds Python's lock while it reads or compares.
"""

import ctypes
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from mmap import MADV_HUGEPAGE, MAP_ANONYMOUS, MAP_PRIVATE, mmap
from threading import Event
from typing import Final

from raptorctl.errors import WipeError
from raptorctl.host.volume.device import Device, naming_errors
from raptorctl.model.sizes import KIB, MIB

PIECE: Final = 2 * MIB
"""Bytes of one read; every piece begins at a multiple of it. One large page, and little enough to
be looked at while the processor's cache still has it."""

SAMPLED: Final = 64
"""Of so many pieces, one is read back where not all are."""

READERS: Final = 2 if len(os.sched_getaffinity(0)) > 2 else 1
"""Of two CPUs, the kernel needs the other one."""

PAGE: Final = 4 * KIB
TICK: Final = 0.1
"""Seconds between two reports of progress."""

Span = tuple[int, int]
"""Start and length in bytes."""

_memcmp = ctypes.CDLL(None).memcmp
_memcmp.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]


def verify(device: Device, spans: Iterable[Span], tick: Callable[[int], None]) -> None:
    """Read parts of a device and look at every byte.

    Raises:
        WipeError: the device fails, or a byte is not zero.
        StoppedError: from `tick`.
    """
    todo = iter(list(spans))  # shared: whoever is ready takes the next one
    ended, checked = Event(), [0] * READERS
    with ThreadPoolExecutor(READERS, "read-back") as pool:
        readers = [pool.submit(_read, device, todo, ended, checked, n) for n in range(READERS)]
        try:
            while wait(readers, TICK, FIRST_EXCEPTION).not_done:
                _raise_first(readers)
                tick(sum(checked))
        finally:
            # Leaving the pool waits for both: the device is never closed under a reader.
            ended.set()
    _raise_first(readers)
    tick(sum(checked))


def _raise_first(readers: list[Future[None]]) -> None:
    for reader in readers:
        if reader.done():
            reader.result()


def _read(device: Device, todo: Iterator[Span], ended: Event, checked: list[int], n: int) -> None:
    buffer = mmap(-1, PIECE, MAP_PRIVATE | MAP_ANONYMOUS)
    # One large page instead of 512 small ones for the kernel to pin at each read: up to three times
    # the speed. Where there are none to be had, small ones do.
    with suppress(OSError):
        buffer.madvise(MADV_HUGEPAGE)
    for span in todo:
        if ended.is_set():
            return
        _check(device, span, buffer)
        checked[n] += span[1]


def _check(device: Device, span: Span, buffer: mmap) -> None:
    start, length = span
    with memoryview(buffer) as whole, whole[:length] as view:
        with naming_errors(device, "reading back", start):
            came = device.read(start, view)
        if came != length:
            raise WipeError(f"{device.name} gave {came} of {length} bytes at offset {start}")
    at = first_nonzero(buffer, length)
    if at is not None:
        raise WipeError(f"{device.name} is not zero at offset {start + at} after zeroing")


def first_nonzero(buffer: mmap, length: int) -> int | None:
    """Return the offset of the first byte that is not zero, or None when all are.

    All are zero when those of the first page are and each page equals the next one: so every byte
    comes from memory once.
    """
    address = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
    head = buffer[: min(PAGE, length)]
    if head.count(0) == len(head) and not _memcmp(address, address + PAGE, max(length - PAGE, 0)):
        return None
    data = buffer[:length]
    return length - len(data.lstrip(b"\0"))


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
