"""`tenant share`, `unshare` and `shares`, and where else a share is seen."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from raptorctl.api.caller import Caller
from raptorctl.host.survey import survey
from raptorctl.host.system import clock
from raptorctl.host.system.files import LocalFiles
from raptorctl.model.access import RULES
from raptorctl.model.facts import HostFacts
from raptorctl.model.look import ClockReading
from raptorctl.model.probe import Verdict
from raptorctl.model.share import SHARES, Grant, Share, Shares, parse_shares, shares_text
from raptorctl.model.tenant import Account, record_path
from raptorctl.plans.doctor.fault import scene
from raptorctl.plans.doctor.share import shares
from raptorctl.plans.past import NOTHING
from tests.fakes import World, settings
from tests.unit.cli.session import PROVISION, CommandLine

CONSOLE = ("tenant", "share", "alice", "dev", "bob", "--console", "--until", "2099-01-31", "-y")
UNSHARE = ("tenant", "unshare", "alice", "dev", "bob")


@pytest.fixture
def shared(raptorctl: CommandLine) -> CommandLine:
    """A host with alice's machine, whose console bob has."""
    for words in (("access", "install"), PROVISION, CONSOLE):
        done = raptorctl(*words)
        assert done.code == 0, done.err
    return raptorctl


def listed(world: World) -> tuple[Share, ...]:
    text = world.files.read(SHARES)
    return parse_shares(text) if text is not None else ()


def test_a_console_is_shared_and_a_second_time_it_is_so_already(
    shared: CommandLine, world: World
) -> None:
    (share,) = listed(world)
    (domain,) = world.domains.list()
    assert (share.machine, share.uuid, share.tenant) == ("alice-dev", domain.uuid, "bob")
    assert (share.grant, share.until) == (Grant.CONSOLE, "2099-01-31T00:00:00Z")
    assert share.created_by == "carol"
    assert world.files.texts[SHARES][1] == 0o644
    again = shared(*CONSOLE)
    said = "alice-dev is shared with bob: its console, until 2099-01-31\n"
    assert (again.code, again.out, again.err) == (0, said, "")
    assert listed(world) == (share,)


def test_a_dry_run_shows_the_plan_and_writes_nothing(shared: CommandLine, world: World) -> None:
    before = world.picture()
    shown = shared(*UNSHARE, "--dry-run")
    assert shown.out.splitlines() == [
        "tenant-unshare: alice-dev is not shared with bob",
        "  1 end what bob may do with alice-dev (asked for)",
        "  2 cancel the timer for 2099-01-31T00:00:00Z (it was for that share)",
        "  3 ask polkit, as bob, what they may do with alice-dev",
        "    (the list alone lets nobody in or out)",
        "  4 end the connections of bob to libvirt",
        "    (what is open outlives the right to open it)",
    ]
    assert world.picture() == before


def test_sharing_otherwise_changes_the_share(shared: CommandLine, world: World) -> None:
    done = shared("tenant", "share", "alice-dev", "bob", "--operate", "-y")
    assert (done.code, "start, stop and console, for ever" in done.out) == (0, True)
    (share,) = listed(world)
    assert (share.grant, share.until) == (Grant.OPERATE, "")


def test_unsharing_ends_what_is_open_and_is_so_already_then(
    shared: CommandLine, world: World
) -> None:
    world.accounts.connections["bob"] = 2
    world.accounts.sessions["bob"] = 1
    assert shared(*UNSHARE).code == 0
    assert world.files.read(SHARES) is None
    assert world.accounts.connections == {}
    assert world.accounts.sessions == {"bob": 1}
    again = shared(*UNSHARE)
    assert (again.code, again.out) == (0, "alice-dev is not shared with bob\n")


REFUSED = {
    "alice dev": (2, "names no machine and tenant"),
    "alice dev bob eve --console": (2, "names no machine and tenant"),
    "alice dev bob": (2, "say --console or --operate"),
    "alice dev bob --console --operate": (2, "say --console or --operate"),
    "alice dev alice --console": (2, "is alice's own"),
    "alice dev bob-x --console": (2, "is not a tenant's name"),
    "alice dev b* --console": (2, "is not a tenant's name"),
    "alice dev bob --console --until 2020-01-01": (2, "until 2020-01-01 is over"),
    "alice dev bob --console --until soon": (2, "--until: 'soon' is no end"),
    "alice none bob --console": (3, "no such machine: alice-none"),
    "alice dev eve --console": (3, "there is no tenant eve"),
    "alice dev www --console": (3, "there is no tenant www"),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_cannot_be_shared_is_refused(shared: CommandLine, world: World, words: str) -> None:
    before = world.picture()
    done = shared("tenant", "share", *words.split(), "-y")
    code, said = REFUSED[words]
    assert (done.code, said in done.err) == (code, True), done.err
    assert world.picture() == before


def test_who_has_expired_is_let_into_nothing(shared: CommandLine, world: World) -> None:
    bob = world.accounts.by_name["bob"]
    world.accounts.by_name["bob"] = replace(bob, expires="2020-01-01")
    assert "tenant bob has expired" in shared(*CONSOLE).err


def test_of_a_machine_that_is_not_there_nothing_is_unshared(shared: CommandLine) -> None:
    done = shared("tenant", "unshare", "alice", "none", "bob")
    assert (done.code, "no such machine" in done.err) == (3, True)


def test_what_polkit_does_not_grant_is_not_shared(raptorctl: CommandLine, world: World) -> None:
    """Rules of an earlier version know nothing of shares."""
    assert raptorctl(*PROVISION).code == 0
    before = world.picture()
    done = raptorctl(*CONSOLE)
    assert done.code == 1
    assert "polkit denies bob domain.open-device on alice-dev" in done.err
    assert "raptorctl access install" in done.err
    assert world.picture() == before


def test_shares_are_listed(shared: CommandLine) -> None:
    assert shared("tenant", "share", "alice", "dev", "bob", "--operate", "-y").code == 0
    assert shared("tenant", "shares").out.splitlines() == [
        "MACHINE    TENANT  MAY      UNTIL",
        "alice-dev  bob     operate  -",
    ]
    (told,) = json.loads(shared("tenant", "shares", "alice", "-o", "json").out)["shares"]
    assert (told["machine"], told["tenant"], told["grant"]) == ("alice-dev", "bob", "operate")
    assert shared("tenant", "shares", "eve").out == "eve shares nothing\n"
    assert shared(*UNSHARE).code == 0
    assert shared("tenant", "shares").out == "nothing is shared\n"


@pytest.mark.parametrize(("tenant", "told"), [("alice", True), ("bob", True), ("eve", False)])
def test_show_tells_what_a_tenant_gives_and_has(
    shared: CommandLine, world: World, tenant: str, told: bool
) -> None:
    world.with_tenants(*({tenant} - {"alice", "bob"}))
    done = shared("tenant", "show", tenant)
    assert done.code == 0
    assert ("shares    alice-dev with bob: console, until 2099-01-31\n" in done.out) is told


def test_show_tells_whom_a_machine_is_shared_with(shared: CommandLine) -> None:
    assert "shared     with bob: console, until 2099-01-31\n" in shared("show", "alice", "dev").out
    (told,) = json.loads(shared("show", "alice", "dev", "-o", "json").out)["shares"]
    assert told["tenant"] == "bob"


@pytest.mark.parametrize(("name", "marked"), [("bob", True), ("alice", False)])
def test_the_other_tenant_sees_whose_it_is(shared: CommandLine, name: str, marked: bool) -> None:
    shared.root = False
    for words in (("list",), ("show", "alice", "dev")):
        session = shared.session(*words)
        session.caller = Caller(name)
        assert ("by alice" in shared(*words, session=session).out) is marked
        session = shared.session(*words)
        session.caller = Caller(name)
        told = json.loads(shared(*words, "-o", "json", session=session).out)
        assert told.get("machines", [told])[0]["shared"] is marked


def test_the_time_ends_a_share_and_the_timer_tidies_it(
    shared: CommandLine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at, left in (("2099-01-30T23:59:59Z", 1), ("2099-01-31T00:00:00Z", 0)):
        monkeypatch.setattr(clock, "look", lambda at=at: ClockReading(at, "0123abcd", 7))
        done = shared("expire")
        assert done.code == 0, done.err
        assert len(listed(world)) == left
    assert "alice-dev is not shared with bob any more" in done.out


@pytest.mark.parametrize("keep", [(), ("--keep", "7d")])
def test_a_share_goes_with_its_machine_and_does_not_come_back(
    shared: CommandLine, world: World, keep: tuple[str, ...]
) -> None:
    assert shared("deprovision", "alice", "dev", "-y", *keep).code == 0
    assert listed(world) == ()
    if keep:
        assert shared("undelete", "alice", "dev").code == 0
    else:
        assert shared(*PROVISION).code == 0
    assert listed(world) == ()


def test_a_share_stays_when_its_machine_is_rebuilt(shared: CommandLine, world: World) -> None:
    before = listed(world)
    done = shared("rebuild", "alice", "dev", "-y")
    assert done.code == 0, done.err
    assert listed(world) == before


def test_a_share_goes_with_the_other_tenant(shared: CommandLine, world: World) -> None:
    assert shared("tenant", "remove", "bob", "-y").code == 0
    assert listed(world) == ()


# What is not as it should be


def test_access_test_asks_as_the_other_tenant(shared: CommandLine, world: World) -> None:
    told = json.loads(shared("access", "test", "-o", "json").out)
    (share,) = told["shares"]
    assert share["allowed"] == ["domain.getattr", "domain.open-device"]
    assert told["wrong"] == []
    said = shared("access", "test").out
    assert "bob, on alice-dev until 2099-01-31: getattr, open-device\n" in said


def test_access_test_tells_what_polkit_grants_too_much(shared: CommandLine, world: World) -> None:
    (share,) = listed(world)
    world.authority.shares = (replace(share, grant=Grant.OPERATE),)
    done = shared("access", "test")
    assert done.code == 3
    assert "polkit" not in done.err
    assert "allows bob domain.start on alice-dev" in done.out


def test_explain_knows_shares(shared: CommandLine) -> None:
    yes = shared("access", "explain", "bob", "domain.open-device", "alice-dev").out
    assert yes.startswith("yes: bob may domain.open-device alice-dev")
    assert "its console is shared with them until 2099-01-31" in yes
    no = shared("access", "explain", "bob", "domain.start", "alice-dev").out
    assert no.startswith("no: bob may not domain.start alice-dev")


@pytest.mark.parametrize("text", ["", "raptorctlShares = [{}];", "polkit.addRule(0);"])
def test_a_list_that_is_not_ours_stops_sharing_alone(
    shared: CommandLine, world: World, text: str
) -> None:
    world.files.write(SHARES, text, 0o644)
    for words in (CONSOLE, UNSHARE, ("tenant", "shares")):
        done = shared(*words)
        assert (done.code, "move it away" in done.err) == (3, True)
    assert shared("access", "test").code == 3
    assert shared("deprovision", "alice", "dev", "-y").code == 0
    assert world.files.read(SHARES) == text


def test_without_root_nothing_is_shared(shared: CommandLine) -> None:
    shared.root = False
    for words in (CONSOLE, UNSHARE, ("tenant", "shares")):
        assert "this needs root" in shared(*words).err


LOST = {
    "there is no such machine": "alice-web",
    "that was another machine of its name": "alice-dev",
}


@pytest.mark.parametrize("why", LOST)
def test_doctor_mends_a_share_of_what_is_gone(shared: CommandLine, world: World, why: str) -> None:
    (share,) = listed(world)
    uuid = share.uuid.translate(str.maketrans("0123456789", "1234567890"))
    lost = replace(share, machine=LOST[why], uuid=uuid)
    world.files.write(SHARES, shares_text([share, lost]), 0o644)
    done = shared("doctor", "--fix", "-y")
    assert done.code == 0, done.err
    assert f"{lost.machine} is shared with bob, but {why}" in done.out
    assert listed(world) == (share,)


def test_doctor_mends_a_share_with_who_is_gone(shared: CommandLine, world: World) -> None:
    world.accounts.by_name["bob"] = Account("bob", 1500, 1500)
    world.files.remove(record_path("bob"))
    assert "bob is no tenant" in shared("doctor", "--fix", "-y").out
    assert listed(world) == ()
    assert world.files.read(RULES) is not None


@pytest.mark.skipif(os.geteuid() != 0, reason="a file that is not root's is made by root")
@pytest.mark.parametrize(
    "spoil", [lambda path: os.chown(path, 1, 1), lambda path: path.chmod(0o666)]
)
def test_a_list_that_others_write_counts_for_nothing_and_doctor_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], None]
) -> None:
    path = tmp_path / "shares"
    path.write_text(shares_text([]))
    monkeypatch.setattr(survey, "SHARES", str(path))
    host: Any = SimpleNamespace(files=LocalFiles())
    assert survey.shares(host) == Shares()
    spoil(path)
    found = survey.shares(host)
    assert (found.all, "can be written by others than root" in found.problem) == ((), True)
    (fault,) = shares(scene(settings(), HostFacts(shares=found), NOTHING))
    assert (fault.verdict, fault.what, fault.steps) == (Verdict.FAIL, found.problem, ())
