"""Volumes: what may be zeroed, what may be removed, and what never is."""

from dataclasses import replace

import pytest

from raptorctl.errors import ConflictError, WipeError
from raptorctl.model.domain import Domain
from raptorctl.model.names import wipe_volume
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.volume import Volume
from raptorctl.steps.step import Step
from raptorctl.steps.volume import CreateVolume, RemoveVolume, RetireVolume, WipeVolume, ZeroVolume
from tests.fakes import World

NAME = "guest-alice-dev"


def silently(done: int, total: int) -> None:
    """Nobody watches."""


def with_volume(*tags: str, **changes: object) -> tuple[World, Volume]:
    world = World()
    made = world.volumes.create(NAME, GIB, ("raptor", "raptor.job=j1", *tags))
    volume = replace(made, **changes)  # type: ignore[arg-type]
    world.volumes.by_uuid[volume.uuid] = volume
    return world, volume


def remove(volume: Volume) -> RemoveVolume:
    return RemoveVolume("r", volume.uuid, NAME)


@pytest.mark.parametrize("tags", [("raptor.dirty",), ("raptor.clean",), (), ("raptor.wiped",)])
def test_what_is_not_wiped_is_never_removed(tags: tuple[str, ...]) -> None:
    world, volume = with_volume(*tags)
    with pytest.raises(WipeError):
        remove(volume).apply(world.host(), silently)
    assert world.volumes.list()


def test_retire_wipe_remove_is_the_only_way_out() -> None:
    world, volume = with_volume("raptor.clean")
    host = world.host()
    RetireVolume("r", volume.uuid, NAME, was_clean=True).apply(host, silently)
    retired = world.volumes.find(volume.uuid)
    assert retired is not None
    assert (retired.name, retired.clean) == (wipe_volume(volume.uuid), False)
    WipeVolume("r", volume.uuid, NAME, Size(GIB)).apply(host, silently)
    remove(volume).apply(host, silently)
    assert not world.volumes.list()
    assert world.wiper.wiped == [volume.uuid]


def test_a_retirement_can_be_taken_back() -> None:
    world, volume = with_volume("raptor.clean")
    step = RetireVolume("r", volume.uuid, NAME, was_clean=True)
    step.apply(world.host(), silently)
    step.undo(world.host(), silently)
    assert world.volumes.find(volume.uuid) == volume


@pytest.mark.parametrize("trouble", ["open", "named by a domain", "with a snapshot"])
def test_a_volume_in_use_is_not_retired(trouble: str) -> None:
    world, volume = with_volume("raptor.clean", is_open=trouble == "open")
    if trouble == "named by a domain":
        world.domains.by_uuid["u"] = Domain("u", "other", disks=(volume.path,))
    if trouble == "with a snapshot":
        world.volumes.by_uuid["s"] = Volume("s", "snap", "lvm-data", Size(1), origin=NAME)
    step = RetireVolume("r", volume.uuid, NAME, was_clean=True)
    with pytest.raises(ConflictError):
        step.apply(world.host(), silently)
    step.undo(world.host(), silently)
    assert world.volumes.find(volume.uuid) == volume


def test_wiping_goes_by_uuid_whatever_has_the_name_now() -> None:
    world, volume = with_volume("raptor.clean")
    host = world.host()
    RetireVolume("r", volume.uuid, NAME, was_clean=True).apply(host, silently)
    newcomer = world.volumes.create(NAME, GIB, ("raptor", "raptor.job=j2", "raptor.clean"))
    WipeVolume("r", volume.uuid, NAME, Size(GIB)).apply(host, silently)
    remove(volume).apply(host, silently)
    assert world.volumes.list() == (newcomer,)
    assert world.wiper.wiped == [volume.uuid]


def test_undoing_a_creation_touches_only_this_jobs_volume() -> None:
    world, volume = with_volume("raptor.dirty")
    step = CreateVolume("r", "another-job", NAME, Size(GIB), ("raptor",))
    step.undo(world.host(), silently)
    assert world.volumes.list() == (volume,)
    with pytest.raises(ConflictError):
        step.is_done(world.host())


@pytest.mark.parametrize(("tag", "wipes"), [("raptor.dirty", 0), ("raptor.clean", 1)])
def test_undoing_a_creation_wipes_what_a_guest_may_have_had(tag: str, wipes: int) -> None:
    world, _ = with_volume(tag)
    CreateVolume("r", "j1", NAME, Size(GIB), ("raptor",)).undo(world.host(), silently)
    assert not world.volumes.list()
    assert len(world.wiper.wiped) == wipes


def test_clean_is_said_after_the_read_back_only() -> None:
    world, volume = with_volume("raptor.dirty")

    def broken(*_: object) -> None:
        raise WipeError("a byte is not zero")

    world.wiper.wipe = broken  # type: ignore[method-assign, assignment]
    with pytest.raises(WipeError):
        ZeroVolume("r", "j1", NAME).apply(world.host(), silently)
    assert world.volumes.find(volume.uuid) == volume


STEPS = {
    "create": CreateVolume("r", "j1", NAME, Size(GIB), ("raptor",)),
    "zero": ZeroVolume("r", "j1", NAME),
}


def steps_on(volume: Volume) -> dict[str, Step]:
    return {
        **STEPS,
        "retire": RetireVolume("r", volume.uuid, NAME, was_clean=True),
        "wipe": WipeVolume("r", volume.uuid, NAME, Size(GIB)),
        "remove": remove(volume),
    }


@pytest.mark.parametrize(
    ("step", "seen", "now"),
    [
        ("create", "raptor.dirty", None),
        ("zero", "raptor.clean", "raptor.dirty"),
        ("retire", None, "raptor.clean"),
        ("wipe", None, "raptor.dirty"),
        ("remove", None, "raptor.wiped"),
    ],
)
def test_that_a_step_is_done_is_never_told_by_an_old_look(
    step: str, seen: str | None, now: str | None
) -> None:
    world, volume = with_volume()
    world.volumes.last = (replace(volume, tags=(*volume.tags, seen)),) if seen else ()
    world.volumes.by_uuid.clear()
    if now:
        world.volumes.by_uuid[volume.uuid] = replace(volume, tags=(*volume.tags, now))
    assert not steps_on(volume)[step].is_done(world.host())


def test_what_was_wiped_when_it_was_seen_and_is_not_any_more_is_kept() -> None:
    world, volume = with_volume("raptor.wiped")
    seen = replace(volume, name=wipe_volume(volume.uuid))
    world.volumes.by_uuid[volume.uuid] = replace(seen, tags=("raptor", "raptor.clean"))
    world.volumes.last = (seen,)
    with pytest.raises(ConflictError):
        remove(volume).apply(world.host(), silently)
    assert world.volumes.list()
