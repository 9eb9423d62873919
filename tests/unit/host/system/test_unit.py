"""What systemctl(1) answers of several units at once."""

from collections.abc import Sequence

import pytest

from raptorctl.errors import MissingError
from raptorctl.host.access import doors
from raptorctl.host.system import command, unit

SHOWN = "MemoryMax=infinity\n\nMemoryMax=1024\n\nMemoryMax=infinity\nExecCondition={ path=/x }\n"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """What systemctl was asked; the second one runs, the third one reloads."""
    calls: list[Sequence[str]] = []

    def run(*words: str, ok: Sequence[int] = (0,)) -> str:
        calls.append((*words, *map(str, ok)))
        return SHOWN if words[1] == "show" else "inactive\nactive\nreloading\nfailed\n"

    monkeypatch.setattr(command, "run", run)
    return calls


def test_those_that_run_are_told_by_one_question(asked: list[Sequence[str]]) -> None:
    assert unit.running("a.socket", "a.service", "b.socket", "b.service") == (
        "a.service",
        "b.socket",
    )
    assert asked == [
        ("systemctl", "is-active", "a.socket", "a.service", "b.socket", "b.service", "0", "3", "4")
    ]


def test_properties_are_each_units_own(asked: list[Sequence[str]]) -> None:
    first, second, third = unit.properties("MemoryMax,ExecCondition", "a", "b", "c")
    assert (first["MemoryMax"], second["MemoryMax"]) == ("infinity", "1024")
    assert (second.get("ExecCondition"), third["ExecCondition"]) == (None, "{ path=/x }")
    assert len(asked) == 1


def test_libvirts_daemons_are_those_that_answer_once_each(asked: list[Sequence[str]]) -> None:
    assert [daemon.name for daemon in doors.daemons()] == ["libvirtd", "virtqemud"]
    assert len(asked) == 1


def test_without_systemd_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: str, ok: Sequence[int] = ()) -> str:
        raise MissingError("there is no systemctl")

    monkeypatch.setattr(command, "run", run)
    assert list(doors.daemons()) == []
