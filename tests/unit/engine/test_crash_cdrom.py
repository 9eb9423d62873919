"""All or nothing, as test_crash, in jobs on machines' CD drives."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.plans.machine.cdrom import MediumRequest, plan_eject, plan_insert
from raptorctl.plans.machine.deprovision import plan_deprovision
from raptorctl.plans.machine.provision import plan_provision
from raptorctl.plans.plan import Identity, Plan
from tests.fakes import ISO, World, but, settings
from tests.unit.engine.ordeal import EVERY, Ordeal, Trial
from tests.unit.plans.machine.test_provision import ALICE, JOB, TEMPLATES

pytestmark = pytest.mark.long

OTHER = replace(ISO, name="other.iso", digest="16" * 32)
WITH = but(ALICE, iso=ISO.name)
BEFORE = Identity("j0", JOB.uuid, JOB.by, "2026-11-20T11:00:00Z")
NEXT = Identity("j2", JOB.uuid, JOB.by, "2026-11-20T13:00:00Z")
Planner = Callable[[World], Plan]


def insert(world: World) -> Plan:
    request = MediumRequest(ALICE.name, OTHER)
    return plan_insert(request, settings(), world.facts(TEMPLATES), NEXT)


def eject(world: World) -> Plan:
    return plan_eject(ALICE.name, world.facts(TEMPLATES), NEXT)


def provision(world: World, identity: Identity = NEXT) -> Plan:
    return plan_provision(WITH, settings(), world.facts(TEMPLATES), identity)


def deprovision(world: World) -> Plan:
    return plan_deprovision(ALICE.name, settings(), world.facts(TEMPLATES), NEXT)


JOBS: dict[str, Planner] = {
    "provision": provision,
    "insert": insert,
    "insert into one that is off": insert,
    "insert into one without a drive": insert,
    "eject": eject,
    "eject from one that is off": eject,
    "deprovision": deprovision,
}


class Case(Trial):
    """A host before a job: without a machine, or with one."""

    def __init__(self, folder: Path, job: str) -> None:
        super().__init__(World(), folder)
        self.world.with_tenants("alice")
        self.world.images.all = (ISO, OTHER)
        if "without" in job:
            self.run(plan_provision(ALICE, settings(), self.world.facts(TEMPLATES), BEFORE))
        elif job != "provision":
            self.run(provision(self.world, BEFORE))
        if "off" in job:
            self.world.domains.shut_down(JOB.uuid, 1, lambda *_: None)
        self.stand_before(JOBS[job](self.world))

    def check_always(self) -> None:
        """What a drive holds is there and whole, whatever was cut off when."""
        super().check_always()
        assert not self.world.facts(TEMPLATES).unreadable


@EVERY
@pytest.mark.parametrize("job", JOBS)
def test_all_or_nothing(case: Callable[[str], Case], job: str, ordeal: Ordeal) -> None:
    ordeal(case(job))
