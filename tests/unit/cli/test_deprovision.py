import pytest

from raptorctl.drivers.tick import Tick
from tests.fakes import World
from tests.unit.cli.session import PROVISION, CommandLine, FakeSession
from tests.unit.model.test_first_boot import BOOT, FIRMWARE, LOADER


@pytest.fixture(autouse=True)
def machine(raptorctl: CommandLine) -> None:
    assert raptorctl(*PROVISION).code == 0


def test_without_a_terminal_and_without_yes_it_refuses(
    raptorctl: CommandLine, world: World
) -> None:
    before = world.picture()
    done = raptorctl("deprovision", "alice", "dev")
    assert done.code == 2
    assert "add -y" in done.complaint
    assert world.picture() == before


@pytest.mark.parametrize("answer", ["", "\n", "y\n", "alice\n", "alice-de\n", "bob-dev\n"])
def test_anything_but_its_name_keeps_the_machine(
    raptorctl: CommandLine, world: World, answer: str
) -> None:
    before = world.picture()
    done = raptorctl("deprovision", "alice-dev", terminal=True, answer=answer)
    assert done.code == 2
    assert world.picture() == before


@pytest.mark.parametrize("answer", ["alice-dev\n", "alice dev\n"])
def test_its_name_lets_it_go(raptorctl: CommandLine, world: World, answer: str) -> None:
    done = raptorctl("deprovision", "alice", "dev", terminal=True, answer=answer)
    assert done.code == 0
    assert not world.volumes.list()
    assert not world.domains.list()
    assert not world.zones.records


def test_it_shows_how_it_was_wiped(raptorctl: CommandLine) -> None:
    done = raptorctl("deprovision", "alice", "dev", "-y")
    assert done.code == 0
    assert "wiped 40G of volume" in done.out
    assert "BLKZEROOUT" in done.out
    assert "read back 40G (full): nothing but zeroes" in done.out
    assert done.out.endswith("nothing of alice-dev is left\n")


def test_dry_run_needs_no_confirmation(raptorctl: CommandLine, world: World) -> None:
    before = world.picture()
    shown = raptorctl("deprovision", "alice", "dev", "--dry-run")
    assert shown.code == 0
    assert "wipe" in shown.out
    assert world.picture() == before


def test_a_machine_that_is_gone_already_is_success(raptorctl: CommandLine) -> None:
    done = raptorctl("deprovision", "bob", "ci", "-y")
    assert (done.code, done.out) == (0, "there is no machine bob-ci\n")


def stops(raptorctl: CommandLine, *more: str) -> list[str]:
    """What the plan says of stopping it."""
    shown = raptorctl("deprovision", "alice", "dev", "--dry-run", *more).out
    return [line.strip() for line in shown.splitlines() if "alice-dev" in line and (
        " stop " in line or " switch " in line)]  # fmt: skip


def test_how_long_its_guest_has_to_shut_down_can_be_said(raptorctl: CommandLine) -> None:
    assert "by force after 60 s" in stops(raptorctl)[0]
    assert "by force after 2.5 s" in stops(raptorctl, "--timeout", "2.5")[0]
    assert stops(raptorctl, "--force") == stops(raptorctl, "--timeout", "0")
    assert stops(raptorctl, "--force")[0].split(" ", 1)[1].startswith("switch alice-dev off")


def test_by_force_nobody_is_asked_and_nobody_waits(raptorctl: CommandLine, world: World) -> None:
    asked: list[float] = []
    shut_down = world.domains.shut_down

    def seen(uuid: str, timeout: float, tick: Tick, *, force: bool = True) -> bool:
        asked.append(timeout)
        return shut_down(uuid, timeout, tick, force=force)

    world.domains.shut_down = seen  # type: ignore[method-assign]
    assert raptorctl("deprovision", "alice", "dev", "--force", "-y").code == 0
    assert asked == [0.0]


def test_force_and_a_timeout_contradict_each_other(raptorctl: CommandLine, world: World) -> None:
    before = world.picture()
    done = raptorctl("deprovision", "alice", "dev", "--force", "--timeout", "9", "-y")
    assert (done.code, "leave out --timeout" in done.complaint) == (2, True)
    assert world.picture() == before


def test_that_the_account_of_a_tenant_stays_is_told_with_their_last_machine(
    raptorctl: CommandLine, world: World
) -> None:
    """Provision made alice on the way."""
    told = "`raptorctl tenant remove alice` takes that away"
    assert raptorctl("provision", "alice", "web", "--size", "1G", "--cpus", "2-2").code == 0
    assert told not in raptorctl("deprovision", "alice", "web", "--dry-run").out
    assert told not in raptorctl("deprovision", "alice", "web", "-y").err
    assert told in raptorctl("deprovision", "alice", "dev", "--dry-run").out
    assert told in raptorctl("deprovision", "alice", "dev", "-y").err
    assert raptorctl("tenant", "remove", "alice", "-y").code == 0


IN_VAIN = "which hear no power button: it goes off after 60 s, with --force at once"


@pytest.mark.parametrize(("said", "deaf"), [(FIRMWARE + LOADER, True), (BOOT, False), ("", False)])
def test_firmware_that_no_power_button_reaches_is_told_before_it_is_waited_for(
    raptorctl: CommandLine, monkeypatch: pytest.MonkeyPatch, said: str, deaf: bool
) -> None:
    monkeypatch.setattr(FakeSession, "console_text", lambda *_words: said)
    gone = ("deprovision", "alice", "dev")
    assert (IN_VAIN in raptorctl(*gone, "--dry-run").err) is deaf
    assert IN_VAIN not in raptorctl(*gone, "--dry-run", "--force").err
    assert (
        "which hear no"
        not in raptorctl("resize", "alice", "dev", "--memory", "4G", "--dry-run").out
    )
    assert (IN_VAIN in raptorctl(*gone, "-y").err) is deaf


def test_firmware_that_hands_over_meanwhile_is_no_reason_to_look_again(
    raptorctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = [BOOT, FIRMWARE + LOADER]
    monkeypatch.setattr(
        FakeSession, "console_text", lambda *_words: said.pop() if len(said) > 1 else said[0]
    )
    done = raptorctl("deprovision", "alice", "dev", terminal=True, answer="alice-dev\n")
    assert (done.code, said) == (0, [BOOT])
    assert "which hear no power button" in " ".join((done.out + done.err).split())


def test_what_is_off_is_not_asked(raptorctl: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeSession, "console_text", lambda *_words: FIRMWARE)
    assert raptorctl("stop", "alice", "dev").code == 0
    assert IN_VAIN not in raptorctl("deprovision", "alice", "dev", "-y").err
