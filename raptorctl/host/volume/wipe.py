"""Wiping: a volume holds nothing but zeroes afterwards, and that was seen, not assumed.

First everything is zeroed, by the device itself where it can (BLKZEROOUT). Then it is read back
past the page cache: all of it, or for a large volume one piece in 64 and both ends. Reading back
is what makes it a proof: some devices acknowledge Write Zeroes and keep the data (see the list of
NVME_QUIRK_DISABLE_WRITE_ZEROES in linux/drivers/nvme/host), and discard promises nothing.

A volume is identified by LVM's UUID, as the kernel itself reports it for the opened device. While
we hold that device open its number cannot pass to another volume, so what was checked stays true.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from raptorctl.drivers.tick import Tick
from raptorctl.drivers.volume import WipeReport
from raptorctl.errors import WipeError
from raptorctl.host.volume.device import BUSY_TIMEOUT, BlockDevice, Device, mapping, naming_errors
from raptorctl.host.volume.read_back import spans_to_verify, verify
from raptorctl.model.sizes import GIB, MIB
from raptorctl.model.volume import Volume

OFFLOADED: Final = "BLKZEROOUT"
WRITTEN: Final = "O_DIRECT writes"

ALL: Final = 1 << 63  # bytes; no device is larger
FIRST_STEP: Final = 64 * MIB
SMALLEST_STEP: Final = 4 * MIB
LARGEST_STEP: Final = 16 * GIB
QUICK: Final = 0.1
SLOW: Final = 0.3
"""Seconds for one step of zeroing: below, the next is doubled; above, halved. So a person sees
progress, and a stop is heard, at least twice a second, and a fast device is hardly interrupted."""


class BlockWiper:
    """Wipes logical volumes; implements `raptorctl.drivers.volume.Wiper`.

    Args:
        verify_all_up_to: bytes; a larger volume is read back in samples.
    """

    def __init__(self, verify_all_up_to: int) -> None:
        self._verify_all_up_to = verify_all_up_to

    def wipe(self, volume: Volume, tick: Tick) -> WipeReport:
        """Zero the whole volume and read it back.

        Args:
            volume: an active one that nobody uses.
            tick: told the bytes done and the bytes in all: zeroed ones, then those read back.

        Raises:
            WipeError: it is another volume or in use, the device fails, or a byte is not zero.
            StoppedError: from `tick`, between two pieces.
        """
        began = time.monotonic()
        with claimed(volume) as device:
            method, verified = wipe(device, self._verify_all_up_to, tick)
        return WipeReport(
            uuid=volume.uuid,
            size=volume.size,
            method=method,
            seconds=round(time.monotonic() - began, 3),
            verified=verified,
            coverage="full" if verified == volume.size else "sampled",
        )

    def is_zero(self, volume: Volume, start: int, tick: Tick) -> bool:
        """Whether all bytes from `start` on are read as zero; not, where they cannot be read.

        Args:
            volume: an active one that nobody uses.
            start: bytes, a multiple of an extent.
            tick: told the bytes read and the bytes in all.
        """
        spans = [(start + at, length) for at, length in spans_to_verify(volume.size - start, ALL)]
        try:
            with claimed(volume) as device:
                verify(device, spans, lambda done: tick(done, volume.size - start))
        except WipeError:
            return False
        return True


def wipe(device: Device, verify_all_up_to: int, tick: Tick) -> tuple[str, int]:
    """Zero a device and read it back; returns the method and the bytes read back.

    Raises:
        WipeError: the device fails, or a byte is not zero.
        StoppedError: from `tick`.
    """
    spans = tuple(spans_to_verify(device.size, verify_all_up_to))
    to_verify = sum(length for _, length in spans)
    total = device.size + to_verify
    method = zero(device, lambda done: tick(done, total))
    verify(device, spans, lambda done: tick(device.size + done, total))
    return method, to_verify


def zero(device: Device, tick: Callable[[int], None]) -> str:
    """Zero a whole device, durably; returns the method used.

    Raises:
        WipeError: the device fails.
        StoppedError: from `tick`.
    """
    method, done, step = OFFLOADED, 0, FIRST_STEP
    while done < device.size:
        began = time.monotonic()
        length = min(step, device.size - done)
        with naming_errors(device, "zeroing", done):
            if method == OFFLOADED and not device.offload_zeroes(done, length):
                method, step = WRITTEN, SMALLEST_STEP
                continue
            if method == WRITTEN:
                device.write_zeroes(done, length)
        done += length
        step = _next_step(step, time.monotonic() - began)
        tick(done)
    with naming_errors(device, "flushing", 0):
        device.flush()
    return method


def _next_step(step: int, seconds: float) -> int:
    if seconds < QUICK:
        return min(step * 2, LARGEST_STEP)
    if seconds > SLOW:
        return max(step // 2, SMALLEST_STEP)
    return step


@contextmanager
def claimed(volume: Volume, size: int | None = None) -> Iterator[BlockDevice]:
    """Open the volume's device for us alone, and make sure that it is this volume's.

    Args:
        volume: an active one.
        size: bytes of its device; None for the volume's own, which it is but for a snapshot.

    Raises:
        WipeError: it is another volume, or in use.
    """
    if volume.major < 0:
        raise WipeError(f"{volume.path} is not active")
    number = os.makedev(volume.major, volume.minor)
    with BlockDevice(_node(volume), number) as device:
        _make_sure(volume, number, device, volume.size if size is None else size)
        yield device


def _node(volume: Volume) -> str:
    # The kernel's own node (devtmpfs): udev's links may lag behind a rename, this cannot.
    try:
        target = os.readlink(f"/sys/dev/block/{volume.major}:{volume.minor}")  # noqa: PTH115
    except OSError as error:
        raise WipeError(f"{volume.path} has no device: {error.strerror}") from error
    return f"/dev/{os.path.basename(target)}"  # noqa: PTH119


def _make_sure(volume: Volume, number: int, device: BlockDevice, size: int) -> None:
    if device.size != size:
        raise WipeError(f"{volume.path} has {device.size} bytes where LVM says {size}")
    # O_EXCL keeps mounts out, but QEMU opens without it: only the count of openers tells.
    deadline = time.monotonic() + BUSY_TIMEOUT
    while _seen(volume, number) > 1:
        if time.monotonic() > deadline:
            raise WipeError(f"{volume.path} is in use", resolution=f"see `fuser {device.name}`")
        time.sleep(0.05)


def _seen(volume: Volume, number: int) -> int:
    """How many have the volume open, after making sure that it is the volume."""
    try:
        found = mapping(number)
    except OSError as error:
        raise WipeError(f"{volume.path} is no mapped device: {error.strerror}") from error
    if not found.holds(volume.uuid):
        raise WipeError(f"{volume.path} is not volume {volume.uuid} but {found.uuid}")
    return found.opened
