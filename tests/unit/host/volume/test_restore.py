"""Restoring, on devices in memory: everything is as before, and no more is written than differs."""

import errno
import os

import pytest

from raptorctl.errors import StoppedError, WipeError
from raptorctl.host.volume.restore import BLOCK, PIECE, restore
from tests.unit.host.volume.test_wipe import Failing, Memory, silent

SIZE = 3 * PIECE + 7 * BLOCK


class Disk(Memory):
    """Notes what is written, in order."""

    def __init__(self, data: bytes) -> None:
        super().__init__(len(data))
        self.data = bytearray(data)

    def write(self, start: int, data: memoryview) -> None:
        self.written.append((start, len(data)))
        self.data[start : start + len(data)] = data


def changed(data: bytes, *places: int) -> bytes:
    new = bytearray(data)
    for at in places:
        new[at] ^= 255
    return bytes(new)


OLD = os.urandom(SIZE)


def test_what_is_equal_is_not_written() -> None:
    disk = Disk(OLD)
    assert restore(Disk(OLD), disk, silent) == 0
    assert (disk.written, disk.flushed) == ([], 1)


@pytest.mark.parametrize(
    ("places", "written"),
    [
        ([0], [(0, BLOCK)]),
        ([SIZE - 1], [(SIZE - BLOCK, BLOCK)]),
        ([BLOCK - 1, BLOCK], [(0, 2 * BLOCK)]),
        ([5, 3 * BLOCK], [(0, BLOCK), (3 * BLOCK, BLOCK)]),
        ([PIECE - 1, PIECE], [(PIECE - BLOCK, BLOCK), (PIECE, BLOCK)]),
    ],
)
def test_only_blocks_that_differ_are_written(
    places: list[int], written: list[tuple[int, int]]
) -> None:
    disk, source = Disk(changed(OLD, *places)), Disk(OLD)
    assert restore(source, disk, silent) == sum(length for _, length in written)
    assert bytes(disk.data) == bytes(source.data) == OLD
    assert (disk.written, source.written) == (written, [])


def test_all_of_another_disk_is_restored() -> None:
    disk = Disk(os.urandom(SIZE))
    assert restore(Disk(OLD), disk, silent) == SIZE
    assert disk.data == OLD


def test_a_disk_that_keeps_something_else_is_told() -> None:
    class Stubborn(Disk):
        def write(self, start: int, data: memoryview) -> None:
            """Acknowledge and forget."""

    with pytest.raises(WipeError, match="did not keep what was written at offset 0"):
        restore(Disk(OLD), Stubborn(changed(OLD, 9)), silent)


def test_a_device_that_fails_is_named() -> None:
    source = Failing(SIZE, reading=PIECE)
    with pytest.raises(WipeError, match=f"reading /dev/memory failed at {PIECE}"):
        restore(source, Disk(bytes(source.data)), silent)


def test_writing_that_fails_names_the_place() -> None:
    class Full(Disk):
        def write(self, start: int, data: memoryview) -> None:
            raise OSError(errno.ENOSPC, "no space")

    with pytest.raises(WipeError, match=f"writing /dev/memory failed at {BLOCK}: no space"):
        restore(Disk(OLD), Full(changed(OLD, BLOCK)), silent)


def test_it_stops_between_two_pieces_and_goes_on_from_anywhere() -> None:
    disk = Disk(os.urandom(SIZE))

    def stop(done: int, total: int) -> None:
        if done > PIECE:
            raise StoppedError(2)

    with pytest.raises(StoppedError):
        restore(Disk(OLD), disk, stop)
    assert disk.data != OLD
    restore(Disk(OLD), disk, silent)
    assert disk.data == OLD
