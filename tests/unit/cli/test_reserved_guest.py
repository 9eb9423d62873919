"""A machine without a slot, reached at the address that a network of libvirt's keeps for it."""

import json
from pathlib import Path

import pytest

from raptorctl.model.guest import Neighbour
from tests.fakes import IMAGE, World
from tests.unit.cli.session import PROVISION, CommandLine
from tests.unit.model.test_guest import KEY, told
from tests.unit.plans.part.test_address import ASKED, GRANTED

AT = "192.168.122.50"
GREETS = "SSH-2.0-OpenSSH_10.0p2"


@pytest.fixture
def alice(
    raptorctl: CommandLine, monkeypatch: pytest.MonkeyPatch, world: World, tmp_path: Path
) -> CommandLine:
    monkeypatch.setattr("tests.unit.api.session.settings", lambda: GRANTED)
    said = told(f"{KEY.type} {KEY.blob} root@alice-dev")
    monkeypatch.setattr("tests.unit.cli.session.FakeSession.console_text", lambda *_words: said)
    world.guests.banners = [GREETS]
    (tmp_path / "id").write_text("key\n")
    (tmp_path / "a.sh").write_text("#!/bin/sh\n")
    return raptorctl


@pytest.fixture
def made(alice: CommandLine) -> CommandLine:
    done = alice(*PROVISION, "--net", ASKED)
    assert (done.code, f"it is reached at {AT}" in done.err) == (0, True)
    return alice


def test_every_command_that_reaches_a_guest_finds_it_there(
    made: CommandLine, world: World, tmp_path: Path
) -> None:
    assert made("wait", "alice", "dev").out == f"alice-dev: ssh, already so: {AT}:22: {GREETS}\n"
    assert made("ssh", "alice", "dev").code == 7
    step = ("--run", str(tmp_path / "a.sh"), "--identity", str(tmp_path / "id"))
    assert made("run", "alice", "dev", *step).code == 0
    assert {str(login.at) for login, _ in world.guests.logins} == {f"{AT}:22"}
    assert "✓  ssh" in made("why", "alice", "dev").out


def test_its_own_mac_answers_there_or_it_is_not_there(made: CommandLine, world: World) -> None:
    (domain,) = world.domains.list()
    waited = made("wait", "alice", "dev", "--for", "ip", "--timeout", "0.3")
    assert (waited.code, f"no answer of {domain.macs[0]} at {AT}" in waited.err) == (5, True)
    world.guests.alive_at.add(AT)
    assert f"{domain.macs[0]} answers at {AT}" in made("wait", "alice", "dev", "--for", "ip").out


def test_its_address_is_told_with_all_who_say_so(made: CommandLine, world: World) -> None:
    (domain,) = world.domains.list()
    world.guests.table = (Neighbour(AT, domain.macs[0], frozenset({"REACHABLE"})),)
    world.guests.told = ("10.0.0.1",)
    assert json.loads(made("ip", "alice", "dev", "-o", "json").out)["addresses"] == [
        {"address": AT, "from": ["reserved", "neighbour"]},
        {"address": "10.0.0.1", "from": ["agent"]},
    ]
    shown = made("show", "alice", "dev")
    assert f"network    default, {domain.macs[0]}, {AT}\n" in shown.out
    assert json.loads(made("show", "alice", "dev", "-o", "json").out)["addresses"] == [AT]


def test_with_a_slot_the_address_is_told_beside_the_slots(alice: CommandLine) -> None:
    assert alice(*PROVISION, "--net", "slot", "--net", ASKED).code == 0
    found = json.loads(alice("ip", "alice", "dev", "-o", "json").out)["addresses"]
    assert [(one["address"], one["from"]) for one in found] == [
        ("198.51.100.1", ["slot"]),
        ("2001:db8:0:1::1", ["slot"]),
        (AT, ["reserved"]),
    ]


def test_steps_are_done_in_it_as_it_is_made(
    alice: CommandLine, world: World, tmp_path: Path
) -> None:
    step = ("--network", "dhcp", "--run", str(tmp_path / "a.sh"))
    assert alice(*PROVISION, "--net", ASKED, *step).code == 0
    assert {str(login.at) for login, _ in world.guests.logins} == {f"{AT}:22"}


def test_without_the_address_it_is_sought_by_nobody(alice: CommandLine, tmp_path: Path) -> None:
    step = ("--network", "dhcp", "--run", str(tmp_path / "a.sh"))
    refused = alice(*PROVISION, "--net", "network:default", *step)
    assert (refused.code, "is not reached by ssh" in refused.complaint) == (3, True)
    assert alice(*PROVISION, "--net", "network:default").code == 0
    for verb in ("ip", "ssh", "wait", "why"):
        done = alice(verb, "alice", "dev")
        assert (done.code, "its address is not known here" in done.complaint) == (3, True), verb


def test_files_of_machines_know_the_address_before_the_machine_stands(
    alice: CommandLine, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    world.images.all = (IMAGE,)
    said = '[machine.alice-web]\nsize = "10G"\ncpus = 1\nimage = "debian:13"\nexpand = true\n'
    Path("raptor.toml").write_text(f'{said}user_data = "user-data"\nnet = ["{ASKED}"]\n')
    Path("user-data").write_text('#cloud-config\nruncmd: ["echo at ${ipv4}"]\n')
    done = alice("up")
    assert done.code == 0, done.err
    assert f"echo at {AT}" in alice("seed", "show", "alice", "web").out
    assert alice("up").out == "alice-web is already so\n"
