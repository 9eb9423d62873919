"""Images onto a real block device by the real qemu-img; every byte is looked at."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from raptorctl.errors import HostError, StoppedError
from raptorctl.host.image import write as image_write
from raptorctl.host.image.write import BlockImageWriter
from raptorctl.host.volume.device import BlockDevice
from raptorctl.model.image import Image
from raptorctl.model.sizes import MIB, Size
from raptorctl.model.volume import Volume

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may have a loop device")

DISK, GUEST = 96 * MIB, 48 * MIB
VOLUME = Volume("u-u-i-d", "guest-alice-dev", "lvm-data", Size(DISK), major=7, minor=0)


def silent(done: int, total: int) -> None:
    """A tick that nobody watches."""


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A loop device full of zeroes, in the place of the claimed volume."""
    backing = tmp_path / "disk"
    with backing.open("wb") as file:
        file.truncate(DISK)
    attach = ["losetup", "-f", "--show", str(backing)]
    path = subprocess.run(attach, capture_output=True, text=True, check=True).stdout.strip()

    @contextmanager
    def claimed(volume: Volume) -> Iterator[BlockDevice]:
        with BlockDevice(path) as held:
            yield held

    monkeypatch.setattr(image_write, "claimed", claimed)
    yield path
    subprocess.run(["losetup", "-d", path], check=True)


@pytest.fixture
def raw(tmp_path: Path) -> bytes:
    """What the guest is to see: data at both ends and in the middle, holes between."""
    content = bytearray(GUEST)
    for start in (0, GUEST // 2 + 4096, GUEST - MIB):
        content[start : start + MIB] = os.urandom(MIB)
    (tmp_path / "image, with a comma.raw").write_bytes(content)
    return bytes(content)


def image(folder: Path, form: str, *options: str) -> Image:
    source, target = folder / "image, with a comma.raw", folder / f"it, again.{form}"
    make = ["qemu-img", "convert", "-q", "-f", "raw", "-O", form, *options]
    subprocess.run([*make, str(source), str(target)], check=True)
    stored = Size(target.stat().st_size)
    return Image("it", str(source), "5eed", form, Size(GUEST), stored, str(target), "")


@pytest.mark.parametrize(
    ("form", "options"), [("raw", ()), ("qcow2", ()), ("qcow2", ("-c",)), ("vmdk", ())]
)
def test_the_disk_begins_as_the_image_and_is_zero_behind_it(
    device: str, raw: bytes, tmp_path: Path, form: str, options: tuple[str, ...]
) -> None:
    ticks: list[tuple[int, int]] = []
    report = BlockImageWriter().write(
        image(tmp_path, form, *options), VOLUME, lambda *seen: ticks.append(seen)
    )
    there = Path(device).read_bytes()
    assert there[:GUEST] == raw
    assert there[GUEST:] == bytes(DISK - GUEST)
    assert (report.size, report.verified) == (GUEST, True)
    assert all(0 <= done <= total for done, total in ticks)


def test_a_device_that_does_not_keep_it_is_told(
    device: str, raw: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = image_write.write

    def write(*args: object) -> None:
        really(*args)  # type: ignore[arg-type]
        with open(device, "r+b", buffering=0) as disk:  # noqa: PTH123
            disk.seek(GUEST // 2)
            disk.write(b"rust" * 128)

    monkeypatch.setattr(image_write, "write", write)
    with pytest.raises(HostError, match="does not hold what image it does: they differ"):
        BlockImageWriter().write(image(tmp_path, "qcow2"), VOLUME, silent)


def test_a_damaged_image_is_told_with_what_to_do(device: str, raw: bytes, tmp_path: Path) -> None:
    it = image(tmp_path, "qcow2")
    with Path(it.path).open("r+b") as file:
        file.write(b"<!DOCTYPE html>")
    with pytest.raises(HostError, match=r"could not be written .*raptorctl image verify it"):
        BlockImageWriter().write(it, VOLUME, silent)


def test_a_large_image_touches_nothing(device: str, raw: bytes, tmp_path: Path) -> None:
    it = image(tmp_path, "raw")
    small = Volume("u", "guest-alice-dev", "lvm-data", Size(GUEST - MIB), major=7, minor=0)
    with pytest.raises(HostError, match="image it has 48M, guest-alice-dev 47M"):
        BlockImageWriter().write(it, small, silent)
    assert not any(Path(device).read_bytes())


def test_it_stops_when_asked_to_and_leaves_no_program_behind(
    device: str, raw: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = image(tmp_path, "raw")
    # A program in its place that would go on for ever.
    monkeypatch.setattr(image_write, "PROGRAM", ("sh", "-c", "exec sleep 3600.5", "sh"))

    def stop(done: int, total: int) -> None:
        raise StoppedError(15)

    with pytest.raises(StoppedError):
        BlockImageWriter().write(it, VOLUME, stop)
    found = subprocess.run(["pgrep", "-f", "sleep 3600.5"], capture_output=True, check=False)
    assert found.stdout == b""
