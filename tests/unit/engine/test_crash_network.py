"""All or nothing, as test_crash, in jobs on machines whose address a libvirt network keeps."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.model.net import NetworkSettings, read_nets
from raptorctl.plans.machine.deprovision import plan_deprovision
from raptorctl.plans.machine.provision import plan_provision
from raptorctl.plans.machine.rebuild import RebuildRequest, plan_rebuild
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
def test_all_or_nothing(tmp_path: Path, job: str, ordeal: Ordeal) -> None:
    numbers = itertools.count()
    ordeal(Case(tmp_path / str(next(numbers)), job))
