"""The way to libvirt."""

from pathlib import Path

import pytest

from raptorctl.host.domain import hypervisor
from raptorctl.host.domain.hypervisor import shortest


@pytest.fixture
def behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "libvirt-sock"
    monkeypatch.setattr(hypervisor, "BEHIND", str(path))
    return path


def test_root_goes_past_the_relay_where_there_is_one(behind: Path) -> None:
    assert shortest("qemu:///system") == "qemu:///system"
    behind.touch()
    assert shortest("qemu:///system") == f"qemu+unix:///system?socket={behind}"


def test_another_libvirt_is_reached_as_it_is_called(behind: Path) -> None:
    behind.touch()
    assert shortest("qemu:///session") == "qemu:///session"
    assert shortest("test:///default") == "test:///default"
