"""The same as test_crash, for what happens to a machine between its first day and its last.

Beside what the host is like afterwards: no guest ever has a byte before it that was not zeroed.
"""

import itertools
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from raptorctl.engine.apply import apply
from raptorctl.engine.journal import Journal
from raptorctl.engine.journals import Journals
from raptorctl.engine.recover import recover
from raptorctl.engine.report import Silent
from raptorctl.engine.stop import Stop
from raptorctl.errors import HostError, LeftoversError, RolledBackError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain
from raptorctl.model.seed import FirstBoot, HostKey
from raptorctl.model.sizes import GIB, Size
from raptorctl.plans.autostart import plan_autostart
from raptorctl.plans.deprovision import plan_deprovision
from raptorctl.plans.plan import Identity, Plan
from raptorctl.plans.provision import plan_provision
from raptorctl.plans.rebuild import RebuildRequest, plan_rebuild
from raptorctl.plans.resize import ResizeRequest, plan_resize
from raptorctl.plans.seed_detach import plan_detach
from raptorctl.plans.snapshot import SnapshotRequest, plan_create, plan_delete, plan_restore
from tests.fakes import IMAGE, Killed, Tripwire, World, settings
from tests.unit.engine.test_crash import SEEDED, LeakWatch
from tests.unit.plans.test_provision import ALICE, JOB, TEMPLATES

NAME = ALICE.name
OTHER_BOOT = FirstBoot(("ssh-ed25519 AAAA alice",), HostKey("another", "ssh-ed25519 CCCC"))
THEN = Identity("j1b", JOB.uuid, JOB.by, "2026-11-20T12:30:00Z")
NEXT = Identity("j2", JOB.uuid, JOB.by, "2026-11-20T13:00:00Z")


def resize(size: int | None, cpus: tuple[int, ...] | None, memory: int | None) -> "Planner":
    request = ResizeRequest(
        NAME,
        None if size is None else Size(size * GIB),
        None if cpus is None else CpuSet(cpus),
        None if memory is None else Size(memory * GIB),
    )
    return lambda world: plan_resize(request, settings(), world.facts(TEMPLATES), NEXT)


Planner = Callable[[World], Plan]
JOBS: dict[str, Planner] = {
    "grow": resize(80, None, None),
    "grow one that is off": resize(80, None, None),
    "move": resize(None, (2, 3, 4, 5), None),
    "all of it": resize(80, (4, 5), 2),
    "snapshot": lambda world: plan_create(
        SnapshotRequest(NAME, "second"), world.facts(TEMPLATES), NEXT
    ),
    "delete a snapshot": lambda world: plan_delete(NAME, "first", world.facts(TEMPLATES), NEXT),
    "restore what is off": lambda world: plan_restore(NAME, None, world.facts(TEMPLATES), NEXT),
    "autostart": lambda world: plan_autostart(NAME, world.facts(TEMPLATES), NEXT, on=False),
    "rebuild": lambda world: plan_rebuild(
        RebuildRequest(NAME), settings(), world.facts(TEMPLATES), NEXT
    ),
    "rebuild from an image one that is off": lambda world: plan_rebuild(
        RebuildRequest(NAME, IMAGE.name, reset_nvram=True),
        settings(),
        world.facts(TEMPLATES),
        NEXT,
    ),
    "rebuild with another seed": lambda world: plan_rebuild(
        RebuildRequest(NAME, first_boot=OTHER_BOOT), settings(), world.facts(TEMPLATES), NEXT
    ),
    "detach a seed": lambda world: plan_detach(NAME, world.facts(TEMPLATES), NEXT),
    "detach a seed of one that is off": lambda world: plan_detach(
        NAME, world.facts(TEMPLATES), NEXT
    ),
    "deprovision with a snapshot": lambda world: plan_deprovision(
        NAME, settings(), world.facts(TEMPLATES), NEXT
    ),
}
WITH_SNAPSHOT = {"delete a snapshot", "restore what is off", "deprovision with a snapshot"}


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fdatasync", lambda _: None)
    monkeypatch.setattr(os, "fsync", lambda _: None)


class Case:
    """A host with a machine that stands before a job."""

    def __init__(self, folder: Path, job: str) -> None:
        self.world = LeakWatch()
        self.world.with_tenants("alice")
        self.world.images.all = (IMAGE,)
        self.journals = Journals(folder / "journal", folder / "audit.jsonl")
        wanted = SEEDED if "seed" in job else ALICE
        self.run(plan_provision(wanted, settings(), self.world.facts(TEMPLATES), JOB))
        if "off" in job:
            self.world.domains.shut_down(JOB.uuid, 1, lambda *_: None)
        if job in WITH_SNAPSHOT:
            self.run(plan_create(SnapshotRequest(NAME, "first"), self.world.facts(TEMPLATES), THEN))
            self._write("newer")
        self.plan = JOBS[job](self.world)
        self.before = self.world.picture()

    def _write(self, text: str) -> None:
        """What a guest has on its disk since then."""
        volume = self.world.volumes.named(NAME.volume)
        assert volume
        self.world.volumes.data[volume.uuid] = f"written by alice-dev: {text}"

    def run(self, plan: Plan, wire: Tripwire | None = None) -> None:
        apply(plan, self.world.host(wire), self.journals, Silent(), Stop())

    def recover(self, wire: Tripwire | None = None) -> None:
        recover(self.world.host(wire), self.journals, Silent(), Stop())

    def check(self, after: object) -> None:
        assert self.world.picture() in (self.before, after)
        assert self.world.leaked == []
        assert set(self.world.volumes.tails.values()) <= {""}
        assert "half of this, half of that" not in self.world.volumes.data.values()
        assert not self.journals.open_files()


@pytest.fixture
def case(tmp_path: Path) -> Callable[[str], Case]:
    numbers = itertools.count()
    return lambda job: Case(tmp_path / str(next(numbers)), job)


def wished(case: Callable[[str], Case], job: str) -> tuple[object, int]:
    """What the host is like when nothing goes wrong, and how many calls that takes."""
    one, wire = case(job), Tripwire()
    one.run(one.plan, wire)
    after = one.world.picture()
    assert after != one.before
    one.check(after)
    return after, len(wire.calls)


EVERY = pytest.mark.parametrize("job", JOBS)


@EVERY
def test_killed_at_every_call(case: Callable[[str], Case], job: str) -> None:
    after, total = wished(case, job)
    for at, late in itertools.product(range(1, total + 1), (False, True)):
        one = case(job)
        with pytest.raises(Killed):
            one.run(one.plan, Tripwire(at, after=late))
        assert set(one.world.volumes.tails.values()) <= {""}
        one.recover()
        one.check(after)
        picture = one.world.picture()
        one.recover()
        assert one.world.picture() == picture


@EVERY
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
            monkeypatch.setattr(Journal, "write", write)
            break  # no line is left to die at
        one.recover()
        one.check(after)
    assert at > 2


@EVERY
def test_killed_again_while_recovering(case: Callable[[str], Case], job: str) -> None:
    after, total = wished(case, job)
    for at in range(1, total + 1):
        for again in itertools.count(1):
            one = case(job)
            with pytest.raises(Killed):
                one.run(one.plan, Tripwire(at, after=True))
            try:
                one.recover(Tripwire(again, after=again % 2 == 0))
            except Killed:
                one.recover()
                one.check(after)
            else:
                one.check(after)
                break


@EVERY
def test_a_fault_at_every_call(case: Callable[[str], Case], job: str) -> None:
    after, total = wished(case, job)
    for at, late in itertools.product(range(1, total + 1), (False, True)):
        one = case(job)
        wire = Tripwire(at, error=lambda: HostError("the disk is on fire"), after=late)
        try:
            one.run(one.plan, wire)
        except RolledBackError:
            assert one.world.picture() == one.before
        except LeftoversError:
            assert one.journals.open_files()
            one.recover()
        one.check(after)


def test_a_machine_that_was_started_with_its_new_disk_keeps_it(case: Callable[[str], Case]) -> None:
    """Its tenant starts it after the disk grew and before anybody was told: it may write there."""
    one = case("grow one that is off")
    extend = one.world.volumes.extend

    def extend_and_start(*args: object) -> None:
        extend(*args)  # type: ignore[arg-type]
        one.world.domains.start(JOB.uuid)
        raise Killed

    one.world.volumes.extend = extend_and_start  # type: ignore[method-assign, assignment]
    with pytest.raises(Killed):
        one.run(one.plan)
    (volume,) = one.world.volumes.list()
    one.world.volumes.tails[volume.uuid] = "written by alice-dev"
    off: Domain = one.world.domains.by_uuid[JOB.uuid]
    for active in (True, False):
        if not active:
            one.world.domains.shut_down(off.uuid, 1, lambda *_: None)
        host = one.world.host()
        one.plan.steps[1].undo(host, lambda *_: None)
        kept = one.world.volumes.list()[0]
        assert (kept.size, kept.growing, kept.grown) == (80 * GIB, None, "j2")
        one.world.volumes.by_uuid[volume.uuid] = volume
    one.recover()
    assert one.world.volumes.tails[volume.uuid] == "written by alice-dev"
    assert not one.journals.open_files()


def test_a_machine_started_between_its_restoration_and_recover_runs_on(
    case: Callable[[str], Case],
) -> None:
    one = case("restore what is off")
    define = one.world.domains.define

    def define_and_die(xml: str) -> None:
        define(xml)
        raise Killed

    one.world.domains.define = define_and_die  # type: ignore[method-assign]
    with pytest.raises(Killed):
        one.run(one.plan)
    one.world.domains.start(JOB.uuid)
    one.recover()
    assert not one.journals.open_files()
    domain = one.world.domains.by_uuid[JOB.uuid]
    assert (domain.state.active, domain.persistent, domain.autostart) == (True, True, True)


def test_a_machine_started_before_its_restoration_is_left_alone(
    case: Callable[[str], Case],
) -> None:
    one = case("restore what is off")
    one.world.domains.start(JOB.uuid)
    before = one.world.picture()
    with pytest.raises(RolledBackError, match="was started meanwhile"):
        one.run(one.plan)
    one.check(before)
