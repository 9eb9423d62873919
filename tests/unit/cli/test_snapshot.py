import json
from dataclasses import replace
from typing import cast

import pytest
import typer

from raptorctl.cli.options import completed_if_any
from raptorctl.model.domain import State
from raptorctl.model.sizes import GIB
from raptorctl.model.volume import Volume
from tests.fakes import World
from tests.unit.cli.session import PROVISION, CommandLine


@pytest.fixture(autouse=True)
def machine(raptorctl: CommandLine, world: World) -> None:
    assert raptorctl(*PROVISION).code == 0
    write(world, "old")
    assert raptorctl("snapshot", "create", "alice", "dev", "before").code == 0
    write(world, "new")


def write(world: World, text: str) -> None:
    world.volumes.data[disk(world).uuid] = f"written by alice-dev: {text}"


def disk(world: World) -> Volume:
    volume = world.volumes.named("guest-alice-dev")
    assert volume
    return volume


def test_a_snapshot_is_listed_and_shown(raptorctl: CommandLine) -> None:
    out = raptorctl("snapshot", "list").out.splitlines()
    assert out[0].split() == ["MACHINE", "NAME", "TAKEN", "SIZE", "USED", "STATE"]
    assert out[1].split()[:2] == ["alice-dev", "before"]
    assert out[1].split()[-3:] == ["8G", "0%", "good"]
    (told,) = json.loads(raptorctl("snapshot", "list", "alice-dev", "-o", "json").out)["snapshots"]
    assert (told["name"], told["size"], told["state"]) == ("before", 8 * GIB, "good")
    assert raptorctl("list").out.splitlines()[0].split()[-1] == "SNAPSHOTS"
    assert json.loads(raptorctl("list", "-o", "json").out)["machines"][0]["snapshots"] == 1
    assert "before, 20" in raptorctl("show", "alice", "dev").out
    assert raptorctl("snapshot", "list", "bob-ci").out == "bob-ci has no snapshots\n"


def test_an_overflowed_one_is_said_to_be_so(raptorctl: CommandLine, world: World) -> None:
    snapshot = world.volumes.named("snap-alice-dev.before")
    assert snapshot
    world.volumes.by_uuid[snapshot.uuid] = replace(snapshot, invalid=True, used=100.0)
    assert raptorctl("snapshot", "list").out.split()[-1] == "overflowed"
    assert "overflowed" in raptorctl("show", "alice-dev").out
    assert "snapshot before of alice-dev overflowed" in raptorctl("doctor").out


def test_a_running_machine_is_not_restored(raptorctl: CommandLine, world: World) -> None:
    refused = raptorctl("snapshot", "restore", "alice", "dev", "before", "-y")
    assert (refused.code, "raptorctl stop alice-dev" in refused.complaint) == (3, True)
    assert world.volumes.data[disk(world).uuid].endswith("new")


def test_one_that_is_off_gets_its_disk_back_and_keeps_the_rest(
    raptorctl: CommandLine, world: World
) -> None:
    raptorctl("stop", "alice-dev")
    (before,) = world.domains.list()
    done = raptorctl("snapshot", "restore", "alice", "dev", "-y")
    assert done.code == 0
    assert "compared 40G, put back 4K" in done.out
    assert world.volumes.data[disk(world).uuid].endswith("old")
    assert world.domains.list() == (before,)
    assert before.autostart
    assert raptorctl("start", "alice-dev").code == 0
    assert world.domains.list()[0].state is State.RUNNING


@pytest.mark.parametrize("verb", ["restore", "delete"])
def test_what_destroys_asks_first(raptorctl: CommandLine, world: World, verb: str) -> None:
    raptorctl("stop", "alice-dev")
    before = world.picture()
    words = ("snapshot", verb, "alice", "dev", "before")
    assert "add -y" in raptorctl(*words).complaint
    assert raptorctl(*words, terminal=True, answer="n\n").code == 2
    assert world.picture() == before
    assert raptorctl(*words, "--dry-run").code == 0
    assert world.picture() == before
    answer = "y\n" if verb == "restore" else "before\n"
    assert raptorctl(*words, terminal=True, answer=answer).code == 0
    assert world.picture() != before


def test_what_a_deleted_one_kept_is_wiped(raptorctl: CommandLine, world: World) -> None:
    done = raptorctl("snapshot", "delete", "alice", "dev", "before", "-y")
    assert (done.code, "wiped 8G of volume" in done.out) == (0, True)
    assert world.volumes.list() == (disk(world),)
    again = raptorctl("snapshot", "delete", "alice", "dev", "before", "-y")
    assert (again.code, again.out) == (0, "there is no snapshot before of alice-dev\n")
    assert raptorctl("snapshot", "delete", "alice", "dev", "-y").code == 2


def test_a_machine_goes_with_its_snapshots(raptorctl: CommandLine, world: World) -> None:
    raptorctl("snapshot", "create", "alice", "dev")
    done = raptorctl("deprovision", "alice", "dev", "-y")
    assert (done.code, done.out.count("wiped")) == (0, 3)
    assert world.volumes.list() == ()


def test_a_machine_with_a_snapshot_does_not_grow(raptorctl: CommandLine) -> None:
    words = ("resize", "alice", "dev", "--size", "80G")
    why = "raptorctl: volume guest-alice-dev cannot grow while it has a snapshot: "
    refused = raptorctl(*words)
    delete = "raptorctl snapshot delete alice-dev before"
    assert (refused.code, refused.complaint) == (
        3,
        f"{why}before: `{delete}` gives up what it keeps",
    )
    raptorctl("snapshot", "create", "alice", "dev", "after")
    several = "before, after: give up each of them: `raptorctl snapshot delete alice-dev NAME`"
    assert raptorctl(*words).complaint == f"{why}{several}"
    for name in ("before", "after"):  # as it is said
        assert raptorctl("snapshot", "delete", "alice-dev", name, "-y").code == 0
    assert raptorctl(*words, "-y").code == 0


def test_a_disk_that_has_no_snapshot_grows_beside_one_that_has(raptorctl: CommandLine) -> None:
    assert raptorctl("disk", "add", "alice", "dev", "data=1G").code == 0
    assert raptorctl("disk", "grow", "alice", "dev", "data", "2G").code == 0
    raptorctl("snapshot", "create", "alice", "dev", "both", "--all-disks")
    refused = raptorctl("disk", "grow", "alice", "dev", "data", "3G")
    assert "disk-alice-dev.data cannot grow while it has a snapshot: both: " in refused.complaint


def test_one_that_was_split_off_and_left_waits_for_its_wipe(
    raptorctl: CommandLine, world: World
) -> None:
    snapshot = world.volumes.named("snap-alice-dev.before")
    assert snapshot
    world.volumes.split(snapshot)
    assert "it was a snapshot, and its removal did not end" in raptorctl("wipe", "list").out
    assert raptorctl("wipe", "resume", "--all", "-y").code == 0
    assert world.volumes.list() == (disk(world),)


@pytest.mark.parametrize("nothing", [None, []])
def test_no_words_are_given_back_as_a_list(nothing: list[str] | None) -> None:
    """Debian 13's typer asks for the length of what a callback returns."""
    assert completed_if_any(cast("typer.Context", None), nothing) == []
