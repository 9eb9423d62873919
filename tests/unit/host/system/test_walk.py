"""Folders that somebody named: what they may not read themselves is refused, not left out."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from raptorctl.errors import InputError
from raptorctl.host.system.walk import list_given, walk_given


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        path = Path(name)
        path.chmod(0o755)
        (path / "open").mkdir()
        (path / "closed").mkdir(mode=0o700)
        (path / "closed/link").symlink_to("/etc/passwd")
        yield path


def test_all_that_is_ours_is_walked(folder: Path) -> None:
    assert sorted(at for at, _, _ in walk_given(str(folder))) == [
        str(folder), f"{folder}/closed", f"{folder}/open",
    ]  # fmt: skip


@pytest.mark.skipif(os.geteuid() != 0, reason="as root only, somebody else is asked for")
def test_under_sudo_a_folder_that_is_not_theirs_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_UID", "65534")
    with pytest.raises(InputError, match=r"cannot be read: Permission denied"):
        list(walk_given(str(folder)))
    with pytest.raises(InputError, match=r"closed' cannot be read: Permission denied"):
        list_given(f"{folder}/closed")
    assert list_given(str(folder)) == ["closed", "open"]
    assert [at for at, _, _ in walk_given(f"{folder}/open")] == [f"{folder}/open"]


def test_a_folder_that_is_not_there_is_told(folder: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file or directory"):
        list(walk_given(f"{folder}/nope"))
    with pytest.raises(InputError, match="cannot be read: Not a directory"):
        list_given("/etc/passwd")
    with pytest.raises(InputError, match="cannot be read"):
        list_given("a\0b")
