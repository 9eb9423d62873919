"""Snapshots: what is put back, from what, and what they kept when they go."""

from dataclasses import replace

import pytest

from raptorctl.errors import ConflictError
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.volume import Volume
from raptorctl.steps.snapshot import RestoreVolume, SplitSnapshot, TakeSnapshot
from tests.fakes import World
from tests.unit.steps.test_volume import NAME, silently, with_volume

SNAPSHOT = "snap-alice-dev.before"


def take(volume: Volume) -> TakeSnapshot:
    return TakeSnapshot("r", "j2", volume.uuid, NAME, SNAPSHOT, Size(GIB), ("raptor", "raptor.job=j2"))  # fmt: skip


def taken() -> tuple[World, Volume, Volume]:
    world, volume = with_volume("raptor.clean")
    world.volumes.data[volume.uuid] = "written by alice-dev: old"
    take(volume).apply(world.host(), silently)
    snapshot = world.volumes.named(SNAPSHOT)
    assert snapshot
    world.volumes.data[volume.uuid] = "written by alice-dev: new"
    return world, volume, snapshot


def restore(volume: Volume, snapshot: Volume) -> RestoreVolume:
    return RestoreVolume("r", "j3", volume.uuid, NAME, snapshot.uuid, SNAPSHOT)


def test_one_that_is_undone_is_wiped() -> None:
    world, volume, snapshot = taken()
    assert take(volume).is_done(world.host())
    take(volume).undo(world.host(), silently)
    assert world.volumes.list() == (volume,)
    assert world.wiper.wiped == [snapshot.uuid]


def test_one_of_the_same_name_is_in_the_way_and_stays() -> None:
    world, volume = with_volume("raptor.clean")
    other = world.volumes.create(SNAPSHOT, GIB, ("raptor", "raptor.job=j0"))
    with pytest.raises(ConflictError, match="is not this job's"):
        take(volume).is_done(world.host())
    take(volume).undo(world.host(), silently)
    assert world.volumes.find(other.uuid)


def test_a_split_is_done_once_it_is_a_volume_or_gone() -> None:
    world, _, snapshot = taken()
    step = SplitSnapshot("r", snapshot.uuid, SNAPSHOT, NAME)
    assert not step.is_done(world.host())
    step.apply(world.host(), silently)
    assert step.is_done(world.host())
    world.volumes.by_uuid.pop(snapshot.uuid)
    assert step.is_done(world.host())


def test_a_restored_volume_holds_what_it_did_and_says_whose_doing_that_is() -> None:
    world, volume, snapshot = taken()
    step = restore(volume, snapshot)
    step.apply(world.host(), silently)
    assert world.volumes.data[volume.uuid].endswith("old")
    assert step.is_done(world.host())
    again = replace(step, job="j4")
    again.apply(world.host(), silently)
    found = world.volumes.find(volume.uuid)
    assert found
    assert [tag for tag in found.tags if "restored" in tag] == ["raptor.restored=j4"]


@pytest.mark.parametrize("trouble", ["overflowed", "split off", "open"])
def test_what_is_not_fit_is_not_put_back(trouble: str) -> None:
    world, volume, snapshot = taken()
    bad = {
        "overflowed": replace(snapshot, invalid=True),
        "split off": replace(snapshot, origin=""),
        "open": replace(volume, is_open=True),
    }[trouble]
    world.volumes.by_uuid[bad.uuid] = bad
    with pytest.raises(ConflictError):
        restore(volume, snapshot).apply(world.host(), silently)
    assert world.volumes.data[volume.uuid].endswith("new")
