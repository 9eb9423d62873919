"""`build` of root's, as a whole: upstream's smallest B9 file, its script run by systemd-nspawn."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from raptorctl.model.sizes import MIB
from tests.root_host import RootHost
from tests.small_tree import small_disk, small_tree

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
SAMPLE = Path(__file__).parents[1] / "samples/b9/minimal.b9"


@pytest.fixture
def host(tmp_path: Path) -> RootHost:
    shutil.copy(SAMPLE, tmp_path)
    (tmp_path / "test-share-ro").mkdir()
    (tmp_path / "test-share-ro/test").write_text("of the share\n")
    raw = small_disk(tmp_path / "in.raw", small_tree(tmp_path / "tree"), 64 * MIB)
    convert(raw, tmp_path / "minimal-image-in.qcow2")
    return RootHost(tmp_path)


def convert(source: Path, target: Path) -> None:
    form = target.suffix.removeprefix(".")
    subprocess.run(["qemu-img", "convert", "-O", form, source, target], check=True)


def asked(disk: Path, command: str) -> str:
    argv = ("/usr/sbin/debugfs", "-R", command, str(disk))
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def test_upstreams_smallest_b9_file_is_built_for_who_trusts_its_image(host: RootHost) -> None:
    source, out = (host.folder / f"minimal-image-{name}" for name in ("in.qcow2", "out.vmdk"))
    before = hashlib.sha256(source.read_bytes()).hexdigest()
    done = host.raptorctl("build", "minimal.b9", "--trust")
    assert done.returncode == 0, done.stderr
    assert f"{host.folder}/seeds/builds/" in done.stderr  # its fixup says which disk it got
    convert(out, host.folder / "out.raw")
    disk = host.folder / "out.raw"
    assert asked(disk, "cat /test-2-passed") == "of the share\n"
    assert "Type: regular" in asked(disk, "stat /test-1-passed")
    subprocess.run(["/usr/sbin/e2fsck", "-fn", disk], check=True, capture_output=True)
    assert hashlib.sha256(source.read_bytes()).hexdigest() == before
    assert [*(host.folder / "seeds/builds").iterdir()] == []


def test_its_script_that_fails_leaves_no_image(host: RootHost) -> None:
    text = (host.folder / "minimal.b9").read_text()
    (host.folder / "minimal.b9").write_text(text.replace("/bin/touch", "/bin/no-such"))
    done = host.raptorctl("build", "minimal.b9", "--trust")
    assert done.returncode == 1
    assert "ended with status 127; rolled back" in done.stderr
    assert not (host.folder / "minimal-image-out.vmdk").exists()
    assert [*(host.folder / "seeds/builds").iterdir()] == []
