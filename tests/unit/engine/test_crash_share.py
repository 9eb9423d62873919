"""All or nothing, as test_crash, in jobs on what tenants share."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from raptorctl.model.access import RULES
from raptorctl.model.facts import HostFacts
from raptorctl.model.names import MachineName
from raptorctl.model.share import SHARES, Grant, parse_shares
from raptorctl.plans.machine.deprovision import plan_deprovision
from raptorctl.plans.machine.provision import plan_provision
from raptorctl.plans.machine.retire import RetireRequest, plan_retire
from raptorctl.plans.machine.share import ShareRequest, plan_share, plan_tidy, plan_unshare
from raptorctl.plans.plan import Identity, Plan
from raptorctl.plans.tenant.membership import plan_remove
from raptorctl.render.polkit_rule import render_rules
from tests.fakes import World, settings
from tests.unit.engine.ordeal import EVERY, Ordeal, Trial
from tests.unit.engine.test_crash import SEEDED
from tests.unit.plans.machine.test_provision import JOB, TEMPLATES

pytestmark = pytest.mark.long

NAME = MachineName("alice", "dev")
BEFORE = Identity("j0", JOB.uuid, JOB.by, "2026-11-20T11:00:00Z")
NEXT = Identity("j3", JOB.uuid, JOB.by, "2026-11-20T12:00:00Z")
CONSOLE = ShareRequest(NAME, "bob", Grant.CONSOLE, "2099-01-31")
OPERATE = ShareRequest(NAME, "bob", Grant.OPERATE)
EVE = ShareRequest(NAME, "eve", Grant.CONSOLE)
Job = Callable[[World], Plan]
JOBS: dict[str, Job] = {
    "share the first": lambda world: share(world, CONSOLE, NEXT),
    "share with another": lambda world: share(world, CONSOLE, NEXT),
    "share more": lambda world: share(world, OPERATE, NEXT),
    "unshare": lambda world: plan_unshare(NAME, "bob", settings(), see(world), NEXT),
    "unshare the last": lambda world: plan_unshare(NAME, "bob", settings(), see(world), NEXT),
    "tidy": lambda world: plan_tidy(NAME, "2099-01-31T00:00:00Z", settings(), see(world), NEXT),
    "deprovision": lambda world: plan_deprovision(NAME, settings(), see(world), NEXT),
    "retire": lambda world: plan_retire(
        RetireRequest(NAME, timedelta(days=7)), settings(), see(world), NEXT
    ),
    "remove the other": lambda world: plan_remove("bob", see(world), NEXT),
}
HAD: dict[str, tuple[ShareRequest, ...]] = {
    "share the first": (),
    "share with another": (EVE,),
    "unshare the last": (CONSOLE,),
}


def see(world: World) -> HostFacts:
    return world.facts(TEMPLATES)


def share(world: World, request: ShareRequest, identity: Identity) -> Plan:
    return plan_share(request, settings(), see(world), identity)


class Case(Trial):
    """A host with three tenants and a machine, before a job on what is shared of it."""

    def __init__(self, folder: Path, job: str) -> None:
        super().__init__(World(), folder)
        world = self.world.with_tenants("alice", "bob", "eve")
        world.files.write(RULES, render_rules(see(world).shipped_rules, ("wheel",)), 0o644)
        self.run(plan_provision(SEEDED, settings(), see(world), BEFORE))
        for number, request in enumerate(HAD.get(job, (CONSOLE, EVE))):
            before = replace(BEFORE, job=f"j0-{number}")
            self.run(share(world, request, before))
        self.stand_before(JOBS[job](world))

    def check_always(self) -> None:
        """The list can be read, and says nothing that was in neither of its states."""
        super().check_always()
        text = self.world.files.read(SHARES)
        there = parse_shares(text) if text is not None else ()
        assert {one.tenant for one in there} <= {"bob", "eve"}
        assert {one.machine for one in there} <= {"alice-dev"}


@EVERY
@pytest.mark.parametrize("job", JOBS)
def test_all_or_nothing(case: Callable[[str], Case], job: str, ordeal: Ordeal) -> None:
    ordeal(case(job))
