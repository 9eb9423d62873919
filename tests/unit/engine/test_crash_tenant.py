"""The same as test_crash, for jobs on tenants: killed or failing anywhere, it is all or nothing."""

import itertools
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.engine.apply import apply
from raptorctl.engine.journal import Journal
from raptorctl.engine.journals import Journals
from raptorctl.engine.recover import recover
from raptorctl.engine.report import Silent
from raptorctl.engine.stop import Stop
from raptorctl.errors import HostError, LeftoversError, RolledBackError
from raptorctl.model.ssh_key import parse_keys
from raptorctl.model.tenant import Account, Mode
from raptorctl.plans.plan import Plan
from raptorctl.plans.tenant import plan_add, plan_remove
from raptorctl.plans.tenant_change import plan_keys, plan_set
from tests.fakes import Killed, Tripwire, World
from tests.unit.model.test_ssh_key import rsa
from tests.unit.plans.test_tenant import ADD, ALICE, NEXT

ADOPTED = replace(ALICE, adopt=True, mode=Mode.CONSOLE)
JOBS: dict[str, Callable[[World], Plan]] = {
    "add": lambda world: plan_add(ALICE, world.facts({}, ["alice"]), NEXT),
    "adopt": lambda world: plan_add(ADOPTED, world.facts({}, ["alice"]), NEXT),
    "remove": lambda world: plan_remove("alice", world.facts({}), NEXT),
    "give back": lambda world: plan_remove("alice", world.facts({}), NEXT),
    "key": lambda world: plan_keys("alice", world.facts({}), NEXT, add=parse_keys(rsa(3072))),
    "set": lambda world: plan_set("alice", Mode.NOLOGIN, "2027-01-01", world.facts({}), NEXT),
}


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fdatasync", lambda _: None)
    monkeypatch.setattr(os, "fsync", lambda _: None)


class Case:
    """A host that stands before a job, and how it stands after it."""

    def __init__(self, folder: Path, job: str) -> None:
        self.world = World()
        self.journals = Journals(folder / "journal", folder / "audit.jsonl")
        self._prepare(job)
        self.plan = JOBS[job](self.world)
        self.before = self.world.picture()

    def _prepare(self, job: str) -> None:
        facts = self.world.facts({}, ["alice"])
        if job in {"adopt", "give back"}:
            self.world.accounts.by_name["alice"] = Account("alice", 1500, 1500, shell="/bin/zsh")
            facts = self.world.facts({}, ["alice"])
        if job not in {"add", "adopt"}:
            request = ADOPTED if job == "give back" else ALICE
            self.run(plan_add(request, facts, ADD))

    def run(self, plan: Plan, wire: Tripwire | None = None) -> None:
        apply(plan, self.world.host(wire), self.journals, Silent(), Stop())

    def recover(self, wire: Tripwire | None = None) -> None:
        recover(self.world.host(wire), self.journals, Silent(), Stop())

    def check(self, after: object) -> None:
        assert self.world.picture() in (self.before, after)
        assert not self.journals.open_files()


@pytest.fixture
def case(tmp_path: Path) -> Callable[[str], Case]:
    numbers = itertools.count()
    return lambda job: Case(tmp_path / str(next(numbers)), job)


def wished(case: Callable[[str], Case], job: str) -> tuple[object, int]:
    """What the host is like when nothing goes wrong, and how many calls that takes."""
    one, wire = case(job), Tripwire()
    one.run(one.plan, wire)
    assert one.world.picture() != one.before
    return one.world.picture(), len(wire.calls)


@pytest.mark.parametrize("job", JOBS)
def test_killed_at_every_call(case: Callable[[str], Case], job: str) -> None:
    after, total = wished(case, job)
    for at, late in itertools.product(range(1, total + 1), (False, True)):
        one = case(job)
        with pytest.raises(Killed):
            one.run(one.plan, Tripwire(at, after=late))
        one.recover()
        one.check(after)
        picture = one.world.picture()
        one.recover()
        assert one.world.picture() == picture


@pytest.mark.parametrize("job", JOBS)
def test_killed_at_every_line_of_the_journal(
    case: Callable[[str], Case], job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    after, _ = wished(case, job)
    write = Journal.write
    for at, late in itertools.product(range(1, 99), (False, True)):
        lines = itertools.count(1)

        def deadly(self: Journal, *args: object, **data: object) -> None:
            here = next(lines) == at  # noqa: B023
            if here and not late:  # noqa: B023
                raise Killed
            write(self, *args, **data)  # type: ignore[arg-type]
            if here:
                raise Killed

        one = case(job)
        monkeypatch.setattr(Journal, "write", deadly)
        try:
            one.run(one.plan)
        except Killed:
            monkeypatch.setattr(Journal, "write", write)
        else:
            break  # no line is left to die at
        one.recover()
        one.check(after)
    assert at > 2


@pytest.mark.parametrize("job", JOBS)
def test_killed_again_while_recovering(case: Callable[[str], Case], job: str) -> None:
    after, total = wished(case, job)
    for at in range(1, total + 1, 3):
        for again in itertools.count(1):
            one = case(job)
            with pytest.raises(Killed):
                one.run(one.plan, Tripwire(at, after=True))
            try:
                one.recover(Tripwire(again))
            except Killed:
                one.recover()
                one.check(after)
            else:
                break


@pytest.mark.parametrize("job", JOBS)
def test_a_fault_at_every_call(case: Callable[[str], Case], job: str) -> None:
    after, total = wished(case, job)
    for at, late in itertools.product(range(1, total + 1), (False, True)):
        one = case(job)
        wire = Tripwire(at, error=lambda: HostError("no"), after=late)
        with pytest.raises((RolledBackError, LeftoversError)):
            one.run(one.plan, wire)
        one.recover()
        one.check(after)
