"""Outputs of builds: what is in their places, and what is taken back."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from raptorctl.errors import HostError
from raptorctl.host.build import output
from raptorctl.host.build.obstacle import obstacle
from raptorctl.host.system.durable import unfinished
from raptorctl.model.build_record import BuildRecord, WrittenFile
from raptorctl.model.image_version import Provenance
from raptorctl.model.sizes import Size

MADE = Provenance("debian:13", "5eed", "d1", "carol", "2026-11-20T12:00:00Z", "0.1.0")


def folder_of(path: Path, *names: str) -> None:
    path.mkdir()
    for name in names:
        (path / name).write_text("precious")


IN_PLACE: dict[str, tuple[Callable[[Path], object], str, str]] = {
    # what is there: (how it comes there, of a file, of a folder)
    "nothing": (lambda _path: None, "", ""),
    "a file": (lambda path: path.write_text("old"), "", "is there, and is no folder"),
    "a link": (lambda path: path.symlink_to("/etc"), "", "is there, and is no folder"),
    "an empty folder": (folder_of, "is a folder", ""),
    "a folder": (
        lambda path: folder_of(path, "a"), "is a folder", "holds what no build put there"),
    "a pipe": (os.mkfifo, "is no file", "is there, and is no folder"),
}  # fmt: skip


@pytest.mark.parametrize("what", IN_PLACE)
def test_what_no_build_put_there_is_not_replaced(tmp_path: Path, what: str) -> None:
    made, file, folder = IN_PLACE[what]
    made(tmp_path / "out")
    assert obstacle(tmp_path / "out", folder=False, wrote=()) == file
    assert obstacle(tmp_path / "out", folder=True, wrote=()) == folder


def test_a_folder_that_the_build_wrote_before_is_replaced(tmp_path: Path) -> None:
    folder_of(tmp_path / "out", "meta-data", "stale")
    assert obstacle(tmp_path / "out", folder=True, wrote={str(tmp_path / "out")}) == ""


def test_a_file_on_the_way_and_a_name_that_is_too_long_are_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    said = obstacle(tmp_path / "a/b/x.raw", folder=False, wrote=())
    assert said == f"cannot be written: {tmp_path}/a is no folder"
    long = tmp_path / ("x" * 250)
    assert "no name" in obstacle(long, folder=False, wrote=())
    assert "no name" in obstacle(Path("/"), folder=True, wrote=())
    assert obstacle(tmp_path / "new/er/x.raw", folder=False, wrote=()) == ""


def test_nothing_is_to_be_undone_where_nothing_can_be(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("kept")
    for path in (tmp_path / "a/x.raw", tmp_path / ("x" * 300)):
        output.unexport(path, ())
        output.withdraw(path.with_name("staged"), path, path.with_name("before"))
    assert (tmp_path / "a").read_text() == "kept"


def test_a_record_that_was_cut_off_is_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "built/a.json.j1.new"
    output.keep_record(path, BuildRecord("j1", "d1", MADE))
    assert path.is_file()
    unfinished(path).write_text("{")
    output.unexport(path, ())
    assert [*path.parent.iterdir()] == []


def test_a_folder_that_came_meanwhile_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "staged").write_text("new")
    folder_of(tmp_path / "out", "a")
    with pytest.raises(HostError, match="came to be something else meanwhile"):
        output.publish(tmp_path / "staged", tmp_path / "out", tmp_path / "before")
    output.withdraw(tmp_path / "staged", tmp_path / "out", tmp_path / "before")
    assert (tmp_path / "out/a").read_text() == "precious"


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "sub/ver").write_text("broken"),
        lambda folder: (folder / "sub/ver").chmod(0o755),
        lambda folder: (folder / "sub/ver").unlink(),
        lambda folder: (folder / "sub/more").touch(),
    ],
)
def test_a_folder_in_which_anything_changed_is_not_as_it_was_written(
    tmp_path: Path, change: Callable[[Path], object]
) -> None:
    folder, kept = tmp_path / "out", tmp_path / "record.json"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub/ver").write_text("1.0")
    (folder / "gone").symlink_to("nowhere")
    written = WrittenFile(str(folder), Size(0), 0)
    output.keep_record(kept, BuildRecord("j1", "d1", MADE, (written,)))
    assert output.record(kept)
    change(folder)
    assert output.record(kept) is None
