"""Files that are volumes, made by the real qemu-img."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from raptorctl.errors import ConflictError, HostError
from raptorctl.host.system.command import watch
from raptorctl.host.volume import qcow2_copy
from raptorctl.host.volume.qcow2_copy import FileCopier
from raptorctl.host.volume.qcow2_image import OverlayImageWriter
from raptorctl.host.volume.qcow2_volumes import FileWiper, OverlayVolumes
from raptorctl.model.image import Image
from raptorctl.model.sizes import GIB, KIB, MIB, Size
from raptorctl.model.volume import CLEAN, DIRTY, OURS, Volume

NAME = "guest-alice-web"
TAGS = (OURS, "raptor.tenant=alice", "raptor.job=j1", CLEAN)


@pytest.fixture
def volumes(tmp_path: Path) -> OverlayVolumes:
    return OverlayVolumes(str(tmp_path))


@pytest.fixture
def volume(volumes: OverlayVolumes) -> Volume:
    return volumes.create(NAME, GIB, TAGS)


def info(volume: Volume) -> dict[str, Any]:
    said = ["qemu-img", "info", "--output", "json", volume.path]
    done: dict[str, Any] = json.loads(subprocess.run(said, capture_output=True, check=True).stdout)
    return done


def names(volumes: OverlayVolumes) -> set[str]:
    return {path.name for path in volumes.directory.iterdir()}


def quiet(_done: int, _all: int) -> None:
    pass


def test_a_new_one_is_thin_whole_and_for_its_owner_alone(
    volumes: OverlayVolumes, volume: Volume
) -> None:
    assert (volume.size, volume.tags, volume.clean) == (GIB, TAGS, True)
    assert info(volume)["virtual-size"] == GIB
    assert Path(volume.path).stat().st_size < MIB
    assert Path(volume.path).stat().st_mode & 0o777 == 0o600
    assert volumes.list() == (volume,)
    assert names(volumes) == {f"{NAME}.qcow2", f"{NAME}.json"}


def test_a_file_of_somebody_else_stays(volumes: OverlayVolumes) -> None:
    theirs = volumes.directory / f"{NAME}.qcow2"
    theirs.write_text("a thesis")
    assert volumes.list() == ()
    with pytest.raises(ConflictError, match="exists"):
        volumes.create(NAME, GIB, TAGS)
    assert theirs.read_text() == "a thesis"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"uuid": 1}', '{"uuid": "u", "tags": []}'])
def test_a_note_that_is_none_is_nobodys_volume(volumes: OverlayVolumes, text: str) -> None:
    (volumes.directory / f"{NAME}.json").write_text(text)
    assert volumes.list() == ()


def test_one_without_its_file_is_ours_and_not_clean(
    volumes: OverlayVolumes, volume: Volume
) -> None:
    Path(volume.path).unlink()
    found = volumes.find(volume.uuid)
    assert found
    assert not found.clean
    assert DIRTY in found.tags
    volumes.remove(found)
    assert names(volumes) == set()


def test_tags_and_names_change_and_the_identifier_stays(
    volumes: OverlayVolumes, volume: Volume
) -> None:
    volumes.rename(volume, "wipe-u1")
    volumes.retag(volume, add=[DIRTY], remove=[CLEAN], at_boot=False)
    (found,) = volumes.list()
    assert (found.uuid, found.name) == (volume.uuid, "wipe-u1")
    assert DIRTY in found.tags
    assert names(volumes) == {"wipe-u1.qcow2", "wipe-u1.json"}


def test_one_that_is_removed_leaves_nothing(volumes: OverlayVolumes, volume: Volume) -> None:
    volumes.remove(volume)
    assert names(volumes) == set()


def test_it_grows(volumes: OverlayVolumes, volume: Volume) -> None:
    volumes.enlarge(volume, 2 * GIB)
    found = volumes.find(volume.uuid)
    assert found
    assert found.size == info(volume)["virtual-size"] == 2 * GIB


@pytest.fixture
def image(tmp_path: Path) -> Image:
    path = tmp_path / "cache" / "an image, with a comma.raw"
    path.parent.mkdir()
    path.write_bytes(b"hello".ljust(MIB, b"\0"))
    size = Size(MIB)
    return Image("hello", "/srv/hello.raw", "ab" * 32, "raw", size, size, str(path), "2026")


def test_a_file_over_an_image_reads_as_the_image_and_copies_nothing(
    volume: Volume, image: Image
) -> None:
    report = OverlayImageWriter().write(image, volume, quiet)
    assert (report.digest, report.size, report.verified) == (image.digest, MIB, False)
    said = info(volume)
    assert said["full-backing-filename"] == image.path
    assert (said["backing-filename-format"], said["virtual-size"]) == ("raw", GIB)
    out = Path(volume.path).with_suffix(".raw")
    subprocess.run(["qemu-img", "convert", "-O", "raw", volume.path, str(out)], check=True)
    with out.open("rb") as file:
        assert file.read(MIB) == Path(image.path).read_bytes()


def test_an_image_that_is_gone_or_too_large_changes_nothing(volume: Volume, image: Image) -> None:
    before = Path(volume.path).read_bytes()
    with pytest.raises(HostError, match="takes 2G"):
        OverlayImageWriter().write(replace(image, size=Size(2 * GIB)), volume, quiet)
    Path(image.path).unlink()
    with pytest.raises(HostError, match="is gone"):
        OverlayImageWriter().write(image, volume, quiet)
    assert Path(volume.path).read_bytes() == before


def test_emptying_one_leaves_nothing_of_it(volume: Volume, image: Image) -> None:
    OverlayImageWriter().write(image, volume, quiet)
    report = FileWiper().wipe(volume, quiet)
    assert (report.method, report.verified) == ("new file", 0)
    assert "backing-filename" not in info(volume)


def test_what_only_lvm_can_do_is_refused(volumes: OverlayVolumes, volume: Volume) -> None:
    for refused in (
        lambda: volumes.extents(volume),
        lambda: volumes.shrink(volume, 1),
        lambda: volumes.split(volume),
    ):
        with pytest.raises(HostError, match="is a file"):
            refused()


SNAP = "snap-alice-web.before"


def write(volume: Volume, fill: str) -> None:
    """As its guest would, in the middle of it."""
    command = ("qemu-io", "-f", "qcow2", "-c", f"write -P {fill} 1M 64k", volume.path)
    subprocess.run(command, check=True, capture_output=True)


def holds(volume: Volume, fill: str) -> bool:
    command = ("qemu-io", "-f", "qcow2", "-c", f"read -P {fill} 1M 64k", volume.path)
    return b"failed" not in subprocess.run(command, check=True, capture_output=True).stdout


def test_a_snapshot_is_a_whole_copy_over_the_same_image(
    volumes: OverlayVolumes, volume: Volume, image: Image
) -> None:
    OverlayImageWriter().write(image, volume, quiet)
    write(volume, "1")
    made = volumes.snapshot(volume, SNAP, 0, TAGS, quiet)
    write(volume, "2")
    assert (made.origin, made.size, made.uuid != volume.uuid) == (NAME, GIB, True)
    assert volumes.named(SNAP) == made
    assert info(made)["full-backing-filename"] == image.path
    assert Path(made.path).stat().st_mode & 0o777 == 0o600
    assert (holds(made, "1"), holds(volume, "2")) == (True, True)


def test_what_is_put_back_is_what_was_and_the_snapshot_stays(
    volumes: OverlayVolumes, volume: Volume
) -> None:
    write(volume, "1")
    made = volumes.snapshot(volume, SNAP, 0, TAGS, quiet)
    write(volume, "2")
    report = FileCopier().restore(volume, made, quiet)
    assert (holds(volume, "1"), holds(made, "1")) == (True, True)
    assert (report.size, report.differing >= 64 * KIB) == (0, True)
    assert names(volumes) == {f"{name}.{end}" for name in (NAME, SNAP) for end in ("json", "qcow2")}


def test_a_file_that_is_written_meanwhile_gives_no_snapshot(
    volumes: OverlayVolumes, volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    def started_meanwhile(*argv: str, **options: Any) -> None:
        watch(*argv, **options)
        write(volume, "2")

    monkeypatch.setattr(qcow2_copy, "watch", started_meanwhile)
    with pytest.raises(ConflictError, match="was written while it was copied"):
        volumes.snapshot(volume, SNAP, 0, TAGS, quiet)
    assert names(volumes) == {f"{NAME}.qcow2", f"{NAME}.json", f"{SNAP}.json"}


def test_a_copy_that_fails_leaves_the_file_as_it_was(
    volumes: OverlayVolumes, volume: Volume
) -> None:
    write(volume, "1")
    made = volumes.snapshot(volume, SNAP, 0, TAGS, quiet)
    write(volume, "2")
    Path(made.path).unlink()
    with pytest.raises(HostError, match="cannot copy"):
        FileCopier().restore(volume, made, quiet)
    assert holds(volume, "2")
    assert not [name for name in names(volumes) if name.endswith(".part")]
