"""Files that somebody names under sudo are opened with the rights of who typed it, by the kernel."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from raptorctl.errors import InputError, RefusedError
from raptorctl.host.system import caller as module
from raptorctl.host.system.caller import Sudoer, caller, open_given, open_own, read_given, whole

NOBODY = 65534
GROUP = 4  # adm: any that nobody is no member of

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root acts for somebody else")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody reaches, other than pytest's own."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> Sudoer:
    monkeypatch.setenv("SUDO_UID", str(NOBODY))
    found = caller()
    assert found is not None
    return found


def a_file(path: Path, mode: int = 0o600, uid: int = 0, gid: int = 0) -> str:
    path.write_text("secret")
    path.chmod(mode)
    os.chown(path, uid, gid)
    return str(path)


def test_roots_file_is_not_read_for_an_admin_and_their_own_is(folder: Path, nobody: Sudoer) -> None:
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        open_given(a_file(folder / "roots"))
    assert read_given(a_file(folder / "own", uid=NOBODY), 100) == b"secret"
    assert read_given(a_file(folder / "open", 0o644), 100) == b"secret"


def test_a_folder_that_they_cannot_enter_hides_what_is_in_it(folder: Path, nobody: Sudoer) -> None:
    inner = folder / "inner"
    inner.mkdir(mode=0o700)
    for name in (a_file(inner / "there", 0o644), str(inner / "missing")):
        with pytest.raises(InputError, match="cannot be read: Permission denied"):
            open_given(name)


def test_the_groups_of_the_caller_count(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = a_file(folder / "groups", 0o640, gid=GROUP)
    for groups, readable in (((NOBODY,), False), ((NOBODY, GROUP), True)):
        monkeypatch.setattr(module, "caller", lambda g=groups: Sudoer(NOBODY, NOBODY, g))
        if readable:
            assert read_given(path, 100) == b"secret"
        else:
            with pytest.raises(InputError, match="Permission denied"):
                open_given(path)


def test_roots_own_groups_are_not_lent(folder: Path, nobody: Sudoer) -> None:
    before = os.getgroups()
    os.setgroups([*before, GROUP])
    try:
        with pytest.raises(InputError, match="Permission denied"):
            open_given(a_file(folder / "groups", 0o640, gid=GROUP))
    finally:
        os.setgroups(before)


def test_a_link_is_refused_or_followed_with_their_rights(folder: Path, nobody: Sudoer) -> None:
    for name, target in (("bad", a_file(folder / "roots")), ("good", a_file(folder / "a", 0o644))):
        (folder / name).symlink_to(target)
        with pytest.raises(InputError, match="is a symbolic link: name the file itself"):
            open_given(str(folder / name))
    with pytest.raises(InputError, match="Permission denied"):
        open_given(str(folder / "bad"), follow=True)
    assert read_given(str(folder / "good"), 100, follow=True) == b"secret"


def test_a_circle_of_links_is_called_what_the_kernel_calls_it(folder: Path, nobody: Sudoer) -> None:
    (folder / "round").symlink_to(folder / "round")
    for name, follow in (("round/key.pub", False), ("round", True)):
        with pytest.raises(InputError, match="Too many levels of symbolic links"):
            open_given(str(folder / name), follow=follow)


def test_another_process_of_roots_is_not_looked_into(nobody: Sudoer) -> None:
    for name in ("/proc/1/environ", f"/proc/{os.getpid()}/environ", "/proc/1/root/etc/shadow"):
        with pytest.raises(InputError, match=r"Permission denied|No such file"):
            open_given(name)


@pytest.mark.timeout(10)
def test_what_is_no_regular_file_is_refused_and_does_not_hang(folder: Path, nobody: Sudoer) -> None:
    os.mkfifo(folder / "fifo")
    (folder / "fifo").chmod(0o644)
    for name in (folder / "fifo", folder, Path("/dev/null")):
        with pytest.raises(InputError, match="is not a regular file"):
            open_given(str(name))


def test_nothing_stays_no_descriptor_no_child_no_other_rights(folder: Path, nobody: Sudoer) -> None:
    path = a_file(folder / "open", 0o644)
    before = sorted(path.name for path in Path("/proc/self/fd").iterdir())
    for _ in range(3):
        with open_given(path) as stream:
            assert not os.get_inheritable(stream.fileno())
        with pytest.raises(InputError):
            open_given(f"{path}-missing")
    assert sorted(path.name for path in Path("/proc/self/fd").iterdir()) == before
    assert (os.getresuid(), os.getresgid()) == ((0, 0, 0), (0, 0, 0))
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.parametrize("text", ["x", "-1", "4294967296", "99999999999999999999", "0x0", "٣"])
def test_a_number_that_is_no_accounts_is_refused_and_never_roots(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("SUDO_UID", text)
    with pytest.raises(RefusedError, match="not the uid of an account"):
        open_given("/etc/hostname")


def test_root_itself_and_who_is_not_root_act_for_themselves(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert caller({}) is None
    assert caller({"SUDO_UID": "0"}) is None
    path = a_file(folder / "roots")
    assert read_given(path, 100) == b"secret"
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    assert caller({"SUDO_UID": str(NOBODY)}) is None


def test_files_of_our_own_are_opened_with_our_own_rights(folder: Path, nobody: Sudoer) -> None:
    with open_own(a_file(folder / "roots")) as stream:
        assert whole(stream, 3) == b"sec"


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_a_name_that_no_file_can_have_is_said(nobody: Sudoer, name: str) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        open_given(name)
