import json

import pytest

from tests.fakes import World
from tests.unit.cli.session import PROVISION, CommandLine


@pytest.fixture(autouse=True)
def machine(raptorctl: CommandLine) -> None:
    assert raptorctl(*PROVISION).code == 0


def test_a_machine_stays_off_at_boot_and_starts_again(raptorctl: CommandLine, world: World) -> None:
    for word, on, says in (
        ("off", False, "does not start with the host\n"),
        ("off", False, "does not start with the host, as before\n"),
        ("on", True, "starts with the host\n"),
    ):
        done = raptorctl("autostart", "alice", "dev", word)
        assert (done.code, done.out) == (0, f"alice-dev {says}")
        assert world.domains.list()[0].autostart is on
    entries = json.loads(raptorctl("audit", "-o", "json").out)["entries"]
    assert [entry["verb"] for entry in entries] == ["provision", "autostart", "autostart"]


def test_dry_run_sets_nothing(raptorctl: CommandLine, world: World) -> None:
    shown = raptorctl("autostart", "alice-dev", "off", "--dry-run")
    assert "let alice-dev stay off when the host starts" in shown.out
    assert world.domains.list()[0].autostart


@pytest.mark.parametrize(
    ("words", "code"),
    [(["alice", "dev"], 2), (["alice", "dev", "ON"], 2), (["on"], 2), (["bob", "ci", "on"], 3)],
)
def test_what_is_not_understood_or_not_there(
    raptorctl: CommandLine, words: list[str], code: int
) -> None:
    assert raptorctl("autostart", *words).code == code
