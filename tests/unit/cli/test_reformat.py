"""`raptorctl reformat` on the command line: no host is asked, and nobody has to be root."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.session import CommandLine

UGLY = 'Artifact (IID "x") -- why\n (CloudInit [CI_ISO] "out")'
LAID_OUT = 'Artifact (IID "x")  -- why\n  (CloudInit [CI_ISO] "out")\n'
NEAT = "EmptyArtifact\n"


@pytest.fixture
def host(raptorctl: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    Path("ugly.b9").write_text(UGLY)
    Path("ugly.b9").chmod(0o640)
    Path("neat.b9").write_text(NEAT)
    raptorctl.root = False
    return raptorctl


def test_a_file_is_laid_out_anew_once(host: CommandLine) -> None:
    done = host("reformat", "ugly.b9", "neat.b9")
    assert (done.code, done.out) == (
        0, "ugly.b9 is laid out anew\nneat.b9 is already so\n",
    )  # fmt: skip
    assert "-- why" in Path("ugly.b9").read_text()
    assert Path("ugly.b9").stat().st_mode & 0o777 == 0o640
    assert host("reformat", "ugly.b9").out == "ugly.b9 is already so\n"


def test_check_writes_nothing_and_tells_by_its_exit(host: CommandLine) -> None:
    done = host("reformat", "ugly.b9", "neat.b9", "--check")
    assert (done.code, done.out) == (
        10, "ugly.b9 would be laid out anew\nneat.b9 is already so\n",
    )  # fmt: skip
    assert Path("ugly.b9").read_text() == UGLY
    assert host("reformat", "neat.b9", "--check").code == 0
    said = json.loads(host("reformat", "ugly.b9", "--check", "-o", "json").out)
    assert said == {"files": [{"file": "ugly.b9", "changed": True}]}


def test_standard_input_goes_to_standard_output(host: CommandLine) -> None:
    done = host("reformat", "-", answer=UGLY)
    assert (done.code, done.out) == (0, host("reformat", "-", answer=done.out).out)
    assert host("reformat", "-", "--check", answer=UGLY).code == 10
    assert host("reformat", "-", "neat.b9", answer=UGLY).code == 2


def test_one_that_is_wrong_keeps_all_as_they_are(host: CommandLine) -> None:
    Path("wrong.b9").write_text("Emptyartifact")
    done = host("reformat", "ugly.b9", "wrong.b9")
    assert (done.code, Path("ugly.b9").read_text()) == (2, UGLY)
    assert "wrong.b9:1:1: 'Emptyartifact' is not known here" in done.complaint


def test_what_only_raptorctl_refuses_is_laid_out(host: CommandLine) -> None:
    Path("old.b9").write_text(
        'Artifact (IID "x") (VmImages [ImageTarget Transient (CopyOnWrite (Image "x" Raw Ext4_64)) '
        "NotMounted] NoVmScript)"
    )
    assert host("reformat", "old.b9").code == 0


def test_root_writes_nobodys_file(host: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("raptorctl.host.system.caller.caller", object)
    monkeypatch.setattr("raptorctl.cli.command.reformat.given_text", lambda *_: UGLY)
    done = host("reformat", "ugly.b9")
    assert (done.code, Path("ugly.b9").read_text()) == (3, UGLY)
