"""`--expires`, `extend`, and what `expire` does stage by stage."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from email import message_from_string

import pytest

from raptorctl.api.caller import Caller
from raptorctl.errors import HostError, RefusedError
from raptorctl.host.system import clock
from raptorctl.model.domain import Domain, State
from raptorctl.model.expiry import Expiry, day_of, parse_expiry, plus
from raptorctl.model.facts import HostFacts
from raptorctl.model.look import ClockReading
from raptorctl.model.names import MachineName
from raptorctl.model.session_host import places, session_settings
from raptorctl.plans.machine.undelete import plan_undelete
from raptorctl.plans.part import expiry
from raptorctl.plans.past import NOTHING
from raptorctl.plans.plan import Identity
from tests.fakes import World
from tests.unit.cli.session import PROVISION, CommandLine, FakeSession

BOOT = "0123abcd"
TODAY = date.today()


def day(number: int) -> str:
    return (TODAY + timedelta(days=number)).isoformat()


Expire = Callable[[int], str]


@pytest.fixture
def expire(raptorctl: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Expire:
    """Run `expire` so many days from now, as often as it has something to do."""

    def run(days: int) -> str:
        reading = ClockReading(f"{day(days)}T12:00:00Z", BOOT, (days + 100) * 24 * 3600)
        monkeypatch.setattr(clock, "look", lambda: reading)
        done = raptorctl("expire")
        assert done.code == 0, done.err
        return done.out

    return run


@pytest.fixture
def machine(raptorctl: CommandLine) -> None:
    done = raptorctl(*PROVISION, "--expires", "30d")
    assert done.code == 0, done.err


def domain(world: World) -> Domain:
    (found,) = world.domains.list()
    return found


@pytest.mark.usefixtures("machine")
def test_it_is_told_to_who_asks_for_it(raptorctl: CommandLine) -> None:
    assert f"expires    {day(30)}\n" in raptorctl("show", "alice", "dev").out
    assert json.loads(raptorctl("show", "alice", "dev", "-o", "json").out)["expires"] == day(30)
    raptorctl.root = False
    session = raptorctl.session("list")
    session.caller = Caller("alice")
    head, row = raptorctl("list", session=session).out.splitlines()
    assert (head.split()[-1], row.split()[-1]) == ("EXPIRES", day(30))


@pytest.mark.usefixtures("machine")
def test_stage_by_stage(raptorctl: CommandLine, world: World, expire: Expire) -> None:
    assert expire(22) == f"alice-dev expires on {day(30)}\n"
    assert world.mail.sent == []
    assert "its tenant is told" in expire(23)
    assert "its tenant is told" not in expire(24)
    (mail,) = map(message_from_string, world.mail.sent)
    assert (mail["To"], mail["Subject"]) == ("alice, carol", f"alice-dev expires on {day(30)}")
    assert domain(world).state is State.RUNNING

    assert "a look a day later has to agree" in expire(30)
    assert domain(world).state is State.RUNNING
    assert "has expired, and is off" in expire(31)
    assert (domain(world).state, domain(world).autostart) == (State.OFF, False)
    assert expire(36) == "alice-dev has expired, and is off\n"
    assert "its disks are kept until" in expire(37)
    assert not world.domains.list()

    assert "kept until" in expire(38)
    assert "a look a day later agrees" in expire(51)
    assert "wiped 40G" in expire(52)
    assert not world.volumes.list()
    verbs = [job["verb"] for job in json.loads(raptorctl("job", "list", "-o", "json").out)["jobs"]]
    assert sorted(verbs) == sorted(["provision", *["expire"] * 5, "retire"])


@pytest.mark.usefixtures("machine")
def test_a_tenant_who_starts_it_again_has_it_until_the_next_run(
    world: World, expire: Expire
) -> None:
    for number in (30, 31):
        expire(number)
    world.domains.start(domain(world).uuid)
    expire(32)
    assert domain(world).state is State.OFF


@pytest.mark.usefixtures("machine")
def test_a_clock_that_jumps_stops_nothing(
    raptorctl: CommandLine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, up in ((400, 1000), (900, 4600), (901, 8200)):
        reading = ClockReading(f"{day(number)}T12:00:00Z", BOOT, up)
        monkeypatch.setattr(clock, "look", lambda reading=reading: reading)
        raptorctl("expire")
    assert domain(world).state is State.RUNNING


@pytest.mark.usefixtures("machine")
def test_extending_begins_anew(raptorctl: CommandLine, world: World, expire: Expire) -> None:
    for number in (29, 30, 31):
        expire(number)
    done = raptorctl("extend", "alice", "dev", "60d")
    assert (done.code, done.out) == (0, f"alice-dev expires on {day(60)}\n")
    assert "it was stopped: raptorctl start alice-dev" in done.err
    assert expire(40) == f"alice-dev expires on {day(60)}\n"
    expire(55)
    assert len(world.mail.sent) == 2
    assert raptorctl("extend", "alice", "dev", "never").out == "alice-dev does not expire\n"
    assert expire(99) == ""


@pytest.mark.usefixtures("machine")
def test_one_that_is_retired_comes_back_with_some_days(
    raptorctl: CommandLine, world: World, expire: Expire
) -> None:
    mark = domain(world).mark
    assert mark
    for number in (29, 30, 37):
        expire(number)
    assert raptorctl("undelete", "alice", "dev").code == 0
    after = domain(world).mark
    assert after
    assert (after.expires, after.warned, after.due) == (mark.expires, "", "")


@pytest.mark.usefixtures("machine")
def test_without_sendmail_it_is_said_and_goes_on(
    raptorctl: CommandLine, world: World, expire: Expire
) -> None:
    world.mail.there = False
    assert "its tenant is told" in expire(25)
    assert expire(26) == f"alice-dev expires on {day(30)}\n"


@pytest.mark.usefixtures("machine")
def test_mail_that_is_not_taken_is_sent_by_a_later_run(
    raptorctl: CommandLine, world: World, expire: Expire, monkeypatch: pytest.MonkeyPatch
) -> None:
    expire(20)
    reading = ClockReading(f"{day(25)}T12:00:00Z", BOOT, 10**7)
    monkeypatch.setattr(clock, "look", lambda: reading)
    with monkeypatch.context() as patch:
        patch.setattr(world.mail, "send", lambda _text: fails())
        assert raptorctl("expire").code == 1
    assert world.mail.sent == []
    expire(25)
    assert len(world.mail.sent) == 1


@pytest.mark.usefixtures("machine")
def test_mail_that_is_never_taken_keeps_no_machine_running(
    raptorctl: CommandLine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.mail, "send", lambda _text: fails())
    codes = []
    for hour in range(25 * 24, 40 * 24, 12):
        at = f"{day(hour // 24)}T{hour % 24:02}:00:00Z"
        reading = ClockReading(at, BOOT, (hour + 2400) * 3600)
        monkeypatch.setattr(clock, "look", lambda reading=reading: reading)
        codes.append(raptorctl("expire").code)
        off = not world.domains.list() or domain(world).state is State.OFF
        assert off is (hour >= 31 * 24), at
    # It fails for all to see, as often as there is nothing else to be done, until it is removed.
    assert codes == [1] * 10 + [0, 1, 0] + [1] * 11 + [0] * 6
    assert not world.domains.list()


def fails() -> None:
    raise HostError("the queue is full")


def policed(raptorctl: CommandLine, expiry: Expiry, *typed: str) -> FakeSession:
    session = raptorctl.session(*typed)
    session.settings = replace(session.settings, expiry=expiry)
    return session


def test_a_policy_may_demand_it_and_bound_it(raptorctl: CommandLine) -> None:
    policy = Expiry(required=True, longest_days=90)
    for words, says in (
        ((), "machines of this host have to expire"),
        (("--expires", "never"), "machines of this host have to expire"),
        (("--expires", "91d"), "is more than 90 days away"),
    ):
        typed = (*PROVISION, *words)
        done = raptorctl(*typed, session=policed(raptorctl, policy, *typed))
        assert (done.code, says in done.complaint) == (3, True), done.err
    typed = (*PROVISION, "--expires", "90d")
    assert raptorctl(*typed, session=policed(raptorctl, policy, *typed)).code == 0
    typed = ("extend", "alice", "dev", "never")
    assert raptorctl(*typed, session=policed(raptorctl, policy, *typed)).code == 3


@pytest.mark.parametrize(
    "text", ["", "0d", "90", "90h", "d", "2027-02-30", "20270131", "2027-1-31", "soon", "９0d",
             "9999w", "2027-01-31\n", "-1d"],
)  # fmt: skip
def test_no_such_day(raptorctl: CommandLine, world: World, text: str) -> None:
    done = raptorctl(*PROVISION, "--expires", text)
    assert (done.code, "--expires" in done.complaint) == (2, True)
    assert not world.volumes.list()


def test_a_day_that_is_over(raptorctl: CommandLine) -> None:
    done = raptorctl(*PROVISION, "--expires", TODAY.isoformat())
    assert (done.code, "is over" in done.complaint) == (2, True)


def test_days_and_weeks_count_from_today() -> None:
    assert day_of(parse_expiry("2w"), "2026-12-25") == "2027-01-08"
    assert day_of(parse_expiry("1d"), "2026-12-31") == "2027-01-01"
    assert day_of("never", "2026-12-31") == ""


@pytest.mark.usefixtures("machine")
def test_asked_again_it_is_compared(raptorctl: CommandLine) -> None:
    assert raptorctl(*PROVISION, "--expires", "90d").code == 0
    differs = raptorctl(*PROVISION, "--expires", "2099-01-01")
    assert f"expires {day(30)}, not 2099-01-01" in differs.err
    assert "raptorctl extend alice-dev 2099-01-01" in differs.err


def test_a_file_of_machines_says_it_and_up_extends(
    raptorctl: CommandLine, tmp_path: object, monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    monkeypatch.chdir(raptorctl.directory)
    file = raptorctl.directory / "raptor.toml"
    text = '[machine.alice-web]\nsize = "1G"\ncpus = 1\nmemory = "1G"\nexpires = "2098-01-01"\n'
    for wanted in (text, text.replace("2098", "2099")):
        file.write_text(wanted)
        done = raptorctl("up")
        assert done.code == 0, done.err
    mark = domain(world).mark
    assert mark
    assert mark.expires == "2099-01-01"
    assert 'expires = "2099-01-01"' in raptorctl("export").out


def test_a_machine_that_does_not_expire_is_left_alone(
    raptorctl: CommandLine, world: World, expire: Expire
) -> None:
    raptorctl(*PROVISION)
    before = world.picture()
    assert expire(3000) == ""
    assert world.picture() == before


def test_a_session_host_has_nothing_of_it() -> None:
    own = session_settings(places({}, "/home/alice"), "alice", ("/code", "/vars"))
    identity = Identity("j", "u", "alice", "2026-11-20T12:00:00Z")
    assert expiry.day(None, own, identity) == ""
    for refuse in (
        lambda: expiry.day("90d", own, identity),
        lambda: plan_undelete(MachineName("alice", "dev"), NOTHING, own, HostFacts(), identity),
    ):
        with pytest.raises(RefusedError, match="this host is your own"):
            refuse()


def test_the_calendar_has_an_end() -> None:
    assert plus("9999-12-31", 7) == "9999-12-31"
    assert plus("0001-01-03", -7) == "0001-01-01"
    assert plus("2026-12-31", 1) == "2027-01-01"


@pytest.mark.parametrize(
    "text", ["2026-99-01T00:00:00Z", "2026-01-01T99:99:99Z", "2026-01-01T00:00:::Z"]
)
def test_a_tag_that_tells_no_moment_is_none(text: str) -> None:
    assert ClockReading.parse(f"{text}/{BOOT}/1") is None


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("said", ["soon", "90d", "2027-02-30"])
def test_a_definition_without_a_day_is_told_and_keeps_nothing_else_waiting(
    raptorctl: CommandLine, world: World, said: str
) -> None:
    changed = domain(world).xml.replace(f"<raptor:expires>{day(30)}<", f"<raptor:expires>{said}<")
    world.domains.define(changed)
    done = raptorctl("expire")
    assert done.code == RefusedError("").exit_code
    assert f"the definition of alice-dev says that it expires on '{said}'" in done.err
    assert "raptorctl extend alice-dev 90d" in done.err
    assert raptorctl("extend", "alice", "dev", "90d").code == 0
    assert raptorctl("expire").code == 0
