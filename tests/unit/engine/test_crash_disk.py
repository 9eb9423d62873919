"""All or nothing, as test_crash, in jobs on disks beside a machine's first one.

What is kept is never wiped and never lost, whatever is cut off when.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.model.disk import DiskSpec, read_disk, read_disks
from raptorctl.model.names import MachineName
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.volume import CLEAN, KEEP
from raptorctl.plans.machine.choice import ProvisionRequest
from raptorctl.plans.machine.deprovision import plan_deprovision
from raptorctl.plans.machine.disk import DiskRequest, plan_add, plan_grow, plan_keep, plan_remove
from raptorctl.plans.machine.provision import plan_provision
from raptorctl.plans.plan import Identity, Plan
from tests.fakes import IMAGE, World, but, settings
from tests.unit.engine.ordeal import EVERY, Ordeal, Trial
from tests.unit.plans.machine.test_provision import ALICE, JOB, TEMPLATES

pytestmark = pytest.mark.long

NAME = ALICE.name
WITH = but(ALICE, disks=read_disks(["data=10G,keep", "scratch=5G"]))
BEFORE = Identity("j0", JOB.uuid, JOB.by, "2026-11-20T11:00:00Z")
GOING = Identity("j0b", JOB.uuid, JOB.by, "2026-11-20T11:30:00Z")
NEXT = Identity("j2", JOB.uuid, JOB.by, "2026-11-20T13:00:00Z")
PRECIOUS = "written by alice-dev: years of work"


def provision(wanted: ProvisionRequest, identity: Identity = NEXT) -> "Planner":
    return lambda world: plan_provision(wanted, settings(), world.facts(TEMPLATES), identity)


def add(text: str) -> "Planner":
    name, spec = read_disk(text)
    found = IMAGE if spec.image else None
    request = DiskRequest(NAME, name, spec, found)
    return lambda world: plan_add(request, settings(), world.facts(TEMPLATES), NEXT)


def remove(name: str, machine: MachineName = NAME) -> "Planner":
    return lambda world: plan_remove((machine, name), settings(), world.facts(TEMPLATES), NEXT)


def grow(name: str, size: int) -> "Planner":
    wanted = Size(size * GIB)
    return lambda world: plan_grow(NAME, name, wanted, world.facts(TEMPLATES), NEXT)


def deprovision(identity: Identity = NEXT) -> "Planner":
    return lambda world: plan_deprovision(NAME, settings(), world.facts(TEMPLATES), identity)


OTHER = replace(ALICE, name=MachineName("alice", "web"))
Planner = Callable[[World], Plan]
NEW: dict[str, Planner] = {
    "provision": provision(but(ALICE, disks=read_disks(["data=10G", "more=8G,image=debian:13"]))),
}
KEPT: dict[str, Planner] = {
    "provision of another that takes up": provision(
        but(OTHER, disks={"old": DiskSpec(kept="dev.data")}, start=False)
    ),
    "remove what is kept": remove("data"),
    "grow what is kept": grow("data", 12),
}
STANDING: dict[str, Planner] = {
    "deprovision": deprovision(),
    "add": add("more=8G,image=debian:13"),
    "add to one that is off": add("more=8G"),
    "remove": remove("scratch"),
    "remove from one that is off": remove("scratch"),
    "grow": grow("scratch", 9),
    "grow of one that is off": grow("scratch", 9),
    "keep": lambda world: plan_keep(NAME, "scratch", world.facts(TEMPLATES), NEXT, keep=True),
}
JOBS = {**NEW, **KEPT, **STANDING}


class Case(Trial):
    """A host before a job: without a machine, with what one left, or with one."""

    def __init__(self, folder: Path, job: str) -> None:
        super().__init__(World(), folder)
        self.world.with_tenants("alice")
        self.world.images.all = (IMAGE,)
        self.precious = job not in {"remove what is kept", *NEW}
        if job not in NEW:
            self.run(provision(WITH, BEFORE)(self.world))
            self.write("data")
        if job in KEPT:
            self.run(deprovision(GOING)(self.world))
        if "off" in job:
            self.world.domains.shut_down(JOB.uuid, 1, lambda *_: None)
        self.stand_before(JOBS[job](self.world))

    def write(self, disk: str) -> None:
        """What a guest has there since then."""
        volume = self.world.volumes.named(NAME.disk(disk))
        assert volume
        self.world.volumes.data[volume.uuid] = PRECIOUS

    def check_always(self) -> None:
        super().check_always()
        assert set(self.world.volumes.tails.values()) <= {""}
        kept = [v for v in self.world.volumes.by_uuid.values() if KEEP in v.tags and v.job == "j0"]
        assert not self.precious or PRECIOUS in [self.world.volumes.data[v.uuid] for v in kept]

    def check(self, wished: object) -> None:
        super().check(wished)
        assert all(CLEAN in volume.tags for volume in self.world.volumes.list())


@EVERY
@pytest.mark.parametrize("job", JOBS)
def test_all_or_nothing(case: Callable[[str], Case], job: str, ordeal: Ordeal) -> None:
    ordeal(case(job))


def test_a_removal_leaves_what_is_kept_and_nothing_else(case: Callable[[str], Case]) -> None:
    one = case("deprovision")
    one.run(one.plan)
    (left,) = one.world.volumes.list()
    assert (left.name, left.kept, one.world.volumes.data[left.uuid]) == (
        "disk-alice-dev.data", True, PRECIOUS,
    )  # fmt: skip


def test_what_another_machine_takes_up_is_called_as_it_wants_with_all_its_bytes(
    case: Callable[[str], Case],
) -> None:
    one = case("provision of another that takes up")
    one.run(one.plan)
    (old,) = [v for v in one.world.volumes.list() if v.kept]
    assert (old.name, old.disk) == ("disk-alice-web.old", "old")
    assert one.world.volumes.data[old.uuid] == PRECIOUS
