import pytest

from tests.fakes import World
from tests.unit.cli.session import PROVISION, CommandLine


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
