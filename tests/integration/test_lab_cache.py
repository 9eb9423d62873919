"""What a killed build of the lab's image left is removed, with what it had mounted."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.lab import cache

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")


def test_what_a_killed_build_left_mounted_does_not_stop_the_next_one(tmp_path: Path) -> None:
    left, elsewhere = tmp_path / "image.part", tmp_path / "elsewhere"
    inner = left / "rootfs/dev/shm"
    inner.parent.mkdir(parents=True)
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    subprocess.run(["mount", "-t", "tmpfs", "none", inner.parent], check=True)
    inner.mkdir()
    subprocess.run(["mount", "--bind", elsewhere, inner], check=True)
    cache.remove(left)
    assert not left.exists()
    assert (elsewhere / "kept").exists()
