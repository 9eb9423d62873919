"""`wipe list | resume`: what waits for its wipe, why, and how it ends."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from raptorctl.errors import WipeError
from raptorctl.model.domain import Domain
from raptorctl.model.names import wipe_volume
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.volume import Volume
from tests.fakes import Killed, Tripwire, World
from tests.unit.cli.session import PROVISION, CommandLine

UUID = "FccTIk-VFdr-7eaE-dD37-03QN-2cYJ-asSQnj"
REMOVAL = ("deprovision", "alice", "dev", "-y")


def leave(world: World, name: str, *states: str, data: str = "written by alice-dev") -> Volume:
    tags = ("raptor", "raptor.tenant=alice", "raptor.job=20261120-101010-aaaa", *states)
    uuid = UUID if name == wipe_volume(UUID) else f"uuid-of-{name}"
    made = Volume(uuid, name, "lvm-data", Size(GIB), tags)
    world.volumes.by_uuid[uuid] = made
    world.volumes.data[uuid] = data
    return made


def broken(world: World) -> Callable[..., object]:
    """Let the device fail, and return what mends it."""
    really = world.wiper.wipe

    def fails(*_: object) -> None:
        raise WipeError("Input/output error at byte 0")

    world.wiper.wipe = fails  # type: ignore[method-assign, assignment]
    return lambda: setattr(world.wiper, "wipe", really)


def listed(raptorctl: CommandLine) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(raptorctl("wipe", "list", "-o", "json").out)[
        "volumes"
    ]
    return found


def test_nothing_waits(raptorctl: CommandLine, world: World) -> None:
    assert raptorctl(*PROVISION).code == 0
    world.volumes.by_uuid["x"] = Volume("x", "wipe-of-others", "lvm-data", Size(GIB))
    assert raptorctl("wipe", "list").out == "no volume waits for its wipe\n"
    done = raptorctl("wipe", "resume", "--all", "-y")
    assert (done.code, done.out) == (0, "there is nothing to wipe\n")


def test_a_device_that_fails_keeps_its_volume_and_recover_finishes(
    raptorctl: CommandLine, world: World
) -> None:
    raptorctl(*PROVISION)
    mend = broken(world)
    assert raptorctl(*REMOVAL).code == 4
    (volume,) = world.volumes.list()
    (told,) = listed(raptorctl)
    assert (told["volume"], told["machine"]) == (wipe_volume(volume.uuid), "alice-dev")
    assert told["advice"] == f"raptorctl recover {told['job']}"
    assert "is unfinished" in raptorctl("wipe", "list").out
    refused = raptorctl("wipe", "resume", volume.name, "-y")
    assert refused.code == 3
    assert f"raptorctl recover {told['job']}" in refused.complaint
    mend()
    assert raptorctl("recover").code == 0
    assert listed(raptorctl) == []
    assert not world.volumes.list()


def test_what_an_abandoned_job_left_is_wiped(raptorctl: CommandLine, world: World) -> None:
    raptorctl(*PROVISION)
    mend = broken(world)
    raptorctl(*REMOVAL)
    mend()
    (told,) = listed(raptorctl)
    raptorctl("recover", str(told["job"]), "--abandon")
    (told,) = listed(raptorctl)
    assert told["outcome"] == "abandoned"
    assert told["advice"] == f"raptorctl wipe resume {told['volume']}"
    done = raptorctl("wipe", "resume", str(told["uuid"]), "-y")
    assert done.code == 0
    assert "nothing but zeroes" in done.out
    assert world.wiper.wiped[-1] == told["uuid"]
    assert not world.volumes.list()
    assert raptorctl("audit", "-o", "json").out.count('"verb": "wipe"') == 1


@pytest.mark.parametrize(
    ("name", "states", "why", "wipes"),
    [
        (wipe_volume(UUID), ("raptor.dirty",), "its wipe did not end", 1),
        (wipe_volume(UUID), ("raptor.clean",), "its wipe did not end", 1),
        (wipe_volume(UUID), ("raptor.wiped",), "it is wiped, and was not removed", 0),
        ("guest-alice-dev", ("raptor.dirty",), "it was never finished", 1),
        ("strange", ("raptor.dirty",), "called like nothing of ours", 1),
    ],
)
def test_a_leftover_without_a_job(
    raptorctl: CommandLine, world: World, name: str, states: tuple[str, ...], why: str, wipes: int
) -> None:
    made = leave(world, name, *states)
    assert why in raptorctl("wipe", "list").out
    plan = raptorctl("wipe", "resume", name, "--dry-run")
    assert plan.code == 0
    assert world.volumes.list() == (made,)
    assert raptorctl("wipe", "resume", name, "-y").code == 0
    assert not world.volumes.list()
    assert len(world.wiper.wiped) == wipes


def test_all_are_taken_out_of_use_before_the_first_wipe(
    raptorctl: CommandLine, world: World
) -> None:
    for name in ("guest-alice-dev", "guest-alice-web"):
        leave(world, name, "raptor.dirty")
    plan = json.loads(raptorctl("wipe", "resume", "--all", "--dry-run", "-o", "json").out)["plan"]
    assert [step["kind"] for step in plan["steps"]] == [
        *2 * ["volume.retire"], *2 * ["volume.wipe", "volume.remove"],
    ]  # fmt: skip
    assert raptorctl("wipe", "resume", "--all", "-y").code == 0
    assert not world.volumes.list()


def test_what_somebody_uses_is_refused(raptorctl: CommandLine, world: World) -> None:
    made = leave(world, "guest-alice-dev", "raptor.dirty")
    user = Domain("u", "web", disks=(made.path,))
    snapshot = Volume("s", "backup", "lvm-data", Size(GIB), origin=made.name)
    cases: list[tuple[Callable[[], object], str]] = [
        (lambda: world.domains.by_uuid.update(u=user), "domain web uses volume"),
        (
            lambda: world.volumes.by_uuid.update(s=snapshot),
            f"backup is a snapshot of {made.name}: `lvremove lvm-data/backup` if",
        ),
        (lambda: world.volumes.by_uuid.update({made.uuid: replace(made, is_open=True)}), "is open"),
    ]
    for use, said in cases:
        use()
        for words in ((made.name,), ("--all",)):
            done = raptorctl("wipe", "resume", *words, "-y")
            assert done.code == 3
            assert said in done.complaint
        world.domains.by_uuid.clear()
        world.volumes.by_uuid.pop("s", None)
    assert not world.wiper.wiped


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "name a VOLUME, or --all"),
        (["x", "--all"], 2, "name a VOLUME, or --all"),
        (["nothing", "-y"], 3, "there is no volume 'nothing'"),
        (["", "-y"], 3, "there is no volume ''"),
        (["guest-alice-dev", "-y"], 3, "is in use"),
        (["root", "-y"], 3, "is not raptorctl's"),
        (["--all"], 2, "add -y"),
    ],
)
def test_what_cannot_be_wiped(
    raptorctl: CommandLine, world: World, words: list[str], code: int, said: str
) -> None:
    raptorctl(*PROVISION)
    world.volumes.by_uuid["r"] = Volume("r", "root", "lvm-data", Size(GIB), ("raptor.dirty",))
    before = world.picture()
    done = raptorctl("wipe", "resume", *words)
    assert done.code == code
    assert said in done.complaint
    assert world.picture() == before


def test_a_person_is_asked(raptorctl: CommandLine, world: World) -> None:
    leave(world, "guest-alice-dev", "raptor.dirty")
    assert raptorctl("wipe", "resume", "--all", terminal=True, answer="n\n").code == 2
    assert world.volumes.list()
    assert raptorctl("wipe", "resume", "--all", terminal=True, answer="y\n").code == 0
    assert not world.volumes.list()


def test_killed_at_every_call_it_is_finished_and_never_removed_unwiped(
    raptorctl: CommandLine, world: World
) -> None:
    for at in range(1, 99):
        leave(world, wipe_volume(UUID), "raptor.dirty")
        session = raptorctl.session("wipe", "resume", "--all", "-y")
        session.wire = Tripwire(at)
        try:
            raptorctl("wipe", "resume", "--all", "-y", session=session)
        except Killed:
            assert raptorctl("recover").code == 0
            raptorctl("wipe", "resume", "--all", "-y")
            assert not world.volumes.list()
            assert world.volumes.data[UUID] == ""
        else:
            break
    assert at > 8
