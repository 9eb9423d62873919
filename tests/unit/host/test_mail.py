"""Mail by a sendmail that is there: what it is called with, and what it reads."""

from pathlib import Path

import pytest

from raptorctl.errors import CommandError, MissingError
from raptorctl.host.system import clock, command
from raptorctl.host.system.mail import Sendmail


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    (folder / "sendmail").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "sendmail").chmod(0o755)
    monkeypatch.setattr(command, "PATH", f"{folder}:/usr/bin:/bin")


def test_it_reads_the_message_and_to_whom_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, f'echo "$@" > {tmp_path}/words; cat > {tmp_path}/message')
    assert Sendmail().works()
    Sendmail().send("To: alice\n\n.\nIt expires.\n")
    assert (tmp_path / "words").read_text() == "-t -oi\n"
    assert (tmp_path / "message").read_text() == "To: alice\n\n.\nIt expires.\n"


def test_one_that_takes_nothing_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "echo the queue is full >&2; exit 75")
    with pytest.raises(CommandError, match="the queue is full"):
        Sendmail().send("To: alice\n\nIt expires.\n")


def test_without_one_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "PATH", str(tmp_path))
    assert not Sendmail().works()
    with pytest.raises(MissingError, match="sendmail is not installed"):
        Sendmail().send("To: alice\n\nIt expires.\n")


def test_two_looks_at_the_clocks_are_of_one_boot_and_no_day_apart() -> None:
    one, other = clock.look(), clock.look()
    assert (one.boot, len(one.boot)) == (other.boot, 8)
    assert other.up - one.up >= 0
    assert not other.is_day_after(one)
