"""Block devices: opened for ourselves alone, past the page cache, and asked by ioctl."""

import errno
import fcntl
import mmap
import os
import stat
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, Self

from raptorctl.errors import WipeError
from raptorctl.model.volume import Volume

# linux/fs.h: _IO(0x12, 127) with two u64, start and length; _IOR(0x12, 114, size_t).
BLKZEROOUT: Final = 0x127F
BLKGETSIZE64: Final = 0x80081272

# linux/dm-ioctl.h: _IOWR(0xfd, 7, struct dm_ioctl).
DM_DEV_STATUS: Final = 0xC138FD07
DM_IOCTL: Final = struct.Struct("=3I 3I i 3I Q 128s 129s 7x")
DM_VERSION: Final = (4, 0, 0)
DM_CONTROL: Final = Path("/dev/mapper/control")

NO_OFFLOAD: Final = {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOTTY}
BUSY_TIMEOUT: Final = 10.0
"""Seconds that somebody else may hold a device: udev probes it after every close."""

WRITE: Final = 4 << 20
"""Bytes of zeroes in one write, where the device is written."""


class Device(Protocol):
    """What can be wiped: a block device, or what a test hands in."""

    name: str
    size: int

    def offload_zeroes(self, start: int, length: int) -> bool:
        """Have the range zeroed; False when that is not supported."""

    def write_zeroes(self, start: int, length: int) -> None:
        """Zero the range by writing."""

    def write(self, start: int, data: memoryview) -> None:
        """Write."""

    def flush(self) -> None:
        """Make everything durable."""

    def read(self, start: int, into: memoryview) -> int:
        """Read; returns how many bytes came."""


class BlockDevice:
    """A device opened O_EXCL and O_DIRECT.

    O_EXCL: no mount, no other device-mapper device and no second one of us may have it (open(2)).
    O_DIRECT: what is read comes from the device and not from the page cache.

    Args:
        path: its node.
        number: what the node must be, from os.makedev; None takes any block device.

    Raises:
        WipeError: it is not that device, or stays in use.
    """

    def __init__(self, path: str, number: int | None = None) -> None:
        self.name = path
        self._fd = _open(path)
        try:
            self.size = self._size_of(number)
        except BaseException:
            os.close(self._fd)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def _size_of(self, number: int | None) -> int:
        status = os.fstat(self._fd)
        if not stat.S_ISBLK(status.st_mode) or number not in {None, status.st_rdev}:
            raise WipeError(f"{self.name} is not the device that was asked for")
        size: int
        (size,) = struct.unpack("=Q", fcntl.ioctl(self._fd, BLKGETSIZE64, bytes(8)))
        return size

    def offload_zeroes(self, start: int, length: int) -> bool:
        """Have the kernel zero a range, by the device's own command where it has one.

        Returns:
            False when neither device nor kernel will.
        """
        try:
            fcntl.ioctl(self._fd, BLKZEROOUT, struct.pack("=QQ", start, length))
        except OSError as error:
            if error.errno in NO_OFFLOAD:
                return False
            raise
        return True

    def write_zeroes(self, start: int, length: int) -> None:
        """Zero a range by writing to it."""
        zeroes = memoryview(mmap.mmap(-1, WRITE))  # aligned, as O_DIRECT asks
        for offset in range(start, start + length, WRITE):
            piece = zeroes[: start + length - offset]
            if os.pwrite(self._fd, piece, offset) != len(piece):
                raise OSError(errno.EIO, "short write")

    def write(self, start: int, data: memoryview) -> None:
        """Write at `start`.

        Args:
            start: a multiple of the device's block.
            data: aligned likewise, as every mmap is.
        """
        if os.pwrite(self._fd, data, start) != len(data):
            raise OSError(errno.EIO, "short write")

    def flush(self) -> None:
        """Have the device put everything on stable storage (fsync(2) flushes its cache)."""
        os.fsync(self._fd)

    def read(self, start: int, into: memoryview) -> int:
        """Read from `start`; returns how many bytes came.

        Args:
            start: a multiple of the device's block.
            into: aligned likewise, as every mmap is.
        """
        return os.preadv(self._fd, [into], start)


@dataclass(frozen=True)
class Mapping:
    """What the kernel's device mapper says of one of its devices.

    Args:
        uuid: `LVM-`, the group's UUID and the volume's, without hyphens.
        opened: how many have it open.
        name: the group's and the volume's, see `called`.
    """

    uuid: str
    opened: int
    name: str = ""

    def holds(self, uuid: str) -> bool:
        """Whether it is the volume `uuid` of LVM; a suffix would be another layer of it."""
        return self.uuid.startswith("LVM-") and self.uuid[36:] == uuid.replace("-", "")

    def called(self, group: str, volume: str) -> bool:
        """Whether it is called so: a hyphen between both, and each hyphen in them doubled.

        As lvm2 names its devices (device_mapper/libdm-common.c, dm_build_dm_name).
        """
        return self.name == "-".join(part.replace("-", "--") for part in (group, volume))


def mapping(number: int) -> Mapping:
    """Ask the device mapper about a device, by its number (linux/dm-ioctl.h).

    Raises:
        OSError: there is no such mapped device, or we are not root.
    """
    asked = DM_IOCTL.pack(*DM_VERSION, DM_IOCTL.size, 0, 0, 0, 0, 0, 0, number, b"", b"")
    with DM_CONTROL.open("rb") as control:
        answer = DM_IOCTL.unpack(fcntl.ioctl(control, DM_DEV_STATUS, asked))
    name, uuid = (text.split(b"\0")[0].decode() for text in answer[11:13])
    return Mapping(uuid=uuid, opened=answer[6], name=name)


@contextmanager
def naming_errors(device: Device, doing: str, offset: int) -> Iterator[None]:
    """Turn the kernel's errors into one that says what failed, where.

    Raises:
        WipeError: for any OSError.
    """
    try:
        yield
    except OSError as error:
        raise WipeError(f"{doing} {device.name} failed at {offset}: {error.strerror}") from error


def _open(path: str) -> int:
    flags = os.O_RDWR | os.O_EXCL | os.O_DIRECT | os.O_CLOEXEC
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            return os.open(path, flags)
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > deadline:
                raise WipeError(f"cannot open {path} exclusively: {error.strerror}") from error
        time.sleep(0.05)


def mapped(volume: Volume) -> Mapping | None:
    """What the kernel has under the volume's number; None where it is not active."""
    if volume.major < 0:
        return None
    try:
        return mapping(os.makedev(volume.major, volume.minor))
    except OSError as error:
        if error.errno != errno.ENXIO:  # which is: no device has that number
            raise
        return None
