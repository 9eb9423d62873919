"""Disks that are taken up, plugged in and kept: each act by itself, and what it refuses."""

from dataclasses import replace
from typing import Any

import pytest

from raptorctl.errors import ConflictError, HostError, RefusedError
from raptorctl.model.domain import Domain, State
from raptorctl.model.image import Image
from raptorctl.model.names import MachineName
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.volume import Volume, disk_tags
from raptorctl.steps.disk import KeepDisk, PlugDisk, TakeUpDisk, UnplugDisk
from raptorctl.steps.fit import refuse_cut, refuse_dirty
from raptorctl.steps.volume import CreateVolume
from raptorctl.steps.volume_use import made_by
from tests.fakes import World
from tests.unit.steps.test_volume import silently

OLD, NEW = MachineName("alice", "dev").disk("data"), MachineName("alice", "web").disk("old")
TAKE_UP = TakeUpDisk("why", "u1", OLD, NEW, ("data", "old"))
PATH = "/dev/lvm-data/disk-alice-dev.data"
XML = f'<disk><source dev="{PATH}"/></disk>'


def world_with(*more: str, keep: bool = True, **changes: Any) -> World:
    world = World()
    tags = (*disk_tags(MachineName("alice", "dev"), "j1", "data", keep=keep), "raptor.clean", *more)
    volume = Volume("u1", OLD, "lvm-data", Size(GIB), tags)
    world.volumes.by_uuid["u1"] = replace(volume, **changes)
    world.volumes.data["u1"] = "written by alice-dev: years of work"
    return world


def test_it_has_another_name_and_tag_and_the_same_bytes_and_gets_both_back() -> None:
    world = world_with()
    before = world.picture()
    assert not TAKE_UP.is_done(world.host())
    TAKE_UP.apply(world.host(), silently)
    assert TAKE_UP.is_done(world.host())
    volume = world.volumes.by_uuid["u1"]
    assert (volume.name, volume.disk, volume.kept, volume.clean) == (NEW, "old", True, True)
    assert world.volumes.data["u1"].endswith("years of work")
    TAKE_UP.undo(world.host(), silently)
    assert world.picture() == before


def test_one_that_was_renamed_and_not_tagged_is_finished_or_taken_back() -> None:
    for act in (TAKE_UP.apply, TAKE_UP.undo):
        world = world_with(name=NEW)
        act(world.host(), silently)
        volume = world.volumes.by_uuid["u1"]
        assert (volume.name, volume.disk) in {(NEW, "old"), (OLD, "data")}


@pytest.mark.parametrize(
    ("world", "says"),
    [
        (world_with(keep=False), "is no kept disk any more"),
        (world_with("raptor.dirty"), "is no kept disk any more"),
        (world_with(is_open=True), "is open"),
    ],
)
def test_what_is_not_kept_or_is_in_use_is_not_taken_up(world: World, says: str) -> None:
    with pytest.raises(ConflictError, match=says):
        TAKE_UP.apply(world.host(), silently)
    assert world.volumes.by_uuid["u1"].name == OLD


def test_what_a_domain_has_is_not_taken_up() -> None:
    world = world_with()
    world.domains.by_uuid["d"] = Domain("d", "other", disks=(PATH,))
    with pytest.raises(ConflictError, match="domain other uses"):
        TAKE_UP.apply(world.host(), silently)


def running(world: World) -> None:
    world.domains.by_uuid["d"] = Domain("d", "alice-dev", state=State.RUNNING)
    world.domains.plugs["d"] = set()


def test_a_disk_is_plugged_in_and_out_while_it_runs_and_back() -> None:
    world = world_with()
    running(world)
    plug, unplug = (kind("why", "alice-dev", "d", PATH, XML) for kind in (PlugDisk, UnplugDisk))
    assert not plug.is_done(world.host())
    plug.apply(world.host(), silently)
    assert plug.is_done(world.host())
    unplug.apply(world.host(), silently)
    assert unplug.is_done(world.host())
    unplug.undo(world.host(), silently)
    assert world.domains.plugs["d"] == {PATH}
    plug.undo(world.host(), silently)
    assert world.domains.plugs["d"] == set()


def test_one_that_is_off_gets_its_disk_with_its_next_start() -> None:
    world = world_with()
    assert PlugDisk("why", "alice-dev", "d", PATH, XML).is_done(world.host())


def test_a_disk_that_libvirt_says_it_plugged_in_is_looked_for() -> None:
    world = world_with()
    running(world)
    world.domains.plug = lambda *_: None  # type: ignore[method-assign]
    with pytest.raises(HostError, match="did not plug"):
        PlugDisk("why", "alice-dev", "d", PATH, XML).apply(world.host(), silently)


def test_whether_it_is_kept_is_its_tag_and_can_be_taken_back() -> None:
    for keep in (True, False):
        world = world_with(keep=not keep)
        step = KeepDisk("why", "u1", OLD, keep)
        assert not step.is_done(world.host())
        step.apply(world.host(), silently)
        assert step.is_done(world.host())
        step.undo(world.host(), silently)
        assert not step.is_done(world.host())


def test_of_several_volumes_of_a_job_each_is_undone_by_its_own_step() -> None:
    world, name = World(), MachineName("alice", "dev")
    steps = [
        CreateVolume("why", "j1", name.disk(one), Size(GIB), disk_tags(name, "j1", one, keep=False))
        for one in ("data", "more")
    ]
    for step in steps:
        step.apply(world.host(), silently)
    steps[0].undo(world.host(), silently)
    assert [one.disk for one in world.volumes.list()] == ["more"]
    assert made_by(world.host(), "j1", name.disk("data")) is None
    assert made_by(world.host(), "j1", name.volume) is None


def test_no_machine_starts_on_a_further_disk_that_is_dirty() -> None:
    world = world_with("raptor.dirty")
    first = Volume("u0", "guest-alice-dev", "lvm-data", Size(GIB), ("raptor", "raptor.clean"))
    foreign = Volume("u2", "mine", "lvm-data", Size(GIB))
    world.volumes.by_uuid |= {"u0": first, "u2": foreign}
    assert refuse_dirty(world.host(), first.name, [first.path, foreign.path]) == first
    with pytest.raises(ConflictError, match=r"volume disk-alice-dev\.data is dirty"):
        refuse_dirty(world.host(), first.name, [first.path, PATH])


def test_no_machine_starts_over_a_damaged_image_below_a_further_disk() -> None:
    image = Image("x", "/x", "ab" * 32, "qcow2", Size(1), Size(1), "/x", "")
    world, folder = World(), "/home/alice/volumes"
    world.images.all, world.images.spoilt = (image,), {"x": "its file is cut off"}
    first = Volume("u0", "guest-alice-dev", folder, Size(GIB), ("raptor", "raptor.clean"))
    tags = disk_tags(MachineName("alice", "dev"), "j1", "data", keep=True)
    further = Volume("u1", OLD, folder, Size(GIB), (*tags, f"raptor.image={image.digest}"))
    world.volumes.by_uuid |= {"u0": first, "u1": further}
    refuse_cut(world.host(), first)
    with pytest.raises(RefusedError, match="below the disk of alice-dev is damaged: x"):
        refuse_cut(world.host(), first, [first.path, further.path])
