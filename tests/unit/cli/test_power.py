"""Tenants' verbs: without root, only what libvirt shows, and the same words for missing and foreign."""

import json
from dataclasses import replace

import pytest

from raptorctl.api.caller import Caller
from raptorctl.model.domain import State
from tests.fakes import World
from tests.unit.cli.session import PROVISION, CommandLine, FakeSession
from tests.unit.model.test_first_boot import BOOT, FIRMWARE, LOADER


@pytest.fixture
def alice(raptorctl: CommandLine) -> CommandLine:
    """A tenant's command line, on a host where her machine runs."""
    assert raptorctl(*PROVISION).code == 0
    raptorctl.root = False
    return raptorctl


def state(world: World) -> State:
    return world.domains.list()[0].state


def test_a_tenant_lists_and_shows_what_libvirt_shows_her(
    alice: CommandLine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.volumes, "list", lambda: pytest.fail("LVM is root's"))
    session = alice.session("list")
    session.caller = Caller("alice")
    told = alice("list", session=session).out.splitlines()
    assert told[1].split() == ["alice", "dev", "running", "1", "-"]
    assert json.loads(alice("list", "-o", "json").out)["machines"][0]["size"] is None
    shown = alice("show", "alice", "dev")
    assert (shown.code, "198.51.100.1" in shown.out) == (0, True)


def test_a_machine_stops_and_starts(alice: CommandLine, world: World) -> None:
    off = alice("stop", "alice", "dev")
    assert (off.code, off.out, state(world)) == (0, "alice-dev is off (shut down)\n", State.OFF)
    again = alice("stop", "alice", "dev")
    assert (again.code, again.out) == (0, "alice-dev is already shut off\n")
    assert alice("start", "alice-dev").code == 0
    assert state(world) is State.RUNNING
    assert "already running" in alice("start", "alice-dev").out


def test_one_that_does_not_shut_down_is_forced_only_when_told(
    alice: CommandLine, world: World
) -> None:
    world.domains.deaf = True
    waited = alice("stop", "alice", "dev", "--timeout", "1")
    assert waited.code == 5
    assert "--force switches it off" in waited.err
    assert state(world) is State.RUNNING
    forced = json.loads(alice("stop", "alice", "dev", "--force", "-o", "json").out)
    assert forced == {"machine": "alice-dev", "verb": "stop", "already": False, "how": "forced"}


@pytest.mark.parametrize(("said", "deaf"), [(FIRMWARE + LOADER, True), (BOOT, False), ("", False)])
def test_firmware_that_no_power_button_reaches_is_told_from_a_guest_that_stays_on(
    alice: CommandLine, world: World, monkeypatch: pytest.MonkeyPatch, said: str, deaf: bool
) -> None:
    monkeypatch.setattr(FakeSession, "console_text", lambda *_words: said)
    world.domains.deaf = True
    waited = alice("stop", "alice", "dev", "--timeout", "1")
    assert waited.code == 5
    assert ("firmware or boot loader alone, which hear no power button" in waited.err) is deaf
    assert "--force switches it off" in waited.err


def test_a_machine_is_suspended_and_goes_on(alice: CommandLine, world: World) -> None:
    assert alice("suspend", "alice", "dev").code == 0
    assert state(world) is State.PAUSED
    assert "already suspended" in alice("suspend", "alice", "dev").out
    assert alice("resume", "alice", "dev").code == 0
    assert "already running" in alice("resume", "alice", "dev").out
    assert alice("reboot", "alice", "dev").code == 0
    assert world.domains.reboots
    done = alice("reset", "alice", "dev")
    assert (done.code, done.out) == (0, "alice-dev boots anew\n")
    assert world.domains.resets == world.domains.reboots


@pytest.mark.parametrize("verb", ["reboot", "reset", "suspend", "resume", "console"])
def test_what_needs_a_running_machine_says_how_to_start_it(alice: CommandLine, verb: str) -> None:
    alice("stop", "alice", "dev")
    refused = alice(verb, "alice", "dev")
    assert (refused.code, "raptorctl start alice-dev" in refused.complaint) == (3, True)


@pytest.mark.parametrize(
    "verb", ["show", "start", "stop", "reboot", "reset", "suspend", "resume", "console"]
)
def test_a_foreign_machine_and_a_missing_one_are_told_alike(
    alice: CommandLine, world: World, verb: str
) -> None:
    (domain,) = world.domains.list()
    world.domains.by_uuid["x"] = replace(domain, uuid="x", name="bob-web", mark=None)
    for words in (("bob", "web"), ("carol", "none")):
        refused = alice(verb, *words)
        name = "-".join(words)
        assert refused.complaint == f"raptorctl: no such machine: {name}: see `raptorctl list`"
        assert refused.code == 3


def test_what_an_admin_does_is_in_the_audit_log(raptorctl: CommandLine) -> None:
    raptorctl(*PROVISION)
    raptorctl("stop", "alice", "dev")
    raptorctl("stop", "alice", "dev")
    entries = json.loads(raptorctl("audit", "-o", "json").out)["entries"]
    assert [(entry["verb"], entry["by"]) for entry in entries] == [
        ("provision", "carol"),
        ("stop", "carol"),
    ]


def test_a_machine_that_was_asked_and_may_still_go_off_is_in_the_audit_log(
    raptorctl: CommandLine, world: World
) -> None:
    raptorctl(*PROVISION)
    world.domains.deaf = True
    assert raptorctl("stop", "alice", "dev").code == 5
    entries = json.loads(raptorctl("audit", "-o", "json").out)["entries"]
    assert [(one["verb"], one["outcome"]) for one in entries][1:] == [("stop", "unfinished")]


def test_a_log_that_cannot_be_written_is_told_and_changes_no_exit_code(
    raptorctl: CommandLine, world: World
) -> None:
    (raptorctl.directory / "log/audit.jsonl").mkdir(parents=True)
    made = raptorctl(*PROVISION)
    assert (made.code, "audit.jsonl does not say so" in made.err) == (0, True), made.err
    done = raptorctl("suspend", "alice", "dev")
    assert (done.code, "suspend alice-dev is done, but " in done.out) == (0, True), done.err
    raptorctl("resume", "alice", "dev")
    world.domains.deaf = True
    asked = raptorctl("stop", "alice", "dev")
    assert (asked.code, "stop alice-dev is unfinished, but " in asked.err) == (5, True)


def test_an_admin_starts_no_machine_whose_volume_is_dirty(
    raptorctl: CommandLine, world: World
) -> None:
    raptorctl(*PROVISION, "--no-start")
    (volume,) = world.volumes.list()
    world.volumes.retag(volume, add=["raptor.dirty"], remove=["raptor.clean"], at_boot=False)
    refused = raptorctl("start", "alice", "dev")
    assert (refused.code, "dirty" in refused.complaint) == (1, True)
    assert state(world) is State.OFF


@pytest.mark.parametrize(
    "verb",
    ["provision", "deprovision", "tenant", "access", "recover", "resize", "snapshot", "autostart"],
)
def test_admins_commands_need_root(alice: CommandLine, verb: str) -> None:
    words = {
        "provision": (*PROVISION,),
        "deprovision": ("deprovision", "alice", "dev", "-y"),
        "tenant": ("tenant", "list"),
        "access": ("access", "install", "-y"),
        "recover": ("recover",),
        "resize": ("resize", "alice", "dev", "--size", "80G"),
        "snapshot": ("snapshot", "list"),
        "autostart": ("autostart", "alice", "dev", "off"),
    }[verb]
    refused = alice(*words)
    assert (refused.code, "this needs root" in refused.complaint) == (3, True)
