"""Restoring: a volume holds again what its snapshot shows.

Both are read, and what differs is written back. A block that differs has changed since the
snapshot, so its old content is kept there already: writing it takes none of the snapshot's room
(Documentation/admin-guide/device-mapper/snapshot.rst), which stays whole and can be restored again.
It does take room of snapshots that were taken later; the plan refuses what they have none for.

Not by lvconvert(8), --merge: that gives the snapshot's extents back as they are, full of the
tenant's data, and where somebody has the volume open it waits for the next activation, to take
the guest back in time at some boot of the host.
"""

import time
from collections.abc import Iterator
from itertools import groupby
from mmap import MAP_ANONYMOUS, MAP_PRIVATE, mmap
from typing import Final

from raptorctl.drivers.tick import Tick
from raptorctl.drivers.volume import RestoreReport
from raptorctl.errors import WipeError
from raptorctl.host.volume.device import Device, naming_errors
from raptorctl.host.volume.wipe import claimed
from raptorctl.model.sizes import KIB, MIB
from raptorctl.model.volume import Volume

PIECE: Final = 2 * MIB
"""Bytes compared at once."""

BLOCK: Final = 4 * KIB
"""Bytes that are written or not: the smallest chunk that a snapshot has (lvcreate(8),
--chunksize), or the rest of a chunk would take room."""


class BlockCopier:
    """Restores logical volumes; implements `raptorctl.drivers.volume.Copier`."""

    def restore(self, volume: Volume, snapshot: Volume, tick: Tick) -> RestoreReport:
        """Make a volume hold what its snapshot shows; the snapshot stays as it is.

        Args:
            volume: an active one that nobody uses.
            snapshot: an active snapshot of it.
            tick: told the bytes compared and the bytes in all.

        Raises:
            WipeError: a device is in use, another one, or fails.
            StoppedError: from `tick`, between two pieces.
        """
        began = time.monotonic()
        with claimed(volume) as device, claimed(snapshot, volume.size) as source:
            differing = restore(source, device, tick)
        return RestoreReport(volume.size, differing, round(time.monotonic() - began, 3))


def restore(source: Device, device: Device, tick: Tick) -> int:
    """Make a device equal to another of its size, durably; returns how many bytes differed.

    Raises:
        WipeError: one of them fails, or what was written is not what is read.
        StoppedError: from `tick`.
    """
    wanted, there = (mmap(-1, PIECE, MAP_PRIVATE | MAP_ANONYMOUS) for _ in range(2))
    differing = 0
    for start in range(0, device.size, PIECE):
        length = min(PIECE, device.size - start)
        _read(source, start, wanted, length)
        _read(device, start, there, length)
        if differs := list(_differing(wanted[:length], there[:length])):
            differing += _write(device, start, wanted, differs)
            _compare(device, start, wanted, there, length)
        tick(start + length, device.size)
    with naming_errors(device, "flushing", 0):
        device.flush()
    return differing


def _read(device: Device, start: int, buffer: mmap, length: int) -> None:
    with (
        memoryview(buffer) as whole,
        whole[:length] as view,
        naming_errors(device, "reading", start),
    ):
        came = device.read(start, view)
    if came != length:
        raise WipeError(f"{device.name} gave {came} of {length} bytes at offset {start}")


def _differing(wanted: bytes, there: bytes) -> Iterator[tuple[int, int]]:
    """Runs of blocks that differ: where each begins and ends, bytes."""
    if wanted == there:
        return
    blocks = range(0, len(wanted), BLOCK)
    for differ, run in groupby(
        blocks, lambda at: wanted[at : at + BLOCK] != there[at : at + BLOCK]
    ):
        if differ:
            begin, *_ = (found := list(run))
            yield begin, min(found[-1] + BLOCK, len(wanted))


def _write(device: Device, start: int, wanted: mmap, differs: list[tuple[int, int]]) -> int:
    for begin, end in differs:
        with (
            memoryview(wanted) as whole,
            whole[begin:end] as view,
            naming_errors(device, "writing", start + begin),
        ):
            device.write(start + begin, view)
    return sum(end - begin for begin, end in differs)


def _compare(device: Device, start: int, wanted: mmap, there: mmap, length: int) -> None:
    _read(device, start, there, length)
    if wanted[:length] != there[:length]:
        raise WipeError(f"{device.name} did not keep what was written at offset {start}")
