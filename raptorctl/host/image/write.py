"""Writing an image onto a volume: qemu-img knows the formats, we know the device.

The volume is claimed as for a wipe: it is the one with that UUID, and nobody else has it. While
we hold it, its number cannot pass to another volume, so the name that qemu-img opens stays true.

The volume is known to be zero, so that only data is written (qemu-img(1), --target-is-zero), and
in whatever order it comes (-W). Then both are read and compared, past the page cache.
"""

import re
import time
from typing import Final

from raptorctl.drivers.image import ImageReport
from raptorctl.drivers.tick import Tick
from raptorctl.errors import CommandError, HostError
from raptorctl.host.system.command import watch
from raptorctl.host.volume.wipe import claimed
from raptorctl.model.image import Image
from raptorctl.model.sizes import GIB
from raptorctl.model.volume import Volume

PERCENT: Final = re.compile(r"\(([0-9]+\.[0-9]+)/100%\)")
"""What `qemu-img -p` writes, again and again."""
SLOWEST: Final = 1 << 20
"""Bytes a second; a device that is slower than that is told as one that hangs."""
PATIENCE: Final = 600.0
"""Seconds beside what the image's size takes."""
SECTOR: Final = 512
MEMORY: Final = 8 * GIB
"""Bytes of address space for a qemu-img that copies: what makes it want more is no image of ours.

Each of its threads takes some 80 MiB of it (24 took 1.8 GB on eight CPUs), and QEMU's pool may have
64 (THREAD_POOL_MAX_THREADS_DEFAULT in its source): 2 GiB ran out now and then.
"""
PROGRAM: Final = ("prlimit", f"--as={MEMORY}", "qemu-img")


class BlockImageWriter:
    """Writes onto block devices; implements `raptorctl.drivers.image.ImageWriter`."""

    def write(self, image: Image, volume: Volume, tick: Tick) -> ImageReport:
        """Make a volume that is all zeroes begin as an image, and read it back.

        Args:
            image: from the cache.
            volume: an active one that nobody uses, and that is zero.
            tick: told the bytes written, then those compared, and in all twice the image's size.

        Raises:
            HostError: the image is gone, damaged, or too large; or the volume is not as it.
            WipeError: the volume's device is in use, or another one.
            StoppedError: from `tick`.
        """
        began = time.monotonic()
        if image.size > volume.size:
            raise HostError(f"image {image.name} has {image.size}, {volume.name} {volume.size}")
        with claimed(volume) as device:
            write(image, device.name, tick)
            compare(image, device.name, tick)
            device.flush()
        seconds = round(time.monotonic() - began, 3)
        return ImageReport(image.digest, image.size, seconds, verified=True)


def write(image: Image, device: str, tick: Tick) -> None:
    """Write what of an image is not zero.

    Raises:
        HostError: it is damaged, or the device fails.
        StoppedError: from `tick`.
    """
    source = ("-f", image.format, image.path)
    options = ("-p", "-n", "-W", "-t", "none", "-O", "raw", "--target-is-zero")
    try:
        _qemu_img(image, 0, tick, "convert", *options, *source, device)
    except CommandError as error:
        raise HostError(
            f"image {image.name} could not be written to {device}: {_reason(error)}",
            details=error.details,
            resolution=error.reason.advice or f"raptorctl image verify {image.name}",
        ) from error


def compare(image: Image, device: str, tick: Tick) -> None:
    """Read an image and as much of the device, past the page cache.

    Raises:
        HostError: they differ.
        StoppedError: from `tick`.
    """
    # The device beyond the image is not looked at: its zeroes were read back already.
    size = _whole_sectors(image)
    there = f"driver=raw,size={size},file.driver=host_device,file.filename={device}"
    here = f"driver={image.format},file.driver=file,file.filename={_escaped(image.path)}"
    try:
        _qemu_img(image, 1, tick, "compare", "-p", "-T", "none", "--image-opts", here, there)
    except CommandError as error:
        raise HostError(
            f"{device} does not hold what image {image.name} does: {_reason(error)}",
            details=error.details,
            resolution=error.reason.advice,
        ) from error


def _whole_sectors(image: Image) -> int:
    """Bytes; qemu-img pads a raw file's last sector with zeroes."""
    return -(-image.size // SECTOR) * SECTOR


def _qemu_img(image: Image, half: int, tick: Tick, *args: str) -> None:
    def beat(said: str) -> None:
        percent = PERCENT.findall(said)
        share = (float(percent[-1]) / 100 if percent else 0.0) + half
        tick(int(share * image.size), 2 * image.size)

    limit = PATIENCE + image.size / SLOWEST
    watch(*PROGRAM, *args, timeout=limit, beat=beat)


def _escaped(path: str) -> str:
    """A comma begins the next option (qemu(1), -drive): two stand for one."""
    return path.replace(",", ",,")


def _reason(error: CommandError) -> str:
    if error.exit_status == 1 and not error.stderr:  # qemu-img(1), compare
        return "they differ"
    return error.reason.line or error.brief
