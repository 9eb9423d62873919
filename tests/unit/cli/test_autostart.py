import json
from pathlib import Path

import pytest

from raptorctl.model.machine_details import describe
from raptorctl.plans.machine.autostart import WHEN, plan_autostart
from raptorctl.plans.machine.provision import plan_provision
from raptorctl.plans.plan import Plan
from raptorctl.render.machine_lines import machine_lines
from tests.fakes import World
from tests.session_host import SessionWorld, without_qemu_img
from tests.unit.cli.session import PROVISION, CommandLine
from tests.unit.plans.part.test_session import LATER, NOW, WEB


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
    assert "let alice-dev no longer start by itself" in shown.out
    assert world.domains.list()[0].autostart


@pytest.mark.parametrize(
    ("words", "code"),
    [(["alice", "dev"], 2), (["alice", "dev", "ON"], 2), (["on"], 2), (["bob", "ci", "on"], 3)],
)
def test_what_is_not_understood_or_not_there(
    raptorctl: CommandLine, words: list[str], code: int
) -> None:
    assert raptorctl("autostart", *words).code == code


def test_on_a_session_host_it_is_said_when_that_is(tmp_path: Path) -> None:
    world = SessionWorld(tmp_path)
    with pytest.MonkeyPatch.context() as patch, without_qemu_img(patch):
        for step in plan_provision(WEB, world.settings, world.facts(), NOW).steps:
            step.apply(world.host(), lambda *_: None)

    def planned(*, on: bool) -> Plan:
        return plan_autostart(WEB.name, world.settings, world.facts(), LATER, on=on)

    assert planned(on=False).steps == ()
    plan = planned(on=True)
    assert plan.summary == "alice-web starts with your libvirt session"
    assert plan.notes == (WHEN,)
    for step in plan.steps:
        step.apply(world.host(), lambda *_: None)
    assert planned(on=True).summary.endswith("as before")
    assert planned(on=False).notes == ()
    details = describe(WEB.name, world.settings, world.facts())
    assert details
    assert dict(machine_lines(details))["autostart"] == "with libvirt's session"
