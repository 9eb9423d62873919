"""Open consoles end with the share: by a timer, where systemd keeps one."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from raptorctl.host.system import clock
from raptorctl.model.look import ClockReading
from raptorctl.model.share import SHARES, parse_shares, shares_text
from raptorctl.steps.timer import CancelTimer
from tests.fakes import World
from tests.unit.cli.session import PROVISION, CommandLine

SHARE = ("tenant", "share", "alice", "dev", "bob", "--console", "--until")
END = "2099-01-31T00:00:00Z"

Expire = Callable[..., str]


@pytest.fixture
def shared(raptorctl: CommandLine) -> CommandLine:
    """A host with alice's machine, whose console bob has until a day."""
    for words in (("access", "install"), PROVISION, (*SHARE, "2099-01-31", "-y")):
        done = raptorctl(*words)
        assert done.code == 0, done.err
    return raptorctl


@pytest.fixture
def expire(raptorctl: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Expire:
    """Run `expire` at a moment; at later ones as often as it looks at the clock again."""

    def run(*moments: str) -> str:
        readings = [ClockReading(at, "0123abcd", 7) for at in reversed(moments)]
        monkeypatch.setattr(clock, "look", lambda: readings.pop() if readings[1:] else readings[0])
        done = raptorctl("expire")
        assert done.code == 0, done.err
        return done.out

    return run


def name(world: World) -> str:
    (share,) = parse_shares(world.files.read(SHARES) or "")
    return f"raptorctl-share-{share.job}"


def test_a_timer_waits_for_the_end(shared: CommandLine, world: World) -> None:
    assert world.timers.all == {name(world): END}
    words = ("tenant", "share", "alice", "dev", "bob", "--operate", "--until", "2098-01-01")
    shown = shared(*words, "--dry-run").out.splitlines()
    assert shown[-2:] == [
        f"  3 cancel the timer for {END} (it was for that share)",
        "  4 set a timer for 2098-01-01T00:00:00Z (a console that is open then is ended)",
    ]
    assert shared(*words, "-y").code == 0
    assert world.timers.all == {name(world): "2098-01-01T00:00:00Z"}


def test_without_an_end_there_is_none(shared: CommandLine, world: World) -> None:
    done = shared(*SHARE, "never", "-y")
    assert (done.code, world.timers.all) == (0, {})


@pytest.mark.parametrize(
    "words",
    [
        ("tenant", "unshare", "alice", "dev", "bob"),
        ("deprovision", "alice", "dev", "-y"),
        ("deprovision", "alice", "dev", "-y", "--keep", "7d"),
        ("tenant", "remove", "bob", "-y"),
    ],
    ids=" ".join,
)
def test_it_goes_with_a_share_that_ends_early(
    shared: CommandLine, world: World, words: tuple[str, ...]
) -> None:
    done = shared(*words)
    assert (done.code, world.timers.all) == (0, {}), done.err


def test_doctor_takes_it_away_with_a_share_of_what_is_gone(
    shared: CommandLine, world: World
) -> None:
    (share,) = parse_shares(world.files.read(SHARES) or "")
    lost = replace(share, machine="alice-web", job="j7")
    world.files.write(SHARES, shares_text([share, lost]), 0o644)
    world.timers.set(lost.timer, END)
    done = shared("doctor", "--fix", "-y")
    assert done.code == 0, done.err
    assert world.timers.all == {share.timer: END}


def test_where_systemd_keeps_none_nothing_of_it_is_planned(
    raptorctl: CommandLine, world: World
) -> None:
    world.timers.there = False
    for words in (("access", "install"), PROVISION, (*SHARE, "2099-01-31", "-y")):
        assert raptorctl(*words).code == 0
    said = raptorctl("tenant", "unshare", "alice", "dev", "bob", "--dry-run").out
    assert (world.timers.all, "timer" in said) == ({}, False)


def test_one_that_cannot_be_set_lets_nobody_in(raptorctl: CommandLine, world: World) -> None:
    for words in (("access", "install"), PROVISION):
        assert raptorctl(*words).code == 0
    before = world.picture()
    world.timers.broken = "systemd does not answer"
    done = raptorctl(*SHARE, "2099-01-31", "-y")
    assert (done.code, "systemd does not answer" in done.err) == (1, True)
    assert world.picture() == before


def test_one_whose_moment_is_over_is_not_set_again(world: World) -> None:
    step = CancelTimer("r", "raptorctl-share-j1", "2020-01-01T00:00:00Z")
    step.undo(world.host(), lambda _done, _total: None)
    assert world.timers.all == {}


def test_after_a_restart_it_is_set_again_shortly_before(
    shared: CommandLine, world: World, expire: Expire
) -> None:
    timer = name(world)
    world.timers.all.clear()
    assert expire("2099-01-30T21:59:59Z") == ""
    assert world.timers.all == {}
    assert expire("2099-01-30T22:00:00Z") == "what is shared of alice-dev ends on time\n"
    assert world.timers.all == {timer: END}
    assert expire("2099-01-30T23:00:00Z") == ""


def test_what_is_over_while_expire_is_at_work_is_ended_by_it(
    shared: CommandLine, world: World, expire: Expire
) -> None:
    """A service that is at work is not begun once more (systemd.timer(5))."""
    world.accounts.connections["bob"] = 1
    said = expire("2099-01-30T23:59:59Z", END)
    assert said == "alice-dev is not shared with bob any more\n"
    assert world.accounts.connections == {}
    assert world.timers.all == {}
