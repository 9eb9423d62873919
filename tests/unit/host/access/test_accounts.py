"""Accounts: when their last day is, by whoever knows it."""

from pathlib import Path

import pytest

from raptorctl.errors import CommandError
from raptorctl.host.access import accounts as account
from raptorctl.host.access.accounts import LocalAccounts
from raptorctl.host.system import command

LINE = "root:!:20000:0:99999:7::{}:\n"


class Getent:
    """Stands in for it, as `run` would call it."""

    def __init__(self, told: str) -> None:
        self.told = told
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, *argv: str, ok: tuple[int, ...]) -> str:
        self.asked.append(argv)
        if not self.told:
            raise CommandError(argv, 1, "no such database")
        return self.told


def known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, here: str | None, elsewhere: str = ""
) -> Getent:
    monkeypatch.setattr(account, "SHADOW", tmp_path / "shadow")
    if here is not None:
        (tmp_path / "shadow").write_text(here)
    getent = Getent(elsewhere)
    monkeypatch.setattr(command, "run", getent)
    return getent


def expires() -> str:
    found = LocalAccounts().find("root")
    assert found
    return found.expires


@pytest.mark.parametrize(("days", "date"), [("", ""), ("1", "1970-01-02"), ("20908", "2027-03-31")])
def test_of_an_account_of_this_host_no_program_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, days: str, date: str
) -> None:
    getent = known(monkeypatch, tmp_path, "daemon:*:1:0:9:7:::\n" + LINE.format(days))
    assert (expires(), getent.asked) == (date, [])


@pytest.mark.parametrize("here", [None, "", "daemon:*:1:0:9:7:::\n"])
def test_who_is_known_elsewhere_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, here: str | None
) -> None:
    getent = known(monkeypatch, tmp_path, here, LINE.format("1"))
    assert expires() == "1970-01-02"
    assert getent.asked == [("getent", "shadow", "--", "root")]


def test_where_nobody_may_tell_there_is_no_last_day(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known(monkeypatch, tmp_path, None)
    assert expires() == ""
