"""`raptorctl build FILE.b9` on a host in memory."""

import json
from pathlib import Path

import pytest

from tests.fakes import IMAGE, World
from tests.unit.cli.session import CommandLine

IMAGES = """
Artifact (IID "web")
  (VmImages
     [ ImageTarget (Share "web" QCow2 KeepSize) (From "debian:13" %s) NotMounted
     , ImageTarget (LocalFile (Image "out/${arg_1}.vmdk" Vmdk Ext4) KeepSize)
         (EmptyImage "data" Ext4 Raw (ImageSize 1 GB)) NotMounted
     ]
     NoVmScript)
"""
SEED = """
Sources [FromContent "meta-data" (FromTextFile (Source ExpandVariables "meta"))]
  [Artifact (IID "seed") (CloudInit [CI_ISO, CI_DIR] "out/$release")]
"""


@pytest.fixture
def folder(tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> Path:
    world.images.all = (IMAGE,)
    (tmp_path / "b").mkdir()
    monkeypatch.chdir(tmp_path)
    Path("b/web.b9").write_text(IMAGES % "KeepSize")
    Path("b/seed.b9").write_text(SEED)
    Path("b/meta").write_text("instance-id: $release-${build_id}\n")
    return tmp_path / "b"


def test_it_is_built_like_any_other(folder: Path, raptorctl: CommandLine, world: World) -> None:
    done = raptorctl("build", "b/web.b9", "--", "one")
    assert done.code == 0, done.err
    assert done.out == f"web is built: image web, {folder}/out/one.vmdk\n"
    assert world.images.built["web"].source_digest == IMAGE.digest
    assert not Path("out").exists()


def test_several_files_are_one_build(folder: Path, raptorctl: CommandLine) -> None:
    typed = ("build", "b/web.b9", "-f", "b/seed.b9", "--var", "release=13")
    done = raptorctl(*typed, "--list-outputs", "-o", "json", "--", "x")
    assert [(one["build"], one["target"]) for one in json.loads(done.out)["outputs"]] == [
        ("web", "web"),
        ("web", f"{folder}/out/x.vmdk"),
        ("seed", f"{folder}/out/13.iso"),
        ("seed", f"{folder}/out/13"),
    ]
    refused = raptorctl("build", "raptor.toml", "-f", "b/seed.b9")
    assert refused.code == 2


def test_no_file_that_it_is_put_together_of_is_written_over(
    folder: Path, raptorctl: CommandLine, world: World
) -> None:
    Path("b/meta").rename("b/meta.iso")
    Path("b/seed.b9").write_text(SEED.replace('"meta"))', '"meta.iso"))'))
    done = raptorctl("build", "b/seed.b9", "--var", "release=../meta")
    assert (done.code, "b/meta.iso is read by the build" in done.err) == (2, True), done.err
    assert world.builder.files == {}


def test_what_is_new_each_time_is_no_change(
    folder: Path, raptorctl: CommandLine, world: World
) -> None:
    typed = ("build", "b/seed.b9", "--var", "release=13", "--if-changed")
    assert raptorctl(*typed).out.startswith("seed is built: ")
    assert raptorctl(*typed).out == "seed: nothing to do, it is built of the same already\n"
    (folder / "meta").write_text("instance-id: other\n")
    assert raptorctl(*typed).out.startswith("seed is built: ")


def test_what_is_wrong_has_its_place_and_nothing_is_touched(
    folder: Path, raptorctl: CommandLine, world: World
) -> None:
    (folder / "web.b9").write_text(IMAGES % "KeepSizes")
    done = raptorctl("build", "b/web.b9", "--", "one")
    assert done.code == 2
    assert done.complaint.endswith(
        "b/web.b9:4:67: 'KeepSizes' is not known here; did you mean KeepSize?"
    )
    (folder / "web.b9").write_text(
        (IMAGES % "KeepSize").replace('"web" QCow2', '"debian:13" QCow2')
    )
    done = raptorctl("build", "b/web.b9", "--", "one")
    assert "b/web.b9:4:21: build.web.output[0]: debian:13 is what it begins as" in done.err
    assert world.builder.files == {}


def test_two_disks_are_not_mounted_at_one_place(folder: Path, raptorctl: CommandLine) -> None:
    text = (IMAGES % "KeepSize").replace("NotMounted", '(MountPoint "/")')
    (folder / "web.b9").write_text(text)
    assert raptorctl("build", "b/web.b9", "--dry-run", "--", "one").code == 0  # nothing looks there
    run = '(VmScript X86_64 [] (Run "true" []))'
    (folder / "web.b9").write_text(text.replace("NoVmScript", run))
    done = raptorctl("build", "b/web.b9", "--", "one")
    assert done.code == 2
    assert "b/web.b9:6:57: build.web.disks.disk2.at: / would hide what is mounted at /" in done.err


def test_a_format_that_is_said_counts_more_than_the_name(
    folder: Path, raptorctl: CommandLine
) -> None:
    Path("b/web.b9").rename("b/web.toml")
    typed = ("build", "b/web.toml", "--list-outputs")
    refused = raptorctl(*typed)
    assert refused.complaint == (
        "raptorctl: b/web.toml:2:1: is a line of a build file of B9's, and was read as a "
        "raptor.toml; say --format b9"
    )
    said = raptorctl(*typed, "--format", "b9", "--", "x")
    assert (said.code, f"{folder}/out/x.vmdk" in said.out) == (0, True)
    unsaid = raptorctl(
        "build", "-", "--list-outputs", "--", "x", answer=Path("b/web.toml").read_text()
    )
    assert (unsaid.code, "out/x.vmdk" in unsaid.out) == (0, True), unsaid.err
    imported = raptorctl("import", "b/web.toml", "--format", "b9")
    assert "[build.web]" in imported.out
    Path("b/b9.conf").write_text("[machine.web]\n")
    ours = raptorctl("import", "b/b9.conf")
    assert "b/b9.conf:1:1: is a line of a raptor.toml" in ours.complaint
    assert "it is for `raptorctl up` as it is" in ours.complaint


def test_what_one_artifact_shares_another_begins_as(folder: Path, raptorctl: CommandLine) -> None:
    text = """Sources []
      [ Artifact (IID "top") (VmImages [ImageTarget (Share "top" QCow2 KeepSize)
          (From "base" KeepSize) NotMounted] NoVmScript)
      , Artifact (IID "base") (VmImages [ImageTarget (Share "base" QCow2 KeepSize)
          (From "debian:13" KeepSize) NotMounted] NoVmScript) ]"""
    (folder / "web.b9").write_text(text)
    done = raptorctl("build", "b/web.b9")
    assert done.code == 0, done.err
    assert done.out == "base is built: image base\ntop is built: image top\n"


def test_what_is_new_each_time_may_be_in_a_name(
    folder: Path, raptorctl: CommandLine, world: World
) -> None:
    text = (IMAGES % "KeepSize").replace('"web"', '"web-${build_id}"')
    (folder / "web.b9").write_text(text)
    done = raptorctl("build", "b/web.b9", "--if-changed", "--", "one")
    assert done.code == 0, done.err
    [name] = world.images.built
    assert done.out == f"{name} is built: image {name}, {folder}/out/one.vmdk\n"
    again = raptorctl("build", "b/web.b9", "--if-changed", "--", "one")
    assert again.out.endswith(": nothing to do, it is built of the same already\n")


def test_what_is_wrong_in_a_further_file_has_its_place_there(
    folder: Path, raptorctl: CommandLine
) -> None:
    text = (IMAGES % "KeepSize").replace("web", "more").replace("${arg_1}", "more")
    (folder / "more.b9").write_text(text.replace("debian:13", "nope:1"))
    done = raptorctl("build", "b/web.b9", "-f", "b/more.b9", "--", "one")
    assert "b/more.b9:4:51: build.more.from: 'nope:1' is in no catalogue of images" in done.err


def test_a_file_that_makes_nothing_is_no_error(folder: Path, raptorctl: CommandLine) -> None:
    (folder / "web.b9").write_text("Let [] [EmptyArtifact]")
    done = raptorctl("build", "b/web.b9")
    assert (done.code, done.out) == (0, "b/web.b9 makes nothing\n")
    done = raptorctl("build", "b/web.b9", "-o", "json")
    assert json.loads(done.out) == {"builds": []}
    assert raptorctl("build", "b/web.b9", "--list-outputs").code == 0
    assert raptorctl("build", "b/web.b9", "web").complaint.endswith("has no build web: known: none")


def test_a_command_with_a_nul_is_told(folder: Path, raptorctl: CommandLine, world: World) -> None:
    run = '(VmScript X86_64 [] (Run "true" ["a\\0b"]))'
    text = (IMAGES % "KeepSize").replace("NotMounted", '(MountPoint "/")', 1)
    (folder / "web.b9").write_text(text.replace("NoVmScript", run))
    done = raptorctl("build", "b/web.b9", "--dry-run", "--", "one")
    assert done.code == 2
    assert "b/web.b9:3:4: build.web.steps[0].command: has a NUL" in done.err
