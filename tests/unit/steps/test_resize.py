"""Growing volumes: only by what is clean, only by this job, and what a guest has had it keeps."""

from dataclasses import replace

import pytest

from raptorctl.drivers.tick import Tick
from raptorctl.errors import ConflictError, HostError, WipeError
from raptorctl.model.domain import Domain, State
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.volume import Volume
from raptorctl.steps.resize import GiveDisk, GrowVolume, ReserveGrowth
from tests.fakes import World
from tests.unit.steps.test_volume import silently, with_volume

RESERVE = "grow-alice-dev"
MACHINE = "uuid-of-alice-dev"


def machine(state: State = State.RUNNING) -> tuple[World, Volume]:
    world, volume = with_volume("raptor.clean")
    domain = Domain(MACHINE, "alice-dev", state, disks=(volume.path,))
    world.domains.by_uuid[MACHINE] = domain
    world.domains.seen[MACHINE] = GIB
    return world, volume


def reserve(volume: Volume) -> ReserveGrowth:
    tags = ("raptor", "raptor.job=j2")
    return ReserveGrowth("r", "j2", volume.uuid, Size(3 * GIB), RESERVE, Size(2 * GIB), tags)


def grow(volume: Volume) -> GrowVolume:
    return GrowVolume("r", "j2", volume.uuid, volume.name, Size(GIB), Size(3 * GIB), MACHINE)


def give(volume: Volume) -> GiveDisk:
    return GiveDisk("r", "j2", volume.uuid, "alice-dev", MACHINE, Size(3 * GIB))


def now(world: World, volume: Volume) -> Volume:
    found = world.volumes.find(volume.uuid)
    assert found
    return found


def test_what_is_not_clean_is_not_handed_over() -> None:
    world, volume = machine()
    for prepare in (lambda: None, lambda: world.volumes.create(RESERVE, GIB, ("raptor", "raptor.job=j2", "raptor.dirty"))):  # fmt: skip
        prepare()
        with pytest.raises(HostError, match="is not clean"):
            grow(volume).apply(world.host(), silently)
        assert now(world, volume) == volume


@pytest.mark.parametrize(
    ("size", "tags"),
    [(2 * GIB, ("raptor.slot=3",)), (4 * GIB, ())],
    ids=["another machine's", "of another size"],
)
def test_what_was_not_made_for_it_is_not_handed_over(size: int, tags: tuple[str, ...]) -> None:
    """Nor should it bear the name of this job."""
    world, volume = machine()
    tags = ("raptor", "raptor.job=j2", "raptor.clean", *tags)
    other = world.volumes.create("guest-alice-db", size, tags)
    with pytest.raises(HostError, match="is not clean"):
        grow(volume).apply(world.host(), silently)
    assert world.volumes.list() == (volume, other)


def test_a_reserve_that_cannot_be_read_back_stays_dirty_and_goes() -> None:
    world, volume = machine()

    def broken(*_: object) -> None:
        raise WipeError("a byte is not zero")

    world.wiper.wipe = broken  # type: ignore[method-assign, assignment]
    with pytest.raises(WipeError):
        reserve(volume).apply(world.host(), silently)
    made = world.volumes.named(RESERVE)
    assert made
    assert not made.clean
    reserve(volume).undo(world.host(), silently)
    assert world.volumes.list() == (volume,)


def test_another_jobs_reserve_is_in_the_way() -> None:
    world, volume = machine()
    world.volumes.create(RESERVE, GIB, ("raptor", "raptor.job=j0"))
    with pytest.raises(ConflictError, match="is not this job's"):
        reserve(volume).is_done(world.host())
    reserve(volume).undo(world.host(), silently)
    assert world.volumes.named(RESERVE)


def test_somebody_elses_growth_is_not_taken_for_ours() -> None:
    world, volume = machine()
    for size in (2 * GIB, 3 * GIB):
        world.volumes.by_uuid[volume.uuid] = replace(volume, size=Size(size))
        with pytest.raises(ConflictError, match="by another program"):
            grow(volume).is_done(world.host())
        grow(volume).undo(world.host(), silently)
        assert now(world, volume).size == size


def grown(state: State) -> tuple[World, Volume]:
    world, volume = machine(state)
    reserve(volume).apply(world.host(), silently)
    grow(volume).apply(world.host(), silently)
    assert now(world, volume).growing == "j2"
    assert grow(volume).is_done(world.host())
    return world, volume


@pytest.mark.parametrize("state", [State.RUNNING, State.OFF])
def test_what_no_guest_has_had_is_taken_back(state: State) -> None:
    world, volume = grown(state)
    grow(volume).undo(world.host(), silently)
    assert now(world, volume) == volume


def test_what_a_guest_gets_while_it_is_looked_at_it_keeps() -> None:
    world, volume = grown(State.OFF)
    really = world.wiper.is_zero

    def meanwhile(volume: Volume, start: int, tick: Tick) -> bool:
        zero = really(volume, start, tick)
        (domain,) = world.domains.list()
        world.domains.by_uuid[MACHINE] = replace(domain, state=State.RUNNING)
        world.domains.seen[MACHINE] = 3 * GIB
        return zero

    world.wiper.is_zero = meanwhile  # type: ignore[method-assign]
    grow(volume).undo(world.host(), silently)
    assert now(world, volume).size == 3 * GIB


@pytest.mark.parametrize("state", [State.RUNNING, State.OFF])
def test_what_a_guest_has_had_it_keeps(state: State) -> None:
    world, volume = grown(state)
    if state is State.RUNNING:
        world.domains.seen[MACHINE] = 3 * GIB
    else:
        world.volumes.tails[volume.uuid] = "written by alice-dev"
    grow(volume).undo(world.host(), silently)
    assert (now(world, volume).size, now(world, volume).growing) == (3 * GIB, None)


def test_a_running_guest_is_told_once_and_one_that_is_off_is_not() -> None:
    for state, seen in ((State.RUNNING, 3 * GIB), (State.OFF, GIB)):
        world, volume = grown(state)
        step = give(volume)
        assert not step.is_done(world.host())
        step.apply(world.host(), silently)
        assert step.is_done(world.host())
        assert world.domains.seen[MACHINE] == seen
        assert (now(world, volume).growing, now(world, volume).grown) == (None, "j2")


def test_all_steps_are_done_when_recovery_asks_again() -> None:
    world, volume = grown(State.RUNNING)
    give(volume).apply(world.host(), silently)
    assert all(step(volume).is_done(world.host()) for step in (reserve, grow, give))
