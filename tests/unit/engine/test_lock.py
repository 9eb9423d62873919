"""The lock: one at a time, and the one who waits is told for whom."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.drivers.tick import Tick
from raptorctl.drivers.volume import WipeReport
from raptorctl.engine.apply import apply
from raptorctl.engine.journals import Journals
from raptorctl.engine.lock import hold_lock
from raptorctl.engine.report import Silent
from raptorctl.engine.stop import Stop
from raptorctl.errors import RefusedError, StoppedError
from raptorctl.model.job import Outcome
from raptorctl.model.volume import Volume
from raptorctl.plans.machine.deprovision import plan_deprovision
from raptorctl.plans.machine.provision import plan_provision
from raptorctl.plans.plan import Plan
from tests.fakes import World, settings
from tests.unit.plans.machine.test_provision import ALICE, JOB, TEMPLATES


def test_the_second_is_told_who_is_first(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with (
        hold_lock(path, "provision alice dev", "carol", Stop()),
        pytest.raises(RefusedError) as caught,
        hold_lock(path, "provision bob web", "dave", Stop(), timeout=0),
    ):
        pass
    for part in ("provision alice dev", "carol", str(os.getpid())):
        assert part in str(caught.value)
    with hold_lock(path, "provision bob web", "dave", Stop(), timeout=0):
        pass


def test_waiting_can_be_stopped(tmp_path: Path) -> None:
    path, stop = tmp_path / "lock", Stop()
    stop.ask(15)
    with (
        hold_lock(path, "a", "b", Stop()),
        pytest.raises(StoppedError),
        hold_lock(path, "c", "d", stop),
    ):
        pass


def test_a_long_wipe_lets_others_in_and_a_provision_does_not(tmp_path: Path) -> None:
    path, world = tmp_path / "lock", World()
    journals = Journals(tmp_path / "journal", tmp_path / "audit.jsonl")
    seen: list[str] = []
    really_wipe = world.wiper.wipe

    def wipe(volume: Volume, tick: Tick) -> WipeReport:
        seen.append("free" if is_free(path) else "held")
        assert [job.outcome for job in journals.jobs()][-1] is Outcome.RUNNING
        assert not journals.unfinished()
        assert journals.reservations()[0].machine == "alice-dev"
        return really_wipe(volume, tick)

    world.wiper.wipe = wipe  # type: ignore[method-assign]
    for plan in (planned, removal):
        with hold_lock(path, "x", "y", Stop()) as lock:
            apply(plan(world), world.host(), journals, Silent(), Stop(), lock.release)
    assert seen == ["held", "free"]


def is_free(path: Path) -> bool:
    try:
        with hold_lock(path, "c", "d", Stop(), timeout=0):
            return True
    except RefusedError:
        return False


def planned(world: World) -> Plan:
    return plan_provision(ALICE, settings(), world.facts(TEMPLATES), JOB)


def removal(world: World) -> Plan:
    later = replace(JOB, job="j2", at="2026-11-20T13:00:00Z")
    return plan_deprovision(ALICE.name, settings(), world.facts(TEMPLATES), later)
