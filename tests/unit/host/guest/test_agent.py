"""A guest's agent that says what it likes."""

import base64
import json
from typing import Any

import libvirt_qemu
import pytest

from raptorctl.errors import HostError, RefusedError
from raptorctl.host.guest.agent import Agent
from raptorctl.host.guest.readiness import RESULT, by_result, cloud_init
from raptorctl.model.domain import Domain, State
from tests.fakes import World

UUID = "6695eb01-f6a4-8304-79aa-97f2502e193f"  # libvirt's test driver has this domain
NONSENSE = ["{}", "[]", "7", "null", '"x"', '{"return": {}}', '{"return": [7]}', "[" * 60_000,
            '{"return": {"buf-b64": "!"}}', '{"return": {"buf-b64": 7}}',
            '{"return": [{"ip-addresses": 7}]}', '{"return": [{"ip-addresses": [{}]}]}',
            '{"return": [{"ip-addresses": [{"ip-address": 7}]}]}']  # fmt: skip


@pytest.fixture
def agent() -> Agent:
    return Agent("test:///default")


def says(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Have the agent answer so, the last one again and again; returns what it is asked."""
    asked: list[str] = []

    def answer(_domain: object, command: str, timeout: int, _flags: int) -> str:
        assert timeout > 0
        asked.append(json.loads(command)["execute"])
        return answers[min(len(asked), len(answers)) - 1]

    monkeypatch.setattr(libvirt_qemu, "qemuAgentCommand", answer)
    return asked


def test_a_file_is_read_and_closed(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    content = base64.b64encode(b"hello").decode()
    asked = says(
        monkeypatch, '{"return": 4}', f'{{"return": {{"buf-b64": "{content}"}}}}', '{"return": {}}'
    )
    assert agent.file(UUID, RESULT) == "hello"
    assert asked == ["guest-file-open", "guest-file-read", "guest-file-close"]


def test_addresses_are_told_without_loopback(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    links = [
        {"name": "lo", "ip-addresses": [{"ip-address": "127.0.0.1", "prefix": 8}]},
        {"name": "none"},
        {"name": "eth0", "ip-addresses": [{"ip-address": "192.0.2.1"}, {"ip-address": "fe80::1"}]},
    ]
    asked = says(monkeypatch, json.dumps({"return": links}))
    assert agent.addresses(UUID) == ("192.0.2.1",)
    assert asked == ["guest-network-get-interfaces"]


@pytest.mark.parametrize("said", NONSENSE)
def test_nonsense_is_no_file_and_no_address(
    agent: Agent, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    says(monkeypatch, said)
    assert agent.addresses(UUID) == ()
    assert agent.file(UUID, RESULT) is None
    says(monkeypatch, '{"return": 4}', said)
    assert agent.file(UUID, RESULT) is None


def test_who_may_not_ask_has_no_file_and_waits_for_the_console(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_words: object, **_more: object) -> Any:
        raise RefusedError("polkit does not let you reach the guest's agent")

    monkeypatch.setattr(agent, "_ask", refuse)
    assert agent.file(UUID, RESULT) is None
    assert agent.addresses(UUID) == ()
    guests = World().guests
    monkeypatch.setattr(guests, "agent_file", agent.file)
    sight = cloud_init(guests, Domain(UUID, "alice-dev", State.RUNNING), "")
    assert (sight.so, sight.problem) == (False, "")
    with pytest.raises(RefusedError):
        agent.ping(UUID)


def test_an_answer_that_is_none_is_no_answer(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, "[]")
    assert agent.ping(UUID) == "the guest's agent gave an invalid answer"
    with pytest.raises(HostError):
        agent._ask(UUID, "guest-ping")


@pytest.mark.parametrize(
    "told", ["", "[", "[" * 60_000, "7", '{"v1": {"errors": true}}', '{"v1": {"errors": {"a": 1}}}',
             '{"v1": {"errors": 5}}', '{"v1": []}'],
)  # fmt: skip
def test_a_result_of_another_shape_is_not_whole(told: str) -> None:
    sight = by_result(told)
    assert (sight.so, "incomplete" in sight.seen) == (False, True)
