"""Wiping: steps, read-back and verdicts on a device in memory; the ioctl on a loop device."""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from mmap import mmap
from pathlib import Path

import pytest

from raptorctl.errors import StoppedError, WipeError
from raptorctl.host.volume import device as device_module
from raptorctl.host.volume import read_back, wipe
from raptorctl.host.volume.device import BlockDevice, Mapping
from raptorctl.host.volume.read_back import PIECE, first_nonzero, spans_to_verify, verify
from raptorctl.model.sizes import GIB, KIB, MIB, Size
from raptorctl.model.volume import Volume

pytestmark = pytest.mark.long

ALL = 1 << 62
SIZE = 28 * MIB - 4 * KIB
UUID = "AbCdEf-1234-5678-9aBc-DeFg-HiJk-LmNoPq"


class Memory:
    """A device in memory, full of a pattern."""

    def __init__(self, size: int, *, offloads: bool = True) -> None:
        self.name, self.size, self.offloads = "/dev/memory", size, offloads
        self.data = bytearray(os.urandom(4096) * (size // 4096 + 1))[:size]
        self.steps: list[tuple[int, int]] = []
        self.written: list[tuple[int, int]] = []
        self.flushed = 0

    def offload_zeroes(self, start: int, length: int) -> bool:
        if self.offloads:
            self.steps.append((start, length))
            self.data[start : start + length] = bytes(length)
        return self.offloads

    def write_zeroes(self, start: int, length: int) -> None:
        self.written.append((start, length))
        self.data[start : start + length] = bytes(length)

    def write(self, start: int, data: memoryview) -> None:
        self.data[start : start + len(data)] = data

    def flush(self) -> None:
        self.flushed += 1

    def read(self, start: int, into: memoryview) -> int:
        part = self.data[start : start + len(into)]
        into[: len(part)] = part
        return len(part)


class Forgetful(Memory):
    """Acknowledges and keeps one byte (as drives with a broken Write Zeroes do)."""

    def __init__(self, size: int, at: int) -> None:
        super().__init__(size)
        self.at = at

    def flush(self) -> None:
        self.data[self.at] = 1


class Failing(Memory):
    """Fails at one offset of zeroing or reading."""

    def __init__(self, size: int, *, zeroing: int = -1, reading: int = -1) -> None:
        super().__init__(size)
        self.zeroing, self.reading = zeroing, reading

    def offload_zeroes(self, start: int, length: int) -> bool:
        if start <= self.zeroing < start + length:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().offload_zeroes(start, length)

    def read(self, start: int, into: memoryview) -> int:
        if start <= self.reading < start + len(into):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().read(start, into)


def silent(done: int, total: int) -> None:
    del done, total


SIZES = [512, 4 * KIB, PIECE, PIECE + 512, 64 * MIB, 64 * MIB + 4 * KIB, 100 * MIB - 512]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("offloads", [True, False])
def test_every_byte_is_zeroed_and_read_back(size: int, offloads: bool) -> None:
    device = Memory(size, offloads=offloads)
    method, verified = wipe.wipe(device, ALL, silent)
    assert not any(device.data)
    assert (method, verified) == ("BLKZEROOUT" if offloads else "O_DIRECT writes", size)
    assert device.flushed == 1


@pytest.mark.parametrize("at", [0, 1, PIECE - 1, PIECE, 3 * PIECE + 5, 9 * PIECE - 1])
def test_one_byte_that_stays_is_found_and_named(at: int) -> None:
    with pytest.raises(WipeError, match=f"/dev/memory is not zero at offset {at} "):
        wipe.wipe(Forgetful(9 * PIECE, at), ALL, silent)


def test_the_ends_are_always_read_back() -> None:
    size = 7 * PIECE + 512
    for at in (0, PIECE - 1, size - 512, size - 1):
        with pytest.raises(WipeError, match=f"offset {at} "):
            wipe.wipe(Forgetful(size, at), 0, silent)


def test_an_error_while_zeroing_names_offset_and_device() -> None:
    with pytest.raises(WipeError, match=r"zeroing /dev/memory failed at 67108864: Input/output"):
        wipe.wipe(Failing(80 * MIB, zeroing=70 * MIB), ALL, silent)


def test_an_error_while_reading_back_names_offset_and_device() -> None:
    with pytest.raises(WipeError, match=f"reading back /dev/memory failed at {2 * PIECE}: Input"):
        wipe.wipe(Failing(9 * PIECE, reading=2 * PIECE + 7), ALL, silent)


def test_a_short_read_is_no_proof() -> None:
    device = Memory(9 * PIECE)
    device.data = bytearray(device.size - 512)
    with pytest.raises(WipeError, match=f"gave {PIECE - 512} of {PIECE} bytes at offset"):
        verify(device, spans_to_verify(device.size, ALL), lambda _: None)


def test_progress_counts_zeroing_and_reading_back_as_one() -> None:
    seen: list[tuple[int, int]] = []
    wipe.wipe(Memory(70 * MIB), ALL, lambda done, total: seen.append((done, total)))
    assert {total for _, total in seen} == {140 * MIB}
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert seen[-1][0] == 140 * MIB


@pytest.mark.parametrize("after", [0, 2])
def test_a_stop_passes_through_between_two_pieces(after: int) -> None:
    device, ticks = Memory(100 * MIB), 0

    def tick(done: int, total: int) -> None:
        nonlocal ticks
        if ticks == after:
            raise StoppedError(15)
        ticks += 1

    with pytest.raises(StoppedError):
        wipe.wipe(device, ALL, tick)
    assert any(device.data) == (after == 0)


def test_steps_grow_on_a_fast_device_and_shrink_on_a_slow_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr(wipe.time, "monotonic", lambda: now)  # type: ignore[attr-defined]

    class Timed(Memory):
        """Without data: 1 GiB/s at first, then 50 MiB/s."""

        def __init__(self) -> None:
            super().__init__(0)
            self.size = 4 * GIB

        def offload_zeroes(self, start: int, length: int) -> bool:
            nonlocal now
            now += length / (2 * GIB if start < GIB else 50 * MIB)
            self.steps.append((start, length))
            return True

    device = Timed()
    wipe.zero(device, lambda _: None)
    lengths = [length for _, length in device.steps]
    assert lengths[:4] == [64 * MIB, 128 * MIB, 256 * MIB, 256 * MIB]
    assert min(lengths) == 8 * MIB  # 0.16 s at 50 MiB/s
    assert sum(lengths) == device.size
    assert [start for start, _ in device.steps] == [sum(lengths[:n]) for n in range(len(lengths))]


# What is read back


@pytest.mark.parametrize("size", SIZES)
def test_a_full_read_back_covers_everything_once(size: int) -> None:
    spans = list(spans_to_verify(size, size))
    assert [start for start, _ in spans] == [n * PIECE for n in range(len(spans))]
    assert sum(length for _, length in spans) == size


@pytest.mark.parametrize(
    "size",
    [
        1,
        PIECE + 1,
        2 * PIECE,
        65 * PIECE + 512,
        66 * PIECE,
        67 * PIECE - 512,
        40 * GIB,
        3 * GIB + 1,
    ],
)
def test_a_sample_is_a_64th_at_least_with_both_ends_and_no_large_gap(size: int) -> None:
    spans = list(spans_to_verify(size, 0))
    ends = [start + length for start, length in spans]
    assert spans[0][0] == 0
    assert ends[-1] == size
    gaps = [start - end for (start, _), end in zip(spans[1:], ends, strict=False)]
    assert all(0 <= gap <= 2 * read_back.SAMPLED * PIECE for gap in gaps)
    assert sum(length for _, length in spans) * 64 >= size
    assert all(start % PIECE == 0 and 0 < length <= PIECE for start, length in spans)


def test_samples_cannot_be_foretold() -> None:
    assert len({tuple(spans_to_verify(40 * GIB, 0)) for _ in range(3)}) == 3


@pytest.mark.parametrize("length", [1, 511, 4096, 4097, 8192, 3 * 4096 + 512, PIECE])
def test_the_first_byte_that_is_not_zero_is_found(length: int) -> None:
    buffer = mmap(-1, PIECE)
    buffer[length:] = b"\xff" * (PIECE - length)  # what is behind does not matter
    assert first_nonzero(buffer, length) is None
    for at in {0, 1, length // 2, 4095, 4096, 4097, length - 1} & set(range(length)):
        buffer[at:length] = b"\xff" * (length - at)
        assert first_nonzero(buffer, length) == at
        buffer[at:length] = bytes(length - at)
        buffer[at] = 1
        assert first_nonzero(buffer, length) == at
        buffer[at] = 0


# Which device is wiped


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[str]:
    """Give a loop device, 28 MiB less 4 KiB of a pattern; needs root."""
    if os.geteuid() != 0 or not shutil.which("losetup") or not Path("/dev/loop-control").exists():
        pytest.skip("loop devices need root")
    image = tmp_path / "image"
    image.write_bytes(b"\xa5" * (SIZE))
    made = ["losetup", "--find", "--show", "--direct-io=on", str(image)]
    node = subprocess.run(made, check=True, capture_output=True, text=True).stdout.strip()
    yield node
    subprocess.run(["losetup", "--detach", node], check=True)


def nonzero_bytes(path: str) -> int:
    data = Path(path).read_bytes()
    return len(data) - data.count(0)


def test_a_real_device_is_wiped(loop: str) -> None:
    with BlockDevice(loop) as device:
        assert device.size == SIZE
        method, verified = wipe.wipe(device, ALL, silent)
    assert (method, verified) == ("BLKZEROOUT", SIZE)
    assert nonzero_bytes(loop) == 0


def test_a_real_device_is_wiped_by_writing(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_module, "BLKZEROOUT", 0x12FF)  # an ioctl that no device knows
    with BlockDevice(loop) as device:
        method, _ = wipe.wipe(device, ALL, silent)
    assert method == "O_DIRECT writes"
    assert nonzero_bytes(loop) == 0


def test_a_byte_on_a_real_device_is_found(loop: str) -> None:
    with BlockDevice(loop) as device:
        wipe.zero(device, lambda _: None)
        with Path(loop).open("r+b") as other:
            other.seek(17_777_777)
            other.write(b"x")
        with pytest.raises(WipeError, match="offset 17777777 "):
            verify(device, spans_to_verify(device.size, ALL), lambda _: None)


def test_a_device_held_by_somebody_is_refused(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_module, "BUSY_TIMEOUT", 0.2)
    with BlockDevice(loop), pytest.raises(WipeError, match=f"cannot open {loop} exclusively"):
        BlockDevice(loop)


def test_a_node_of_another_number_is_refused(loop: str) -> None:
    with pytest.raises(WipeError, match="not the device that was asked for"):
        BlockDevice(loop, os.makedev(253, 7))
    BlockDevice(loop).__exit__()


def test_a_file_is_no_device(tmp_path: Path) -> None:
    path = Path("/var/tmp/raptorctl-no-device")  # O_DIRECT needs a disk's file system
    path.write_bytes(bytes(4096))
    try:
        with pytest.raises(WipeError, match="not the device that was asked for"):
            BlockDevice(str(path))
    finally:
        path.unlink()


def volume_on(loop: str) -> Volume:
    number = Path(loop).stat().st_rdev
    return Volume(
        uuid=UUID,
        name="guest-zz-one",
        group="lvm-data",
        size=Size(SIZE),
        major=os.major(number),
        minor=os.minor(number),
    )


def known_as(monkeypatch: pytest.MonkeyPatch, uuid: str, opened: int = 1) -> None:
    known = Mapping(uuid=uuid, opened=opened)
    monkeypatch.setattr(wipe, "mapping", lambda _number: known)
    monkeypatch.setattr(wipe, "BUSY_TIMEOUT", 0.2)


KERNEL_UUID = "LVM-" + "g" * 32 + UUID.replace("-", "")


def test_a_volume_is_wiped_and_the_report_says_how(
    loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known_as(monkeypatch, KERNEL_UUID)
    volume = volume_on(loop)
    report = wipe.BlockWiper(ALL).wipe(volume, silent)
    assert (report.uuid, report.size, report.verified) == (UUID, volume.size, volume.size)
    assert (report.method, report.coverage) == ("BLKZEROOUT", "full")
    assert report.seconds > 0
    assert nonzero_bytes(loop) == 0
    assert wipe.BlockWiper(0).wipe(volume, silent).coverage == "sampled"


@pytest.mark.parametrize(
    "uuid",
    [
        "LVM-" + "g" * 32 + UUID.replace("-", "").replace("A", "B"),
        KERNEL_UUID + "-real",
        "CRYPT-" + KERNEL_UUID,
        "LVM-" + UUID.replace("-", "") + "g" * 32,
        "",
    ],
)
def test_another_volume_behind_the_number_is_refused(
    loop: str, monkeypatch: pytest.MonkeyPatch, uuid: str
) -> None:
    known_as(monkeypatch, uuid)
    refused(loop, volume_on(loop), "is not volume")


def test_a_volume_that_another_process_has_open_is_refused(
    loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known_as(monkeypatch, KERNEL_UUID, opened=2)
    refused(loop, volume_on(loop), "is in use")


def test_a_device_of_another_size_is_refused(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known_as(monkeypatch, KERNEL_UUID)
    refused(loop, replace(volume_on(loop), size=Size(16 * MIB)), "where LVM says")


def test_a_device_that_is_not_mapped_is_refused(loop: str) -> None:
    refused(loop, volume_on(loop), "is no mapped device")


def test_an_inactive_volume_is_refused(loop: str) -> None:
    refused(loop, replace(volume_on(loop), major=-1, minor=-1), "is not active")


def refused(loop: str, volume: Volume, why: str) -> None:
    with pytest.raises(WipeError, match=why):
        wipe.BlockWiper(ALL).wipe(volume, silent)
    assert nonzero_bytes(loop) == SIZE  # not one byte was touched
