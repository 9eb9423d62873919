import json

import pytest

from tests.fakes import World
from tests.unit.cli.session import PROVISION, CommandLine

WITH = (*PROVISION, "--disk", "data=10G,keep", "--disk", "scratch=5G")
PRECIOUS = "written by alice-dev: years of work"


@pytest.fixture(autouse=True)
def machine(raptorctl: CommandLine, world: World) -> None:
    assert raptorctl(*WITH).code == 0
    volume = world.volumes.named("disk-alice-dev.data")
    assert volume
    world.volumes.data[volume.uuid] = PRECIOUS


def names(world: World) -> set[str]:
    return {volume.name for volume in world.volumes.list()}


def test_disks_are_listed_counted_and_shown(raptorctl: CommandLine) -> None:
    rows = [row.split() for row in raptorctl("disk", "list").out.splitlines()]
    assert rows == [
        ["TENANT", "DISK", "SIZE", "KEEP", "STATE", "MACHINE", "UNTIL"],
        ["alice", "dev.data", "10G", "yes", "attached", "alice-dev", "-"],
        ["alice", "dev.scratch", "5G", "no", "attached", "alice-dev", "-"],
    ]
    assert raptorctl("disk", "list", "bob").out == "bob has no further disks\n"
    assert raptorctl("list").out.splitlines()[0].split()[-1] == "DISKS"
    assert json.loads(raptorctl("list", "-o", "json").out)["machines"][0]["disks"] == 2
    shown = raptorctl("show", "alice", "dev").out
    assert "disk       data: /dev/lvm-data/disk-alice-dev.data, 10G, kept\n" in shown
    told = json.loads(raptorctl("show", "alice", "dev", "-o", "json").out)["further_disks"]
    assert [(one["name"], one["keep"]) for one in told] == [("data", True), ("scratch", False)]
    assert all(len(line) <= 80 for line in raptorctl("disk", "list").out.splitlines())


def test_what_is_kept_outlives_its_machine_and_comes_back_with_its_bytes(
    raptorctl: CommandLine, world: World
) -> None:
    gone = raptorctl("deprovision", "alice", "dev", "-y")
    assert (gone.code, names(world)) == (0, {"disk-alice-dev.data"})
    assert "nothing of alice-dev is left but kept disks: dev.data\n" in gone.out
    assert "disk dev.data stays, with its 10G: it is kept" in gone.err
    assert raptorctl("disk", "list", "alice").out.split()[-3:] == ["kept", "-", "-"]
    assert raptorctl("doctor").out.count("disk alice-dev data") == 0
    refused = raptorctl("tenant", "remove", "alice", "-y")
    assert (refused.code, "alice has kept disks: dev.data" in refused.complaint) == (3, True)

    assert raptorctl(*PROVISION, "--disk", "work=keep:dev.data").code == 0
    assert world.volumes.named("disk-alice-dev.data") is None
    volume = world.volumes.named("disk-alice-dev.work")
    assert volume
    assert world.volumes.data[volume.uuid] == PRECIOUS
    assert volume.uuid not in world.wiper.wiped[3:]


def test_a_kept_disk_that_is_removed_is_wiped(raptorctl: CommandLine, world: World) -> None:
    raptorctl("deprovision", "alice", "dev", "-y")
    assert "add -y" in raptorctl("disk", "remove", "alice", "dev.data").complaint
    gone = raptorctl("disk", "remove", "alice", "dev.data", "-y")
    assert (gone.code, names(world), world.volumes.leaked) == (0, set(), [])
    assert "read back 10G (full): nothing but zeroes" in gone.out
    again = raptorctl("disk", "remove", "alice", "dev.data", "-y")
    assert (again.code, again.out) == (0, "there is no disk data of alice-dev\n")


def test_disks_come_grow_change_and_go_while_it_runs(raptorctl: CommandLine, world: World) -> None:
    (domain,) = world.domains.list()
    assert raptorctl("disk", "add", "alice", "dev", "more=4G").code == 0
    path = "/dev/lvm-data/disk-alice-dev.more"
    assert world.domains.plugged(domain.uuid, path)
    assert path in world.domains.list()[0].disks
    again = raptorctl("disk", "add", "alice", "dev", "more=4G")
    assert (again.code, again.out) == (0, "disk alice-dev more is already so\n")

    assert raptorctl("disk", "grow", "alice", "dev", "more", "8G").code == 0
    assert world.domains.block_size(domain.uuid, path) == 8 << 30
    kept = raptorctl("disk", "set", "alice", "dev", "more", "--keep")
    assert (kept.code, kept.out) == (0, "disk alice-dev more outlives its machine\n")

    assert raptorctl("disk", "remove", "alice-dev", "more", "-y").code == 0
    assert not world.domains.plugged(domain.uuid, path)
    assert "disk-alice-dev.more" not in names(world)


def test_what_says_nothing_is_refused(raptorctl: CommandLine) -> None:
    for words, says in (
        (("set", "alice", "dev", "data"), "say --keep or --no-keep"),
        (("add", "alice", "dev", "data"), "is no disk: write e.g. data=100G"),
        (("grow", "alice", "dev", "data", "5"), "name the unit"),
        (("remove", "alice", "dev", "-y"), "names no disk: say `alice dev data`"),
    ):
        result = raptorctl("disk", *words)
        assert (result.code, says in result.complaint) == (2, True), result.err


def test_a_guest_that_does_not_let_go_keeps_its_disk(raptorctl: CommandLine, world: World) -> None:
    was, world.domains.deaf = world.picture(), True
    refused = raptorctl("disk", "remove", "alice", "dev", "data", "-y")
    world.domains.deaf = False
    assert (refused.code, "alice-dev does not let go of" in refused.err) == (1, True)
    assert world.picture() == was


def test_a_tenant_sees_the_disks_of_a_machine_of_theirs_by_its_definition(
    raptorctl: CommandLine,
) -> None:
    assert raptorctl(*WITH, "-y").code == 0
    raptorctl.root = False
    assert "data: /dev/lvm-data/disk-alice-dev.data\n" in raptorctl("show", "alice", "dev").out
    shown = json.loads(raptorctl("show", "alice", "dev", "-o", "json").out)["further_disks"]
    assert [(one["name"], one["volume"], one["size"]) for one in shown] == [
        ("data", "disk-alice-dev.data", None),
        ("scratch", "disk-alice-dev.scratch", None),
    ]
    raptorctl.root = True
    known = json.loads(raptorctl("show", "alice", "dev", "-o", "json").out)["further_disks"]
    assert [one.keys() for one in known] == [one.keys() for one in shown]
