"""What a removed account left, for real: files by find(1), shared memory by the kernel."""

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from raptorctl.errors import StoppedError
from raptorctl.host.access import remains
from raptorctl.host.access.accounts import LocalAccounts
from raptorctl.host.access.remains import left, local_mounts, sweep
from raptorctl.model.tenant import Account
from tests.integration.alone import alone

NAME = f"rcgone{os.getpid() % 10000}"
OUR_UID = 60900
OTHER = 65534

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes and removes accounts")


def tick(_done: int, _whole: int) -> None:
    pass


@pytest.fixture
def uid() -> Iterator[int]:
    """A number that nobody else is given; what it owns goes, whatever happens.

    It lies between systemd's ranges (UIDS-GIDS.md), where useradd(8) gives none: the accounts of
    other tests, whose files would be found as well, never have it.
    """
    with alone("remains"):
        yield OUR_UID
        sweep(OUR_UID, tick)


@pytest.fixture
def everybodys() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        path = Path(name)
        path.chmod(0o1777)
        yield path


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that all can look into, and nobody but root writes."""
    with tempfile.TemporaryDirectory(dir="/var/lib") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


def put(path: Path, owner: int, mode: int = 0o644) -> Path:
    path.write_text("left")
    os.chown(path, owner, owner)
    path.chmod(mode)
    return path


def a_folder(path: Path, owner: int, mode: int = 0o755) -> Path:
    path.mkdir()
    os.chown(path, owner, owner)
    path.chmod(mode)
    return path


def ipcmk(number: int, *options: str) -> str:
    """Make one as that number, as any account can; returns its identifier."""
    done = subprocess.run(
        ["ipcmk", *options], user=number, group=number, extra_groups=[], check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.split()[-1]


def test_the_next_account_of_a_number_gets_nothing_of_the_last_ones(uid: int) -> None:
    """The attack: a setuid program, shared memory, and files that only the number may read."""
    accounts = LocalAccounts()
    account = Account(
        NAME, uid, uid, "raptorctl job test", shell="/bin/sh", groups=frozenset({"users"})
    )
    accounts.create(account)
    program, memory = Path(f"/var/tmp/{NAME}"), Path(f"/dev/shm/{NAME}")
    try:
        shutil.copy("/usr/bin/id", program)
        os.chown(program, uid, uid)
        program.chmod(0o4755)
        put(memory, uid, 0o600)
        segment = ipcmk(uid, "-M", "4096")
        acts_as = subprocess.run(
            [program, "-u"], user=OTHER, capture_output=True, text=True, check=True
        )
        assert acts_as.stdout == f"{uid}\n"  # so the attack is one
        assert left(uid) == ()  # an account has the number, and all of it is its own
        found = accounts.find(NAME)
        assert found is not None
        accounts.remove(found)
        assert set(left(uid)) == {str(program), str(memory), f"shared memory {segment}"}
        assert sweep(uid, tick) == {"removed": 3, "kept": 0}
    finally:
        subprocess.run(["userdel", "--remove", "--force", NAME], check=False, capture_output=True)
        still = program.exists() or memory.exists()
        for path in (program, memory):
            path.unlink(missing_ok=True)
    assert not still
    assert left(uid) == ()
    assert str(uid) not in Path("/proc/sysvipc/shm").read_text().split()


def test_where_everybody_can_write_all_of_it_goes(uid: int, everybodys: Path) -> None:
    folder = a_folder(everybodys / "folder", uid)
    put(folder / "in it", uid)
    (everybodys / "link").symlink_to("/etc/passwd")
    os.lchown(everybodys / "link", uid, uid)
    os.mkfifo(everybodys / "fifo")
    os.chown(everybodys / "fifo", uid, uid)
    put(everybodys / "new\nline \udcff", uid)
    others = put(everybodys / "others", OTHER)
    assert len(left(uid)) == 5
    assert sweep(uid, tick) == {"removed": 5, "kept": 0}
    assert list(everybodys.iterdir()) == [others]


def test_elsewhere_it_is_roots_and_neither_setuid_nor_others_to_write(
    uid: int, shared: Path
) -> None:
    program = put(shared / "program", uid, 0o6777)
    folder = a_folder(shared / "folder", uid, 0o2777)
    assert sweep(uid, tick) == {"removed": 0, "kept": 2}
    for path in (program, folder):
        status = path.stat()
        assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (0, 0, 0o755)
    assert program.read_text() == "left"


def test_a_folder_with_anothers_file_stays_for_it_and_is_roots(uid: int, everybodys: Path) -> None:
    folder = a_folder(everybodys / "folder", uid, 0o777)
    others = put(folder / "others", OTHER)
    mine = put(folder / "mine", uid)
    assert sweep(uid, tick) == {"removed": 1, "kept": 1}
    assert (others.exists(), mine.exists()) == (True, False)
    assert (folder.stat().st_uid, folder.stat().st_mode & 0o777) == (0, 0o755)


def test_what_only_root_can_reach_is_left_alone(uid: int, shared: Path) -> None:
    for mode in (0o700, 0o710):
        inner = a_folder(shared / f"{mode:o}", 0, mode)
        put(inner / "backup", uid)
    assert left(uid) == ()
    assert sweep(uid, tick) == {"removed": 0, "kept": 0}
    assert (inner / "backup").stat().st_uid == uid


def test_what_another_account_has_by_now_is_not_touched(everybodys: Path) -> None:
    others = put(everybodys / "others", OTHER)
    assert sweep(OTHER, tick) == {"removed": 0, "kept": 0}
    assert others.exists()


@pytest.mark.parametrize("how", ["link", "file", "gone"])
def test_a_way_that_is_another_by_then_leads_nowhere(
    uid: int, everybodys: Path, shared: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Somebody exchanges a folder after find(1) has told of what is in it."""
    inner = a_folder(a_folder(shared / "private", 0, 0o700) / "inner", 0)
    backup = put(inner / "name", uid)
    roots = put(shared / "name", 0)
    folder = everybodys / "folder"
    if how == "link":
        folder.symlink_to(inner)
    elif how == "file":
        folder.write_text("")
    found = [bytes(folder / "name"), bytes(roots)]
    monkeypatch.setattr(remains, "_found", lambda *_: iter(found))
    assert sweep(uid, tick) == {"removed": 0, "kept": 0}
    assert (backup.read_text(), backup.stat().st_uid) == ("left", uid)
    assert (roots.read_text(), roots.stat().st_uid) == ("left", 0)


def test_a_link_in_the_place_of_a_file_is_not_followed(
    uid: int, everybodys: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    precious = put(shared / "precious", uid)
    link = everybodys / "link"
    link.symlink_to(precious)
    os.lchown(link, uid, uid)
    monkeypatch.setattr(remains, "_found", lambda *_: iter([bytes(link)]))
    assert sweep(uid, tick) == {"removed": 1, "kept": 0}
    assert (link.is_symlink(), precious.stat().st_uid) == (False, uid)


def test_it_can_be_stopped_and_begun_again(uid: int, everybodys: Path) -> None:
    for number in range(3):
        put(everybodys / str(number), uid)

    def stop(_done: int, _whole: int) -> None:
        raise StoppedError(2)

    with pytest.raises(StoppedError):
        sweep(uid, stop)
    assert sweep(uid, tick)["removed"] + sweep(uid, tick)["removed"] == 3


def test_filesystems_are_this_hosts_alone_and_can_be_written() -> None:
    lines = b"""\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
23 22 0:21 / /proc rw,nosuid - proc proc rw
24 22 0:22 / /dev/shm rw,nosuid shared:3 master:1 - tmpfs tmpfs rw
25 22 0:40 / /mnt/a\\040b rw - xfs /dev/vdb rw
26 22 0:41 / /mnt/ro ro - ext4 /dev/vdc ro
27 22 0:42 / /mnt/net rw - nfs4 server:/ rw
28 22 0:43 / /home/alice/mnt rw - fuse.sshfs x rw
29 22 0:44 / /over rw - ext4 /dev/vdd rw
30 29 0:45 / /over rw - nfs server:/ rw
"""
    assert local_mounts(lines) == [b"/", b"/dev/shm", b"/mnt/a b"]


def test_a_queue_and_a_semaphore_go_as_well(uid: int) -> None:
    made = {f"message queue {ipcmk(uid, '-Q')}", f"semaphores {ipcmk(uid, '-S', '1')}"}
    assert set(left(uid)) == made
    assert sweep(uid, tick) == {"removed": 2, "kept": 0}
    assert left(uid) == ()


def test_a_segment_that_it_made_and_gave_away_is_still_its_to_open(
    uid: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = "key shmid perms size cpid lpid nattch uid gid cuid cgid"
    (tmp_path / "shm").write_text(
        f"{head}\n0 7 600 4096 1 1 0 0 0 {uid} {uid}\n0 8 600 1 1 1 0 0 {uid} 0 0\n"
    )
    monkeypatch.setattr(remains, "IPC", tmp_path)
    assert left(uid) == ("shared memory 7",)


def test_a_mode_tells_where_everybody_can_put_files() -> None:
    spool = stat.S_IFDIR | 0o1730
    modes = {0o1777: True, 0o777: True, 0o755: False, 0o2775: False, spool: True}
    assert {mode: remains._is_everybodys(mode) for mode in modes} == modes
