"""All or nothing, as test_crash, in builds: what stood at an output is there until all is done."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.model.build import BuildDisk as Disk
from raptorctl.model.build import BuildOutput, BuildStep, Empty, Filesystem
from raptorctl.model.sizes import GIB, Size
from raptorctl.plans.build.build import plan_build
from raptorctl.plans.build.request import BuildRequest
from tests.fakes import World
from tests.unit.engine.ordeal import EVERY, Ordeal, Trial
from tests.unit.plans.build.test_build import MOTD, NOW, ROOT, STEP, request

pytestmark = pytest.mark.long

OUTPUTS = (BuildOutput(file="/o/new.raw"), BuildOutput(file="/o/old.raw"), BuildOutput(image="web"))
DATA = Disk(Empty(Size(GIB), Filesystem.EXT4), "/srv", outputs=(BuildOutput(folder="/o/f"),))
BUILDS: dict[str, BuildRequest] = {
    "files": request(replace(ROOT, outputs=OUTPUTS), files=(MOTD,)),
    "steps": request(
        replace(ROOT, outputs=OUTPUTS), disks=(DATA,), files=(MOTD,), steps=(STEP,),
        after=(BuildStep(command=("true",)),),
    ),
}  # fmt: skip


@EVERY
@pytest.mark.parametrize("build", BUILDS)
def test_a_build_is_all_or_nothing(ordeal: Ordeal, build: str, tmp_path: Path) -> None:
    world = World()
    world.builder.files["/o/old.raw"] = "of before"
    trial = Trial(world, tmp_path / "host")
    trial.stand_before(plan_build(BUILDS[build], NOW))
    ordeal(trial)


@pytest.mark.parametrize(("build", "keep"), [*itertools.product(BUILDS, (False, True))])
def test_a_build_that_fails_leaves_its_folder_only_if_it_is_kept(
    build: str, keep: bool, tmp_path: Path
) -> None:
    world = World()
    trial = Trial(world, tmp_path / "host")
    plan = plan_build(replace(BUILDS[build], keep=keep), NOW)
    trial.run(plan)
    kept = {path.rpartition("/")[0] for path in world.builder.files if path.startswith("/b/")}
    assert kept == ({"/b/j1"} if keep else set())
