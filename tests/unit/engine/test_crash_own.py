"""Killed anywhere on a host of one's own: after `recover` its files are as before, or as wished.

The volumes are the real driver's files, so it dies between a file and its note as well.
"""

import itertools
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.engine.apply import apply
from raptorctl.engine.journals import Journals
from raptorctl.engine.recover import recover
from raptorctl.engine.report import Silent
from raptorctl.engine.stop import Stop
from raptorctl.errors import HostError, LeftoversError, RolledBackError
from raptorctl.model.job import Outcome
from raptorctl.plans.deprovision import plan_deprovision
from raptorctl.plans.plan import Identity, Plan
from raptorctl.plans.provision import plan_provision
from raptorctl.plans.rebuild import RebuildRequest, plan_rebuild
from tests.fakes import Killed, Tripwire
from tests.own import OwnWorld, without_qemu_img
from tests.unit.plans.test_own import LATER, NOW, WEB

VERBS = pytest.mark.parametrize("verb", ["provision", "provision image", "deprovision", "rebuild"])


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fdatasync", lambda _: None)
    monkeypatch.setattr(os, "fsync", lambda _: None)


class Case:
    """A fresh host, a job, and what may be true afterwards."""

    def __init__(self, folder: Path, verb: str, patch: pytest.MonkeyPatch) -> None:
        folder.mkdir()
        self.patch = patch
        self.world = OwnWorld(folder)
        self.journals = Journals(folder / "journal", folder / "audit.jsonl")
        empty = self.world.picture()
        if verb in {"deprovision", "rebuild"}:
            self.run(self.plan_for("provision image", NOW))
        self.before = self.world.picture()
        self.plan = self.plan_for(verb, LATER)
        self.wished = {repr(self.before), repr(empty)}

    def plan_for(self, verb: str, identity: Identity) -> Plan:
        world = self.world
        if verb == "deprovision":
            return plan_deprovision(WEB.name, world.settings, world.facts(), identity)
        if verb == "rebuild":
            wish = RebuildRequest(WEB.name)
            return plan_rebuild(wish, world.settings, world.facts(), identity)
        image = world.image.name if "image" in verb else None
        return plan_provision(replace(WEB, image=image), world.settings, world.facts(), identity)

    def run(self, plan: Plan, wire: Tripwire | None = None) -> None:
        with without_qemu_img(self.patch, wire):
            apply(plan, self.world.host(wire), self.journals, Silent(), Stop())

    def recover(self, wire: Tripwire | None = None) -> None:
        with without_qemu_img(self.patch, wire):
            recover(self.world.host(wire), self.journals, Silent(), Stop())

    def check(self) -> None:
        assert not self.journals.open_files()
        jobs = self.journals.jobs()
        if jobs and jobs[-1].outcome is Outcome.DONE and self.plan.verb != "deprovision":
            self.check_whole()
        else:
            assert repr(self.world.picture()) in self.wished

    def check_whole(self) -> None:
        (volume,) = self.world.overlays.list()
        assert (volume.name, volume.clean) == (WEB.name.volume, True)
        names = {path.name for path in self.world.directory.iterdir()}
        assert names == {f"{volume.name}.qcow2", f"{volume.name}.json"}


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Case]:
    numbers = itertools.count()
    return lambda verb: Case(tmp_path / str(next(numbers)), verb, monkeypatch)


def calls_of(one: Case) -> int:
    wire = Tripwire()
    one.run(one.plan, wire)
    return len(wire.calls)


@VERBS
def test_nothing_fails(case: Callable[[str], Case], verb: str) -> None:
    one = case(verb)
    one.run(one.plan)
    one.check()
    assert one.journals.jobs()[-1].outcome is Outcome.DONE
    if verb == "deprovision":
        assert list(one.world.directory.iterdir()) == []


@VERBS
def test_killed_at_every_call_and_every_write(case: Callable[[str], Case], verb: str) -> None:
    total = calls_of(case(verb))
    assert total > 10
    for at, after in itertools.product(range(1, total + 1), (False, True)):
        one = case(verb)
        with pytest.raises(Killed):
            one.run(one.plan, Tripwire(at, after=after))
        one.recover()
        one.check()
        picture = one.world.picture()
        one.recover()
        assert one.world.picture() == picture


@VERBS
def test_killed_again_while_recovering(case: Callable[[str], Case], verb: str) -> None:
    for at in range(1, calls_of(case(verb)) + 1):
        for again in itertools.count(1):
            one = case(verb)
            with pytest.raises(Killed):
                one.run(one.plan, Tripwire(at, after=True))
            try:
                one.recover(Tripwire(again, after=again % 2 == 0))
            except Killed:
                one.recover()
                one.check()
            else:
                one.check()
                break


@VERBS
def test_a_fault_at_every_call(case: Callable[[str], Case], verb: str) -> None:
    for at, after in itertools.product(range(1, calls_of(case(verb)) + 1), (False, True)):
        one = case(verb)
        wire = Tripwire(at, lambda: HostError("the disk is on fire"), after=after)
        try:
            one.run(one.plan, wire)
        except RolledBackError:
            assert one.world.picture() == one.before
        except LeftoversError as error:
            assert error.leftovers
            one.recover()
        one.check()
