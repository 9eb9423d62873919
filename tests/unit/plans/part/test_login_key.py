"""A machine of a session host that nobody's key lets in to has a pair of its own."""

import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from raptorctl.api.change import digest
from raptorctl.api.guest import Guest
from raptorctl.errors import ConflictError, HostError, InputError
from raptorctl.host.guest.host_key import new_host_key, pair_of
from raptorctl.host.system.files import LocalFiles
from raptorctl.model.guest import Endpoint
from raptorctl.model.seed import FirstBoot, HostKey
from raptorctl.model.session_host import login_key_path
from raptorctl.model.ssh_key import PublicKey
from raptorctl.plans.machine.deprovision import plan_deprovision
from raptorctl.plans.machine.rebuild import RebuildRequest, plan_rebuild
from raptorctl.plans.plan import Plan
from raptorctl.steps.secret import WriteLoginKey
from raptorctl.steps.seed import WriteSeed
from raptorctl.steps.step import decode_step
from tests.fakes import World, but
from tests.session_host import SessionWorld, without_qemu_img
from tests.unit.plans.part.test_session import LATER, WEB, planned

PAIR = HostKey("PRIVATE", "ssh-ed25519 AAAAspar")
MINE = ("ssh-ed25519 AAAAmine me@laptop",)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SessionWorld]:
    with without_qemu_img(monkeypatch):
        yield SessionWorld(tmp_path)


def written(plan: Plan) -> list[WriteLoginKey]:
    return [step for step in plan.steps if isinstance(step, WriteLoginKey)]


def user_data(plan: Plan) -> str:
    (seed,) = (step.seed for step in plan.steps if isinstance(step, WriteSeed))
    assert seed
    return seed.user_data


def test_where_there_is_no_key_it_is_made_told_and_kept_before_the_seed(
    world: SessionWorld,
) -> None:
    plan = planned(world, but(WEB, first_boot=FirstBoot(login_key=PAIR), image=world.image.name))
    (step,) = written(plan)
    assert step.path == login_key_path(WEB.name, world.settings)
    assert "ssh-ed25519 AAAAspar" in user_data(plan)
    assert not any("no ssh key" in note or "can log in" in note for note in plan.notes)
    assert "PRIVATE" not in repr(step) + str(step.encode()) + str(plan.encode())


def test_where_another_key_lets_in_there_is_none(world: SessionWorld) -> None:
    boot = FirstBoot(login_key=PAIR)
    wish = but(WEB, first_boot=boot, image=world.image.name)
    given = but(wish, keys=(PublicKey("ssh-ed25519", "AAAAgive"),))
    for plan in (planned(world, wish, owner_keys=MINE), planned(world, given)):
        assert written(plan) == []
        assert "AAAAspar" not in user_data(plan)


def test_a_pair_that_is_made_anew_makes_no_other_plan(world: SessionWorld) -> None:
    """A page makes it once to show the plan, and again to carry it out."""
    pairs = PAIR, HostKey("ANOTHER", "ssh-ed25519 AAAAothr")
    boots = (FirstBoot(login_key=pair) for pair in pairs)
    plans = [planned(world, but(WEB, first_boot=boot, image=world.image.name)) for boot in boots]
    assert digest(plans[0]) == digest(plans[1])


def test_a_job_key_is_taken_away_and_so_is_none(world: SessionWorld) -> None:
    boot = FirstBoot(keys=("ssh-ed25519 AAAAjobs raptorctl-job-1",), login_key=PAIR)
    plan = planned(world, but(WEB, first_boot=boot, image=world.image.name))
    assert len(written(plan)) == 1
    assert "AAAAjobs" in user_data(plan)
    assert "AAAAspar" in user_data(plan)


def test_one_that_is_kept_is_let_in_again_by_a_rebuild_whatever_keys_there_are_since(
    world: SessionWorld,
) -> None:
    wish = but(WEB, first_boot=FirstBoot(login_key=PAIR), image=world.image.name)
    for step in planned(world, wish).steps:
        step.apply(world.host(), lambda *_: None)
    boot = FirstBoot(login_key=PAIR, is_kept=True)
    facts = replace(world.facts(), owner_keys=MINE)
    plan = plan_rebuild(RebuildRequest(WEB.name, first_boot=boot), world.settings, facts, LATER)
    assert written(plan) == []
    assert "AAAAspar" in user_data(plan)
    assert "AAAAmine" in user_data(plan)


def test_it_goes_with_its_machine(world: SessionWorld) -> None:
    key = login_key_path(WEB.name, world.settings)
    wish = but(WEB, first_boot=FirstBoot(login_key=PAIR), image=world.image.name)
    for step in planned(world, wish).steps:
        step.apply(world.host(), lambda *_: None)
    assert world.files.texts[key] == ("PRIVATE", 0o600)
    world.files.paths.add(key)
    plan = plan_deprovision(WEB.name, world.settings, world.facts(), LATER)
    assert [step.kind for step in plan.steps if step.kind.startswith("key")] == ["key.remove"]


def test_the_file_is_its_owners_alone_and_another_one_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "alice-web-login-key"
    pair = new_host_key("raptorctl-alice-web")
    host = replace(World().host(), files=LocalFiles())
    step = WriteLoginKey("r", str(path), "5e" * 32, pair.private)
    path.write_text("somebody else's")
    with pytest.raises(ConflictError, match="is there already"):
        step.is_done(host)
    path.unlink()
    step.apply(host, lambda *_: None)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert pair_of(path.read_text()) == pair
    with pytest.raises(HostError, match="kept in no journal"):
        decode_step(step.encode()).apply(host, lambda *_: None)


def test_what_is_no_key_is_told() -> None:
    with pytest.raises(InputError, match="that is no private key"):
        pair_of("nonsense")


def test_it_is_what_ssh_and_steps_log_in_by_unless_another_is_named(world: SessionWorld) -> None:
    session: Any = SimpleNamespace(on_session_host=True, settings=world.settings)
    nothing: Any = None
    guest = Guest(session, WEB.name, nothing, nothing, Endpoint("127.0.0.1", 2201))
    assert guest._login_key(None, "") is None
    kept = Path(login_key_path(WEB.name, world.settings))
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text("PRIVATE")
    assert guest._login_key(None, "") == kept
    assert guest._login_key(Path("id_ed25519"), "") is None
    assert guest._login_key(None, "a job's own") is None
