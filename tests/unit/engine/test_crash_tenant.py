"""All or nothing, as test_crash, in jobs on tenants."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.model.ssh_key import parse_keys
from raptorctl.model.tenant import Account, Mode
from raptorctl.plans.plan import Plan
from raptorctl.plans.tenant.change import plan_keys, plan_set
from raptorctl.plans.tenant.membership import plan_add, plan_remove
from tests.fakes import World
from tests.unit.engine.ordeal import EVERY, Ordeal, Trial
from tests.unit.model.test_ssh_key import rsa
from tests.unit.plans.tenant.test_membership import ADD, ALICE, NEXT

pytestmark = pytest.mark.long

ADOPTED = replace(ALICE, adopt=True, mode=Mode.CONSOLE)
JOBS: dict[str, Callable[[World], Plan]] = {
    "add": lambda world: plan_add(ALICE, world.facts({}, ["alice"]), NEXT),
    "adopt": lambda world: plan_add(ADOPTED, world.facts({}, ["alice"]), NEXT),
    "remove": lambda world: plan_remove("alice", world.facts({}), NEXT),
    "give back": lambda world: plan_remove("alice", world.facts({}), NEXT),
    "key": lambda world: plan_keys("alice", world.facts({}), NEXT, add=parse_keys(rsa(3072))),
    "set": lambda world: plan_set("alice", Mode.NOLOGIN, "2027-01-01", world.facts({}), NEXT),
}


class Case(Trial):
    """A host that stands before a job on a tenant."""

    def __init__(self, folder: Path, job: str) -> None:
        super().__init__(World(), folder)
        self.job = job
        self._prepare(job)
        self.stand_before(JOBS[job](self.world))

    def _prepare(self, job: str) -> None:
        if job in {"adopt", "give back"}:
            self.world.accounts.by_name["alice"] = Account("alice", 1500, 1500, shell="/bin/zsh")
        if job not in {"add", "adopt"}:
            request = ADOPTED if job == "give back" else ALICE
            self.run(plan_add(request, self.world.facts({}, ["alice"]), ADD))
        if job == "remove":
            self.world.accounts.strays[1000] = ("/var/tmp/program",)
        if job == "add":
            self.world.accounts.leaves = ("/var/tmp/program",)

    def check_always(self) -> None:
        """The number is alice's, or it is never given again; or free, and owns nothing."""
        left = self.world.accounts.left(1000)
        assert not left or self.world.facts({}).free_uid != 1000
        made = self.job not in {"add", "adopt"}
        uid = 1500 if self.job == "give back" else 1000
        assert not made or self.world.facts({}).free_uid != uid


@EVERY
@pytest.mark.parametrize("job", JOBS)
def test_all_or_nothing(case: Callable[[str], Case], job: str, ordeal: Ordeal) -> None:
    ordeal(case(job))
