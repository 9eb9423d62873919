"""Waits for device nodes: at once, after a while, and not without end."""

import os
import threading
import time
from pathlib import Path

import pytest

from raptorctl.errors import WaitError
from raptorctl.host.volume import udev
from raptorctl.model.sizes import MIB, Size
from raptorctl.model.volume import Volume

UUID = "KmPlTn-jZ1C-8Ych-Y0Lp-iEtb-5nBW-hHqXw3"
NULL = Path("/dev/null").stat().st_rdev


@pytest.fixture
def volume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Volume:
    """Give a volume whose device is /dev/null and whose path is ours to make."""
    monkeypatch.setattr("raptorctl.model.volume.device_path", lambda _g, name: str(tmp_path / name))
    monkeypatch.setattr(udev, "NUMBERS", tmp_path)
    return Volume(UUID, "node", "vg", Size(MIB), major=os.major(NULL), minor=os.minor(NULL))


def later(act: object, *args: object, seconds: float = 0.3) -> None:
    threading.Timer(seconds, act, args).start()  # type: ignore[arg-type]


def kernel_device(volume: Volume, directory: Path, uuid: str) -> Path:
    folder = directory / f"{volume.major}:{volume.minor}" / "dm"
    folder.mkdir(parents=True)
    (folder / "uuid").write_text(f"{uuid}\n")
    return folder / "uuid"


def test_a_node_that_is_there_costs_no_wait(
    volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(udev, "_events", lambda: pytest.fail("no events are needed"))
    Path(volume.path).symlink_to("/dev/null")
    udev.wait_for_node(volume)


def test_a_node_that_comes_later_is_waited_for(volume: Volume) -> None:
    later(Path(volume.path).symlink_to, "/dev/null")
    udev.wait_for_node(volume, timeout=10)


def test_the_node_of_another_device_is_not_enough(volume: Volume) -> None:
    Path(volume.path).symlink_to("/dev/zero")
    began = time.monotonic()
    with pytest.raises(WaitError, match=r"node to be device 1:3; saw device 1:5"):
        udev.wait_for_node(volume, timeout=0.4)
    assert 0.4 <= time.monotonic() - began < 5


def test_no_node_at_all_is_said(volume: Volume) -> None:
    with pytest.raises(WaitError, match=r"waited 0.1 s for .*; saw nothing"):
        udev.wait_for_node(volume, timeout=0.1)


def test_gone_means_the_path_and_the_kernels_device(volume: Volume, tmp_path: Path) -> None:
    udev.wait_until_gone(volume)
    Path(volume.path).symlink_to("/dev/null")
    with pytest.raises(WaitError, match="to go away; saw device 1:3"):
        udev.wait_until_gone(volume, timeout=0.1)
    Path(volume.path).unlink()
    known = kernel_device(volume, tmp_path, f"LVM-{'g' * 32}{UUID.replace('-', '')}")
    with pytest.raises(WaitError, match="to go away; saw its kernel device"):
        udev.wait_until_gone(volume, timeout=0.1)
    later(known.unlink)
    udev.wait_until_gone(volume, timeout=10)


def test_a_number_that_another_volume_has_now_is_gone(volume: Volume, tmp_path: Path) -> None:
    kernel_device(volume, tmp_path, f"LVM-{'g' * 32}{'x' * 32}")
    udev.wait_until_gone(volume, timeout=0.1)


def test_settle_waits_for_the_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = tmp_path / "queue"
    monkeypatch.setattr(udev, "QUEUE", queue)
    udev.settle()
    queue.touch()
    with pytest.raises(WaitError, match="udev to settle; saw events in its queue"):
        udev.settle(timeout=0.1)
    later(queue.unlink)
    udev.settle(timeout=10)
