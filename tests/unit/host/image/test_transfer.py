"""Unpacking: real archives by real programs."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from raptorctl.errors import CommandError, HostError, RefusedError
from raptorctl.host.image.transfer import brought
from raptorctl.host.system.caller import open_own
from raptorctl.host.system.pipe import piped
from raptorctl.model.sizes import MIB, Size
from tests.disks import packed, raw_disk

pytestmark = pytest.mark.long

KINDS = ["gz", "xz", "zst", "7z"]
ROOM = Size(16 * MIB)


def bring(source: Path, target: Path, largest: Size = ROOM) -> str:
    with open_own(str(source)) as stream:
        return brought(stream, target, largest, lambda _done, _all: None)


def test_a_file_is_copied_byte_by_byte_and_holes_stay_holes(tmp_path: Path) -> None:
    source = raw_disk(tmp_path / "image", 8 * MIB)
    digest = bring(source, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()
    assert digest == hashlib.sha256(source.read_bytes()).hexdigest()
    assert (tmp_path / "copy").stat().st_blocks * 512 < 4 * MIB


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_is_unpacked_whatever_it_is_called(tmp_path: Path, kind: str) -> None:
    image = raw_disk(tmp_path / "image")
    archive = packed(image, kind).rename(tmp_path / "anything.img")
    digest = bring(archive, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == image.read_bytes()
    assert digest == hashlib.sha256(image.read_bytes()).hexdigest()


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_archive_is_refused(tmp_path: Path, kind: str) -> None:
    archive = packed(raw_disk(tmp_path / "image"), kind)
    archive.write_bytes(archive.read_bytes()[:-100_000])
    with pytest.raises(HostError, match="the archive is damaged or cut off"):
        bring(archive, tmp_path / "copy")


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_with_one_wrong_bit_is_refused(tmp_path: Path, kind: str) -> None:
    archive = packed(raw_disk(tmp_path / "image"), kind)
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)
    with pytest.raises(HostError, match="the archive is damaged or cut off"):
        bring(archive, tmp_path / "copy")


@pytest.mark.parametrize("kind", KINDS)
def test_a_small_archive_of_endless_zeroes_ends_at_the_limit(tmp_path: Path, kind: str) -> None:
    bomb = tmp_path / "bomb"
    with bomb.open("wb") as file:
        file.truncate(64 * MIB)
    archive = packed(bomb, kind)
    assert archive.stat().st_size < MIB
    with pytest.raises(HostError, match=r"larger than 16M, unpacked: .*images\.largest"):
        bring(archive, tmp_path / "copy")


def test_what_is_just_as_large_as_allowed_is_taken(tmp_path: Path) -> None:
    image = raw_disk(tmp_path / "image")
    bring(packed(image, "xz"), tmp_path / "copy", Size(image.stat().st_size))


def test_a_7z_of_two_files_is_refused(tmp_path: Path) -> None:
    raw_disk(tmp_path / "image")
    (tmp_path / "second").write_text("x")
    archive = tmp_path / "two.7z"
    words = ["bsdtar", "--format=7zip", "-C", str(tmp_path), "-cf", str(archive)]
    subprocess.run([*words, "image", "second"], check=True, timeout=60)
    with pytest.raises(HostError, match="the archive has 2 files, and should have one"):
        bring(archive, tmp_path / "copy")


def test_a_7z_of_names_without_end_is_refused_and_does_not_hang(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    for number in range(6000):
        (folder / f"{number:0>240}").mkdir(parents=True)
    words = ["bsdtar", "--format=7zip", "-C", str(folder), "-cf", str(tmp_path / "x.7z"), "."]
    subprocess.run(words, check=True, timeout=60)
    with pytest.raises(HostError, match="the archive has more than one file"):
        bring(tmp_path / "x.7z", tmp_path / "copy")


def test_what_is_not_read_to_its_end_ends_all_the_same() -> None:
    with pytest.raises(CommandError), piped(("yes",)) as stream:
        assert stream.read(2) == b"y\n"


def test_nothing_is_written_over_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "copy").write_text("mine")
    with pytest.raises(RefusedError, match="File exists"):
        bring(raw_disk(tmp_path / "image"), tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "mine"
