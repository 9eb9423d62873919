"""`web` as a tenant of a shared host: the door is asked, and says whose page it is."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from raptorctl.api import web as pages
from tests.unit.cli.session import CommandLine


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, str]]:
    """What the door was asked."""
    found: list[Mapping[str, str]] = []
    answers: dict[str, Any] = {
        "link": {"link": "https://vm.example.org/enter/alice.x"},
        "sessions": {"sessions": []},
        "logout": {"ended": 0},
        "logout-all": {"ended": 0},
    }

    def ask(question: Mapping[str, str]) -> Any:
        found.append(question)
        return answers[question["do"]]

    monkeypatch.setattr(pages, "ask", ask)
    return found


@pytest.fixture
def alice(raptorctl: CommandLine) -> CommandLine:
    """A tenant's command line."""
    raptorctl.root = False
    return raptorctl


def test_a_tenant_gets_a_link(alice: CommandLine, asked: list[Mapping[str, str]]) -> None:
    done = alice("web")
    assert (done.code, done.out) == (0, "https://vm.example.org/enter/alice.x\n")
    assert done.complaint == "good once, for 60 seconds"
    assert asked == [{"do": "link"}]


def test_the_port_is_not_a_tenants_to_choose(alice: CommandLine, asked: list[object]) -> None:
    assert alice("web", "--port", "9000").code == 2
    assert asked == []


def test_a_tenant_sees_and_ends_their_logins(
    alice: CommandLine, asked: list[Mapping[str, str]]
) -> None:
    assert alice("web", "sessions").out == "nobody is logged in\n"
    assert alice("web", "logout", "--all").out == "0 logged out\n"
    assert alice("web", "logout", "59d1f6ca").code == 3
    for said in ([], [""], ["", "--all"], ["59d1f6ca", "--all"]):
        assert alice("web", "logout", *said).code == 2
    assert asked == [
        {"do": "sessions"},
        {"do": "logout-all"},
        {"do": "logout", "which": "59d1f6ca"},
    ]


def test_where_there_is_no_page_it_is_said(
    alice: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("raptorctl.host.access.web.DOOR", str(tmp_path / "none"))
    done = alice("web")
    assert done.code == 3
    assert "no page that you may open: admins type `sudo raptorctl web`" in done.complaint
