"""Accounts for real: shadow's own programs, looked at with getent and the kernel's list of processes.

It makes accounts named rctest..., and removes them whatever happens.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from raptorctl.errors import HostError
from raptorctl.host.access import accounts as account_module
from raptorctl.host.access.accounts import LocalAccounts
from raptorctl.model.tenant import CLOSED, Account
from tests.integration.alone import alone

NAME = f"rctest{os.getpid() % 10000}"
HOME = Path("/home") / NAME

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes accounts")


@pytest.fixture
def account() -> Iterator[Account]:
    with alone("accounts"):
        yield from made()


def made() -> Iterator[Account]:
    accounts = LocalAccounts()
    uid = accounts.free_uid()
    accounts.create(
        Account(NAME, uid, uid, "raptorctl job test", shell="/bin/sh", groups=frozenset({"users"}))
    )
    found = accounts.find(NAME)
    assert found is not None
    yield found
    subprocess.run(["pkill", "-9", "-u", str(uid)], check=False)
    subprocess.run(["userdel", "--remove", "--force", NAME], check=False, capture_output=True)


def getent(database: str, name: str) -> list[str]:
    done = subprocess.run(["getent", database, name], capture_output=True, text=True, check=False)
    return done.stdout.strip().split(":") if done.stdout else []


def test_it_is_made_as_asked_and_gone_afterwards(account: Account) -> None:
    entry = getent("passwd", NAME)
    assert entry[2:] == [str(account.uid), str(account.uid), "raptorctl job test", str(HOME),
                         "/bin/sh"]  # fmt: skip
    assert NAME in getent("group", "users")[3].split(",")
    assert HOME.stat().st_mode & 0o777 == 0o700
    assert account.groups == {NAME, "users"}
    assert account.expires == ""

    LocalAccounts().remove(account)
    assert getent("passwd", NAME) == getent("group", NAME) == []
    assert not HOME.exists()


def test_it_changes_and_its_last_day_reads_back(account: Account) -> None:
    accounts = LocalAccounts()
    accounts.change(NAME, shell="/usr/sbin/nologin", expires="2027-03-31")
    changed = accounts.find(NAME)
    assert changed is not None
    assert (changed.shell, changed.expires) == ("/usr/sbin/nologin", "2027-03-31")
    accounts.change(NAME, expires=CLOSED)
    assert getent("shadow", NAME)[7] == "1"
    accounts.change(NAME, expires="")
    assert getent("shadow", NAME)[7] == ""


def test_groups_are_joined_and_left(account: Account) -> None:
    accounts = LocalAccounts()
    accounts.join(NAME, ["games"])
    assert NAME in getent("group", "games")[3].split(",")
    assert NAME in {member.name for member in accounts.members("games")}
    accounts.leave(NAME, ["games"])
    accounts.leave(NAME, ["games"])
    assert NAME not in getent("group", "games")[3].split(",")


def test_what_runs_for_it_is_ended_before_it_goes(account: Account) -> None:
    with subprocess.Popen(["sleep", "600"], user=account.uid) as process:
        with pytest.raises(HostError, match="has processes"):
            LocalAccounts().remove(account)
        assert LocalAccounts().end_sessions(account) == 1
        assert process.wait(timeout=30) == -9
    LocalAccounts().remove(account)
    assert getent("passwd", NAME) == []


def test_what_it_wanted_to_be_begun_later_goes_and_others_stay(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_module, "AT_JOBS", tmp_path)
    for name, owner in (("a0001", account.uid), ("a0002", 0)):
        (tmp_path / name).touch()
        os.chown(tmp_path / name, owner, 0)
    monkeypatch.setattr(account_module, "LINGERING", lingering := tmp_path / "linger")
    lingering.mkdir()
    for name in (account.name, "another"):
        (lingering / name).touch()
    LocalAccounts().end_sessions(account)
    assert {path.name for path in tmp_path.iterdir()} == {"a0002", "linger"}
    assert [path.name for path in lingering.iterdir()] == ["another"]


@pytest.mark.parametrize("strange", ["link", "another's"])
def test_a_home_that_is_not_its_own_is_left_and_said(account: Account, strange: str) -> None:
    precious = Path(f"/var/tmp/{NAME}")
    precious.mkdir()
    (precious / "kept").touch()
    aside = HOME.rename(HOME.with_name(f"{NAME}-aside"))
    try:
        if strange == "link":
            HOME.symlink_to(precious)
        else:
            HOME.mkdir()
        with pytest.raises(HostError, match=r"not .* own directory"):
            LocalAccounts().remove(account)
        assert (precious / "kept").exists()
        assert getent("passwd", NAME)
    finally:
        HOME.unlink() if HOME.is_symlink() else HOME.rmdir()
        aside.rename(HOME)
        subprocess.run(["rm", "-r", precious], check=True)


def test_while_shadows_files_are_locked_it_waits(account: Account) -> None:
    lock = Path("/etc/passwd.lock")
    lock.write_text(str(os.getpid()))
    try:
        waiting = subprocess.Popen(
            ["python3", "-c", f"import time, os; time.sleep(2); os.unlink('{lock}')"]
        )
        LocalAccounts().change(NAME, shell="/bin/bash")
        assert waiting.wait() == 0
    finally:
        lock.unlink(missing_ok=True)
    assert getent("passwd", NAME)[6] == "/bin/bash"
