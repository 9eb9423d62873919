"""All or nothing, as test_crash, in jobs on machines whose address a libvirt network keeps."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from raptorctl.model.net import NetworkSettings, read_nets
from raptorctl.plans.machine.deprovision import plan_deprovision
from raptorctl.plans.machine.provision import plan_provision
from raptorctl.plans.machine.rebuild import RebuildRequest, plan_rebuild
from raptorctl.plans.machine.retire import RetireRequest, plan_retire
from raptorctl.plans.machine.undelete import plan_undelete
from raptorctl.plans.past import Past
from raptorctl.plans.plan import Identity, Plan
from tests.fakes import World, but, settings
from tests.unit.engine.ordeal import EVERY, Ordeal, Trial
from tests.unit.plans.machine.test_provision import ALICE, JOB, TEMPLATES

pytestmark = pytest.mark.long

GRANTED = replace(settings(), network=NetworkSettings(read_nets(["network:default"])))
WITH = but(ALICE, net=read_nets(["network:default,ip=192.168.122.50"]), slot=None)
BEFORE = Identity("j0", JOB.uuid, JOB.by, "2026-11-20T11:00:00Z")
NEXT = Identity("j2", JOB.uuid, JOB.by, "2026-11-20T13:00:00Z")


def provision(world: World, identity: Identity = NEXT) -> Plan:
    return plan_provision(WITH, GRANTED, world.facts(TEMPLATES), identity)


def rebuild(world: World) -> Plan:
    return plan_rebuild(RebuildRequest(ALICE.name), GRANTED, world.facts(TEMPLATES), NEXT)


def deprovision(world: World) -> Plan:
    return plan_deprovision(ALICE.name, GRANTED, world.facts(TEMPLATES), NEXT)


JOBS: dict[str, Callable[[World], Plan]] = {
    "provision": provision,
    "rebuild of one whose network lost it": rebuild,
    "deprovision": deprovision,
}


class Case(Trial):
    """A host before a job: without a machine, or with one."""

    def __init__(self, folder: Path, job: str) -> None:
        super().__init__(World(), folder)
        self.world.with_tenants("alice")
        if job != "provision":
            self.run(provision(self.world, BEFORE))
        if "lost" in job:
            for side in self.world.domains.kept["default"].values():
                side.clear()
        self.stand_before(JOBS[job](self.world))


@EVERY
@pytest.mark.parametrize("job", JOBS)
def test_all_or_nothing(case: Callable[[str], Case], job: str, ordeal: Ordeal) -> None:
    ordeal(case(job))


def test_what_is_retired_gives_its_address_back_and_has_it_again(tmp_path: Path) -> None:
    one = Case(tmp_path / "host", "deprovision")
    request, name = RetireRequest(ALICE.name, timedelta(days=7)), ALICE.name
    one.run(plan_retire(request, GRANTED, one.world.facts(TEMPLATES), NEXT))
    assert not any(any(side) for side in one.world.domains.kept["default"].values())
    past, then = Past(one.journals.told()), replace(NEXT, job="j3")
    one.run(plan_undelete(name, past, GRANTED, one.world.facts(TEMPLATES), then))
    assert one.picture() == one.before
