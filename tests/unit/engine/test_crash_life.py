"""All or nothing, as test_crash, in what happens to a machine between its first day and its last.

Beside what the host is like afterwards: no guest ever has a byte before it that was not zeroed.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from raptorctl.errors import RolledBackError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.disk import read_disks
from raptorctl.model.domain import Domain
from raptorctl.model.seed import FirstBoot, HostKey
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.spec import MachineSpec
from raptorctl.plans.machine.autostart import plan_autostart
from raptorctl.plans.machine.deprovision import plan_deprovision
from raptorctl.plans.machine.provision import plan_provision
from raptorctl.plans.machine.rebuild import RebuildRequest, plan_rebuild
from raptorctl.plans.machine.resize import ResizeRequest, plan_resize
from raptorctl.plans.machine.seed_detach import plan_detach
from raptorctl.plans.machine.snapshot import SnapshotRequest, plan_create, plan_delete
from raptorctl.plans.machine.snapshot_restore import plan_restore
from raptorctl.plans.plan import Identity, Plan
from tests.fakes import IMAGE, Killed, World, but, settings
from tests.unit.engine.ordeal import EVERY, Ordeal, Trial
from tests.unit.engine.test_crash import SEEDED
from tests.unit.plans.machine.test_provision import ALICE, JOB, TEMPLATES

pytestmark = pytest.mark.long

NAME = ALICE.name
OTHER_BOOT = FirstBoot(("ssh-ed25519 AAAA alice",), HostKey("another", "ssh-ed25519 CCCC"))
THEN = Identity("j1b", JOB.uuid, JOB.by, "2026-11-20T12:30:00Z")
NEXT = Identity("j2", JOB.uuid, JOB.by, "2026-11-20T13:00:00Z")


def resize(
    size: int | None,
    cpus: tuple[int, ...] | None,
    memory: int | None,
    *,
    drop_saved: bool = False,
) -> "Planner":
    request = ResizeRequest(
        NAME,
        None if size is None else Size(size * GIB),
        None if cpus is None else CpuSet(cpus),
        None if memory is None else Size(memory * GIB),
        drop_saved=drop_saved,
    )
    return lambda world: plan_resize(request, settings(), world.facts(TEMPLATES), NEXT)


Planner = Callable[[World], Plan]
JOBS: dict[str, Planner] = {
    "grow": resize(80, None, None),
    "grow one that is off": resize(80, None, None),
    "move": resize(None, (2, 3, 4, 5), None),
    "all of it": resize(80, (4, 5), 2),
    "all of one that is saved": resize(80, (4, 5), 2, drop_saved=True),
    "move one that is saved": resize(None, (2, 3, 4, 5), None, drop_saved=True),
    "provision of one that is off": lambda world: plan_provision(
        ALICE, settings(), world.facts(TEMPLATES), NEXT
    ),
    "provision of one that is saved": lambda world: plan_provision(
        ALICE, settings(), world.facts(TEMPLATES), NEXT
    ),
    "provision of one that is paused": lambda world: plan_provision(
        ALICE, settings(), world.facts(TEMPLATES), NEXT
    ),
    "snapshot": lambda world: plan_create(
        SnapshotRequest(NAME, "second"), world.facts(TEMPLATES), NEXT
    ),
    "snapshot of all disks": lambda world: plan_create(
        SnapshotRequest(NAME, "second", all_disks=True), world.facts(TEMPLATES), NEXT
    ),
    "snapshot of all disks of one that is off": lambda world: plan_create(
        SnapshotRequest(NAME, "second", all_disks=True), world.facts(TEMPLATES), NEXT
    ),
    "restore all disks of what is off": lambda world: plan_restore(
        NAME, None, world.facts(TEMPLATES), NEXT
    ),
    "delete a snapshot of all disks": lambda world: plan_delete(
        NAME, "first", world.facts(TEMPLATES), NEXT
    ),
    "delete a snapshot": lambda world: plan_delete(NAME, "first", world.facts(TEMPLATES), NEXT),
    "restore what is off": lambda world: plan_restore(NAME, None, world.facts(TEMPLATES), NEXT),
    "autostart": lambda world: plan_autostart(
        NAME, settings(), world.facts(TEMPLATES), NEXT, on=False
    ),
    "rebuild": lambda world: plan_rebuild(
        RebuildRequest(NAME), settings(), world.facts(TEMPLATES), NEXT
    ),
    "rebuild from an image one that is off": lambda world: plan_rebuild(
        RebuildRequest(NAME, MachineSpec(image=IMAGE.name), reset_nvram=True),
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
WITH_SNAPSHOT = {
    "delete a snapshot",
    "delete a snapshot of all disks",
    "restore what is off",
    "restore all disks of what is off",
    "deprovision with a snapshot",
}


class Case(Trial):
    """A host with a machine that stands before a job."""

    def __init__(self, folder: Path, job: str) -> None:
        super().__init__(World(), folder)
        self.world.with_tenants("alice")
        self.world.images.all = (IMAGE,)
        every = "all disks" in job
        wanted = but(ALICE, disks=read_disks(["data=10G,keep"])) if every else ALICE
        wanted = SEEDED if "seed" in job else wanted
        self.run(plan_provision(wanted, settings(), self.world.facts(TEMPLATES), JOB))
        if "off" in job:
            self.world.domains.shut_down(JOB.uuid, 1, lambda *_: None)
        if "saved" in job:
            self.world.domains.save(JOB.uuid)
        if "paused" in job:
            self.world.domains.suspend(JOB.uuid)
        if job in WITH_SNAPSHOT:
            request = SnapshotRequest(NAME, "first", all_disks=every)
            self.run(plan_create(request, self.world.facts(TEMPLATES), THEN))
            self._write("newer")
        self.stand_before(JOBS[job](self.world))

    def _write(self, text: str) -> None:
        """What a guest has on its disks since then."""
        for volume in self.world.volumes.list():
            if volume.name in {NAME.volume, NAME.disk("data")}:
                self.world.volumes.data[volume.uuid] = f"written by alice-dev: {text}"

    def check(self, wished: object) -> None:
        super().check(wished)
        assert "half of this, half of that" not in self.world.volumes.data.values()

    def check_always(self) -> None:
        super().check_always()
        assert set(self.world.volumes.tails.values()) <= {""}


@EVERY
@pytest.mark.parametrize("job", JOBS)
def test_all_or_nothing(case: Callable[[str], Case], job: str, ordeal: Ordeal) -> None:
    ordeal(case(job))


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
