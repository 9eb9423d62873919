"""All or nothing, as test_crash, on a host of one's own.

The volumes are the real driver's files, so it dies between a file and its note as well.
"""

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.model.disk import read_disks
from raptorctl.model.job import Outcome
from raptorctl.model.seed import FirstBoot, HostKey
from raptorctl.plans.machine.deprovision import plan_deprovision
from raptorctl.plans.machine.disk import DiskRequest, plan_add, plan_remove
from raptorctl.plans.machine.provision import plan_provision
from raptorctl.plans.machine.rebuild import RebuildRequest, plan_rebuild
from raptorctl.plans.machine.snapshot import SnapshotRequest, plan_create, plan_delete
from raptorctl.plans.machine.snapshot_restore import plan_restore
from raptorctl.plans.plan import Identity, Plan
from tests.fakes import Tripwire, but
from tests.session_host import SessionWorld, without_qemu_img
from tests.unit.engine.ordeal import EVERY, Ordeal, Trial
from tests.unit.plans.part.test_session import LATER, NOW, WEB

pytestmark = pytest.mark.long

DISKS = read_disks(["data=10G,keep", "scratch=5G,image=debian:13"])
VERBS = pytest.mark.parametrize(
    "verb",
    ["provision", "provision image", "provision disks", "provision key", "deprovision key", "deprovision", "deprovision disks",
     "rebuild", "disk add", "disk remove", "snapshot", "snapshot of all disks", "restore one",
     "restore one of all disks", "delete one of all disks", "deprovision with one of all disks"],
)  # fmt: skip
SNAPPED = ("one", "one of all disks")
THEN = replace(LATER, job="j1b")


class Case(Trial):
    """A laptop before a job."""

    fewest_calls = 11

    def __init__(self, folder: Path, verb: str, patch: pytest.MonkeyPatch) -> None:
        folder.mkdir()
        super().__init__(SessionWorld(folder), folder)
        self.patch = patch
        empty = self.picture()
        if not verb.startswith("provision"):
            what = "provision disks" if verb.endswith(("disks", "remove")) else "provision image"
            what = "provision key" if verb.endswith("key") else what
            self.run(self.plan_for(what, NOW))
        if verb.endswith(SNAPPED):
            self.run(self.plan_for("snapshot of all disks", THEN))
            self._write("newer")
        if verb.startswith("restore"):
            self.world.domains.shut_down(NOW.uuid, 0, lambda *_: None)
        gone = verb.startswith("deprovision") and "disks" not in verb
        self.stand_before(self.plan_for(verb, LATER), empty if gone else None)

    def _write(self, text: str) -> None:
        """What its guest has on its disks since then."""
        for name in (WEB.name.volume, *map(WEB.name.disk, DISKS)):
            if (path := self.laptop.directory / f"{name}.qcow2").exists():
                path.write_bytes(path.read_bytes() + text.encode())

    @property
    def laptop(self) -> SessionWorld:
        assert isinstance(self.world, SessionWorld)
        return self.world

    def plan_for(self, verb: str, identity: Identity) -> Plan:
        settings, facts = self.laptop.settings, self.laptop.facts()
        if verb == "disk add":
            request = DiskRequest(WEB.name, "scratch", DISKS["scratch"])
            return plan_add(request, settings, facts, identity)
        if verb == "disk remove":
            return plan_remove((WEB.name, "scratch"), settings, facts, identity)
        if verb.startswith("snapshot"):
            asked = SnapshotRequest(WEB.name, "first", all_disks="all" in verb)
            return plan_create(asked, facts, identity)
        if verb.startswith("restore"):
            return plan_restore(WEB.name, None, facts, identity)
        if verb.startswith("delete"):
            return plan_delete(WEB.name, "first", facts, identity)
        if verb.startswith("deprovision"):
            return plan_deprovision(WEB.name, settings, facts, identity)
        if verb == "rebuild":
            return plan_rebuild(RebuildRequest(WEB.name), settings, facts, identity)
        image = self.laptop.image.name if "image" in verb or "key" in verb else None
        boot = (
            FirstBoot(login_key=HostKey("PRIVATE", "ssh-ed25519 AAAA")) if "key" in verb else None
        )
        disks = DISKS if "disks" in verb else None
        return plan_provision(
            but(WEB, image=image, disks=disks, first_boot=boot), settings, facts, identity
        )

    def picture(self) -> object:
        return repr(self.laptop.picture()).replace(str(self.folder), "")

    def run(self, plan: Plan, wire: Tripwire | None = None) -> None:
        with without_qemu_img(self.patch, wire):
            super().run(plan, wire)

    def recover(self, wire: Tripwire | None = None) -> None:
        with without_qemu_img(self.patch, wire):
            super().recover(wire)

    def check(self, wished: object) -> None:
        super().check(wished)
        names = {path.name for path in self.laptop.directory.iterdir()}
        volumes = self.laptop.overlays.list()
        known = {WEB.name.volume, *map(WEB.name.disk, DISKS)}
        known |= {WEB.name.snapshot("first", disk) for disk in ("", *DISKS)}
        assert {(one.name, one.clean) for one in volumes} <= {(name, True) for name in known}
        assert names == {f"{one.name}.{end}" for one in volumes for end in ("qcow2", "json")}


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Case]:
    numbers = itertools.count()
    return lambda verb: Case(tmp_path / str(next(numbers)), verb, monkeypatch)


@EVERY
@VERBS
def test_all_or_nothing(case: Callable[[str], Case], verb: str, ordeal: Ordeal) -> None:
    ordeal(case(verb))


def test_a_removal_leaves_no_file(case: Callable[[str], Case]) -> None:
    one = case("deprovision")
    one.run(one.plan)
    assert one.journals.jobs()[-1].outcome is Outcome.DONE
    assert list(one.laptop.directory.iterdir()) == []
