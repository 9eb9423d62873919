"""`raptorctl image push` and `sign`, into a folder of this host."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from raptorctl.host.image.cache import LocalImages
from tests.disks import disk
from tests.fakes import World
from tests.unit.cli.session import CommandLine
from tests.unit.test_docs import shape, told_shape


@pytest.fixture
def raptorctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    world: Any = World()
    world.images = LocalImages(str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    disk(tmp_path / "web.qcow2")
    line = CommandLine(world, tmp_path)
    assert line("image", "pull", "./web.qcow2", "--name", "web").code == 0
    return line


@pytest.fixture
def key(tmp_path: Path) -> Path:
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")]
    subprocess.run(argv, check=True)
    return tmp_path / "key"


def test_an_image_is_signed_and_pushed(raptorctl: CommandLine, key: Path, tmp_path: Path) -> None:
    signed = raptorctl("image", "sign", "web", "--key", str(key), "--expires", "2090-01-01")
    assert signed.out.startswith("image web is signed as web: build ")
    pushed = raptorctl("image", "push", "web", "./shared")
    first, pinned, moving = pushed.out.splitlines()
    build = first.removeprefix("image web is pushed: build ")
    assert pinned.strip() == f"{tmp_path}/shared/index.json#web@{build}"
    assert moving.strip() == f"{tmp_path}/shared/index.json#web"
    assert len(list((tmp_path / "shared").iterdir())) == 4
    again = raptorctl("image", "push", "web", "./shared")
    assert again.out.startswith("image web is already there: build ")


def test_a_folder_below_ones_home_is_no_folder_of_that_letter(
    raptorctl: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pwd.getpwnam", lambda _name: SimpleNamespace(pw_dir=f"{tmp_path}/home"))
    (tmp_path / "home").mkdir()
    pushed = raptorctl("image", "push", "web", "~/shared")
    assert f" {tmp_path}/home/shared/index.json#web\n" in pushed.out
    assert (tmp_path / "home" / "shared" / "index.json").exists()
    assert not (tmp_path / "~").exists()


def test_what_is_printed_as_json_is_as_told(raptorctl: CommandLine, key: Path) -> None:
    signed = json.loads(raptorctl("image", "sign", "web", "--key", str(key), "-o", "json").out)
    pushed = json.loads(raptorctl("image", "push", "web", "./shared", "-o", "json").out)
    assert shape(signed) == told_shape("`image sign`")
    of_builds = {key for key in told_shape("`image push`") if ".built." in key}
    assert shape(pushed) == told_shape("`image push`") - of_builds


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("web", "elsewhere"), "is no place to push an image to"),
        (("web", "ftp://a/b"), "is no place to push an image to"),
        (("web", "ssh://host"), "is not a folder on another host"),
        (("web", "ssh://user:secret@host/a"), "is not a folder on another host"),
        (("web", "ssh://-oProxyCommand=x/a"), "is not a folder on another host"),
        (("web", "ssh://host/../etc"), "is not a folder on another host"),
        (("web", "oci://a/B"), "is not a reference to an image in a registry"),
        (("web", "oci://a/b@sha256:" + "a" * 64), "what is pushed has its own"),
        (("web", "oci://a/b", "--expires", "2090-01-01"), "a registry has none"),
        (("web", "./a", "--expires", "tomorrow"), "is not a day"),
        (("web", "./a", "--expires", "2026-01-01"), "2026-01-01 has begun"),
    ],
)
def test_bad_targets_are_exit_code_2(
    raptorctl: CommandLine, words: tuple[str, ...], said: str
) -> None:
    done = raptorctl("image", "push", *words)
    assert (done.code, said in done.err) == (2, True)
    assert len(done.err.splitlines()) == 1


def test_a_password_in_a_target_is_not_repeated(raptorctl: CommandLine) -> None:
    assert "hunter2" not in raptorctl("image", "push", "web", "ssh://u:hunter2@h/a").err


def test_what_is_not_here_is_not_pushed(raptorctl: CommandLine) -> None:
    done = raptorctl("image", "push", "nope", "./shared")
    assert (done.code, "no such image: nope" in done.err) == (3, True)


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of somebody who types sudo and is nobody otherwise."""
    monkeypatch.setenv("SUDO_UID", "65534")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "roots").mkdir(mode=0o755)
        (folder / "own").mkdir()
        os.chown(folder / "own", 65534, 65534)
        yield folder


@pytest.mark.skipif(os.geteuid() != 0, reason="only root acts for somebody else")
def test_under_sudo_a_folder_is_written_as_whoever_typed_it(
    raptorctl: CommandLine, theirs: Path
) -> None:
    refused = raptorctl("image", "push", "web", str(theirs / "roots"))
    assert (refused.code, "Permission denied" in refused.err) == (1, True)
    assert list((theirs / "roots").iterdir()) == []
    assert raptorctl("image", "push", "web", str(theirs / "own")).code == 0
    written = list((theirs / "own").iterdir())
    assert len(written) == 3
    assert {path.stat().st_uid for path in written} == {65534}
    assert {path.stat().st_mode & 0o777 for path in written} == {0o644}
