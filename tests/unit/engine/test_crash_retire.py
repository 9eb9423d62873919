"""All or nothing, as test_crash, where a machine is retired, comes back, or is wiped at last.

Until the wipe has begun, its disk is never without all that its tenant wrote.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from raptorctl.model.disk import DiskSpec, read_disks
from raptorctl.model.look import ClockReading, later
from raptorctl.model.names import MachineName
from raptorctl.plans.machine.choice import ProvisionRequest
from raptorctl.plans.machine.disk import plan_remove
from raptorctl.plans.machine.expire import plan_expire
from raptorctl.plans.machine.expiry import plan_extend, plan_stage
from raptorctl.plans.machine.provision import plan_provision
from raptorctl.plans.machine.retire import RetireRequest, plan_retire
from raptorctl.plans.machine.undelete import plan_undelete
from raptorctl.plans.past import Past
from raptorctl.plans.plan import Identity, Plan
from tests.fakes import World, but, settings
from tests.unit.engine.ordeal import EVERY, Ordeal, Trial
from tests.unit.engine.test_crash import SEEDED
from tests.unit.plans.machine.test_provision import JOB, TEMPLATES

pytestmark = pytest.mark.long

NAME = MachineName("alice", "dev")
BEFORE = Identity("j0", JOB.uuid, JOB.by, "2026-11-20T11:00:00Z")
GOING = Identity("j1", JOB.uuid, JOB.by, "2026-11-20T12:00:00Z")
FIRST = Identity("j2", JOB.uuid, JOB.by, "2026-11-28T12:00:00Z")
NEXT = Identity("j3", JOB.uuid, JOB.by, "2026-11-29T12:00:00Z")
PRECIOUS = "written by alice-dev: years of work"
NVRAM = "/var/lib/libvirt/qemu/nvram/alice-dev_VARS.fd"
STAGES = {"warn": 1, "note": 8, "stop": 9}
"""The day of each look at a machine that expires on the eighth."""
KEPT = ("undelete", "note what is due", "wipe what is due", "take up", "remove")
JOBS = ("retire", "extend", *KEPT, *STAGES)


class Case(Trial):
    """A host before a job, with all that its journals tell."""

    def __init__(self, folder: Path, job: str) -> None:
        super().__init__(World(), folder)
        self.world.with_tenants("alice")
        facts = self.world.facts(TEMPLATES)
        wanted = but(SEEDED, expires="2026-11-28") if job in {"extend", *STAGES} else SEEDED
        wanted = but(wanted, disks=read_disks(["data=5G"])) if job == "take up" else wanted
        self.run(plan_provision(wanted, settings(), facts, BEFORE))
        (disk, *_) = self.world.volumes.list()
        self.world.volumes.data[disk.uuid] = PRECIOUS
        self.world.files.write_bytes(NVRAM, b"boot keys", 0o600)
        self.precious = job not in {"wipe what is due", "remove"}
        if job in KEPT:
            self.run(self.retire(GOING))
        for stage in tuple(STAGES)[: list(STAGES).index(job) if job in STAGES else 0]:
            self.run(self.stage(stage, Identity(stage, JOB.uuid, JOB.by, GOING.at)))
        if job == "wipe what is due":
            self.run(self.expire(0, FIRST))
        self.stand_before(self.plan_for(job))

    def plan_for(self, job: str) -> Plan:
        facts = self.world.facts(TEMPLATES)
        if job == "undelete":
            return plan_undelete(NAME, self.past, settings(), facts, NEXT)
        if job == "retire":
            return self.retire(NEXT)
        if job in STAGES:
            return self.stage(job, NEXT)
        if job == "remove":
            return plan_remove((NAME, "old"), settings(), facts, NEXT, self.past)
        if job == "take up":
            other = ProvisionRequest(MachineName("alice", "web"), SEEDED.spec)
            taking = but(other, disks={"data": DiskSpec(kept="dev.data")})
            return plan_provision(taking, settings(), facts, NEXT)
        if job == "extend":
            return plan_extend(NAME, "90d", settings(), facts, NEXT)
        return self.expire(1, NEXT)

    def stage(self, stage: str, identity: Identity) -> Plan:
        passed = timedelta(days=STAGES[stage])
        look = ClockReading(later(GOING.at, passed), "0123abcd", int(passed.total_seconds()))
        return plan_stage(NAME, look, settings(), self.world.facts(TEMPLATES), identity)

    @property
    def past(self) -> Past:
        return Past(self.journals.told())

    def retire(self, identity: Identity) -> Plan:
        request = RetireRequest(NAME, timedelta(days=7))
        return plan_retire(request, settings(), self.world.facts(TEMPLATES), identity)

    def expire(self, day: int, identity: Identity) -> Plan:
        look = ClockReading(identity.at, "0123abcd", 1000 + day * 24 * 3600)
        return plan_expire(GOING.job, look, self.past, self.world.facts(TEMPLATES), identity)

    def check_always(self) -> None:
        super().check_always()
        assert not self.precious or PRECIOUS in self.world.volumes.data.values()


@EVERY
@pytest.mark.parametrize("job", JOBS)
def test_all_or_nothing(case: Callable[[str], Case], job: str, ordeal: Ordeal) -> None:
    ordeal(case(job))


def test_there_and_back_is_as_it_was(case: Callable[[str], Case]) -> None:
    there = case("retire").before  # before it went
    one = case("undelete")
    one.run(one.plan)
    assert one.picture() == there
