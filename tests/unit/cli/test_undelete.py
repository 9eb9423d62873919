"""`deprovision --keep`, `undelete` and `expire`: a machine goes, comes back, or is wiped."""

import json
from dataclasses import replace

import pytest

from raptorctl.errors import HostError
from raptorctl.host.system import clock
from raptorctl.model.domain import State
from raptorctl.model.look import DAY, ClockReading, later, parse_span
from raptorctl.model.volume import Volume
from tests.fakes import World
from tests.unit.cli.session import PROVISION, CommandLine

PRECIOUS = "written by alice-dev: years of work"
NVRAM = "/var/lib/libvirt/qemu/nvram/alice-dev_VARS.fd"
BOOT = "0123abcd"


class Clock:
    """What `expire` sees: seconds since a moment that is a month from now, and since the boot."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.boot, self.hours, self.up = BOOT, 0, 1000
        monkeypatch.setattr(clock, "look", self.look)

    def look(self) -> ClockReading:
        at = later("2036-01-01T00:00:00Z", parse_span(f"{self.hours + 1}h"))
        return ClockReading(at, self.boot, self.up)

    def pass_(self, hours: int) -> None:
        self.hours += hours
        self.up += hours * 3600

    def jump(self, hours: int) -> None:
        self.hours += hours


@pytest.fixture
def clock_(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture(autouse=True)
def machine(raptorctl: CommandLine, world: World) -> None:
    assert raptorctl(*PROVISION, "--disk", "data=5G").code == 0
    disk = world.volumes.named("guest-alice-dev")
    assert disk
    world.volumes.data[disk.uuid] = PRECIOUS
    world.files.write_bytes(NVRAM, b"boot keys", 0o600)


def keep(raptorctl: CommandLine) -> None:
    done = raptorctl("deprovision", "alice", "dev", "--keep", "7d")
    assert (done.code, "its disks are kept until" in done.out) == (0, True), done.err


def volumes(world: World) -> dict[str, Volume]:
    return {volume.name: volume for volume in world.volumes.list()}


def bare(world: World) -> object:
    """The host but for the machine's mark, in which a job may be another."""
    return (
        [(v.name, v.size, world.volumes.data[v.uuid]) for v in world.volumes.list()],
        sorted(world.zones.records),
        sorted(world.files.paths),
        [(d.name, d.uuid, d.state, d.pins, d.macs) for d in world.domains.list()],
    )


def test_name_and_slot_are_free_and_not_a_byte_is_lost(
    raptorctl: CommandLine, world: World
) -> None:
    keep(raptorctl)
    assert not world.domains.list()
    assert not world.zones.records
    kept = volumes(world)
    assert kept.keys() == {"disk-alice-dev.old", "disk-alice-dev.data"}
    assert world.volumes.data[kept["disk-alice-dev.old"].uuid] == PRECIOUS
    assert all(one.kept and one.clean and one.until for one in kept.values())
    assert raptorctl("provision", "alice", "dev", "--size", "1G", "--cpus", "4-7").code == 0


def test_the_list_of_disks_tells_until_when(raptorctl: CommandLine) -> None:
    keep(raptorctl)
    listed = json.loads(raptorctl("disk", "list", "-o", "json").out)["disks"]
    assert [(one["name"], one["state"]) for one in listed] == [
        ("data", "retired"),
        ("old", "retired"),
    ]
    assert all(one["until"].endswith("Z") and one["retired"] for one in listed)


def test_it_comes_back_as_it_was(raptorctl: CommandLine, world: World) -> None:
    before = bare(world)
    keep(raptorctl)
    done = raptorctl("undelete", "alice", "dev")
    assert (done.code, done.out) == (0, "machine alice-dev is back on slot 1, CPUs 4-7\n")
    assert bare(world) == before
    assert world.files.read_bytes(NVRAM, 99) == b"boot keys"
    assert not any(v.kept or v.retired or v.until for v in world.volumes.list())
    assert raptorctl("deprovision", "alice", "dev", "-y").code == 0
    assert not world.volumes.list()


def test_one_that_was_off_stays_off(raptorctl: CommandLine, world: World) -> None:
    raptorctl("stop", "alice", "dev")
    keep(raptorctl)
    raptorctl("undelete", "alice", "dev")
    assert [domain.state for domain in world.domains.list()] == [State.OFF]


def test_a_taken_slot_and_taken_cpus_are_replaced(raptorctl: CommandLine, world: World) -> None:
    keep(raptorctl)
    assert raptorctl("provision", "bob", "ci", "--size", "1G", "--cpus", "4-5").code == 0
    done = raptorctl("undelete", "alice", "dev")
    assert (done.code, "slot 2, CPUs 2,3,6,7" in done.out) == (0, True)
    assert "slot 1 is taken: it has slot 2 now" in done.err
    (domain,) = [one for one in world.domains.list() if one.name == "alice-dev"]
    assert (domain.macs, domain.bridges) == (("52:54:00:00:00:02",), ("br-vm2",))
    assert domain.mark
    assert (domain.mark.slot, volumes(world)["guest-alice-dev"].slot) == (2, 2)
    records = {record.value for record in world.zones.records if "alice" in record.name}
    assert "198.51.100.2" in records
    assert raptorctl("doctor").code == 0


@pytest.mark.parametrize(
    ("pin", "had"),
    [
        ('<emulatorpin cpuset="3"/>', "its emulator's threads"),
        ('<emulatorpin cpuset="6,7"/><iothreadpin iothread="1" cpuset="3"/>', "its I/O threads"),
    ],
)
@pytest.mark.parametrize(("taken", "now"), [("3-3", "6,7"), ("3-4", "2,5")])
def test_no_thread_of_it_comes_back_on_anothers_cpu(
    raptorctl: CommandLine, world: World, pin: str, had: str, taken: str, now: str
) -> None:
    (before,) = world.domains.list()
    world.domains.define(before.xml.replace('<emulatorpin cpuset="6,7"/>', pin))
    keep(raptorctl)
    assert raptorctl("provision", "bob", "ci", "--size", "1G", "--cpus", taken).code == 0
    done = raptorctl("undelete", "alice", "dev")
    assert done.code == 0
    assert f"CPUs 3 of {had} are taken: they have {now} now" in done.err
    other, own = sorted(world.domains.list(), key=lambda one: one.name == "alice-dev")
    assert not other.own_cpus & own.own_cpus


def test_on_a_free_cpu_or_one_that_is_kept_for_the_host_threads_stay(
    raptorctl: CommandLine, world: World
) -> None:
    (before,) = world.domains.list()
    pins = '<emulatorpin cpuset="0"/><iothreadpin iothread="1" cpuset="3"/>'
    world.domains.define(before.xml.replace('<emulatorpin cpuset="6,7"/>', pins))
    keep(raptorctl)
    done = raptorctl("undelete", "alice", "dev")
    assert (done.code, "taken" in done.err) == (0, False)
    (after,) = world.domains.list()
    assert (after.emulator.cpus, after.iothreads.cpus) == ((0,), (3,))


def test_another_of_its_name_is_in_the_way(raptorctl: CommandLine, world: World) -> None:
    keep(raptorctl)
    raptorctl("provision", "alice", "dev", "--size", "1G", "--cpus", "4-7")
    done = raptorctl("undelete", "alice", "dev")
    assert done.code == 3
    assert "another machine is called alice-dev" in done.complaint


def test_the_latest_of_a_name_comes_back_and_the_other_is_still_kept(
    raptorctl: CommandLine, world: World
) -> None:
    keep(raptorctl)
    raptorctl("provision", "alice", "dev", "--size", "1G", "--cpus", "4-7")
    keep(raptorctl)
    assert raptorctl("undelete", "alice", "dev").code == 0
    kept = volumes(world)
    assert kept.keys() == {"disk-alice-dev.old", "disk-alice-dev.data", "guest-alice-dev"}
    assert world.volumes.data[kept["disk-alice-dev.old"].uuid] == PRECIOUS


def test_what_is_kept_counts_in_the_quota_and_holds_its_tenant(raptorctl: CommandLine) -> None:
    keep(raptorctl)
    used = json.loads(raptorctl("tenant", "quota", "alice", "-o", "json").out)
    assert "48318382080" in json.dumps(used)  # 45G
    assert raptorctl("tenant", "remove", "alice", "-y").code == 3


def test_a_first_disk_is_not_given_to_another_machine(raptorctl: CommandLine) -> None:
    keep(raptorctl)
    words = ("alice", "web", "--size", "1G", "--cpus", "4-7", "--disk", "a=keep:dev.old")
    assert "undelete" in raptorctl("provision", *words).complaint


def test_a_further_disk_is_and_then_nothing_wipes_it(
    raptorctl: CommandLine, world: World, clock_: Clock
) -> None:
    keep(raptorctl)
    words = ("alice", "web", "--size", "1G", "--cpus", "4-7", "--disk", "a=keep:dev.data")
    assert raptorctl("provision", *words).code == 0
    taken = volumes(world)["disk-alice-web.a"]
    assert not (taken.until or taken.retired)
    wipe_all(raptorctl, clock_)
    assert volumes(world).keys() == {"disk-alice-web.a", "guest-alice-web"}
    assert volumes(world)["disk-alice-web.a"].clean


def wipe_all(raptorctl: CommandLine, clock_: Clock) -> None:
    for _ in range(2):
        assert raptorctl("expire").code == 0
        clock_.pass_(24)


def test_without_its_data_disk_it_comes_back_without(raptorctl: CommandLine, world: World) -> None:
    keep(raptorctl)
    assert raptorctl("disk", "remove", "alice", "dev", "data", "-y").code == 0
    done = raptorctl("undelete", "alice", "dev")
    assert done.code == 0
    assert "was taken out of its definition" in done.err
    assert [d.disks for d in world.domains.list()] == [("/dev/lvm-data/guest-alice-dev",)]


def test_removing_its_first_disk_removes_its_papers(raptorctl: CommandLine, world: World) -> None:
    keep(raptorctl)
    assert any("_VARS.fd." in path for path in world.files.paths)
    assert raptorctl("disk", "remove", "alice", "dev", "old", "-y").code == 0
    assert not any("alice" in path for path in world.files.paths)
    done = raptorctl("undelete", "alice", "dev")
    assert done.code == 3
    assert "the first disk of alice-dev is gone" in done.complaint


def test_two_looks_a_day_apart_wipe_it_with_a_receipt(
    raptorctl: CommandLine, world: World, clock_: Clock
) -> None:
    keep(raptorctl)
    first = raptorctl("expire")
    assert "wiped once a look a day later agrees" in first.out
    clock_.pass_(23)
    raptorctl("expire")
    assert len(world.volumes.list()) == 2
    clock_.pass_(1)
    last = raptorctl("expire")
    assert "wiped 40G of volume" in last.out
    assert "nothing of alice-dev is left" in last.out
    assert not world.volumes.list()
    assert not any("alice" in path for path in world.files.paths)
    assert world.volumes.leaked == []


def test_a_clock_that_jumps_wipes_nothing(
    raptorctl: CommandLine, world: World, clock_: Clock
) -> None:
    keep(raptorctl)
    raptorctl("expire")
    clock_.pass_(1)
    clock_.jump(9000)
    raptorctl("expire")
    assert len(world.volumes.list()) == 2
    clock_.pass_(23)
    raptorctl("expire")
    assert not world.volumes.list()


def test_a_clock_that_was_wrong_is_forgotten(
    raptorctl: CommandLine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(raptorctl)
    for at, noted in (("2036-01-01T00:00:00Z", True), ("2020-01-01T00:00:00Z", False)):
        monkeypatch.setattr(clock, "look", lambda at=at: ClockReading(at, BOOT, 5))
        raptorctl("expire")
        assert [bool(one.due) for one in world.volumes.list()] == [noted, noted]


def test_nothing_is_due_before_its_time(
    raptorctl: CommandLine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(raptorctl)
    before = world.picture()
    monkeypatch.setattr(clock, "look", lambda: ClockReading("2020-01-01T00:00:00Z", BOOT, 5))
    done = raptorctl("expire")
    assert (done.code, "is kept until" in done.out) == (0, True)
    assert world.picture() == before


def test_two_looks_of_one_boot_need_a_day_of_both_clocks() -> None:
    one = ClockReading("2026-01-01T00:00:00Z", BOOT, 100)
    day = replace(one, at="2026-01-02T00:00:00Z", up=100 + DAY)
    assert day.is_day_after(one)
    assert not replace(day, up=100 + DAY - 1).is_day_after(one)
    assert not replace(day, at="2026-01-01T23:59:59Z").is_day_after(one)
    assert replace(day, boot="ffffffff", up=3).is_day_after(one)
    assert ClockReading.parse(str(day)) == day
    assert ClockReading.parse("2026") is None


@pytest.mark.parametrize("span", ["0d", "7", "d", "-7d", "1y", "7D", "3651d", "9999w", "７d", ""])
def test_no_such_span(raptorctl: CommandLine, world: World, span: str) -> None:
    before = world.picture()
    done = raptorctl("deprovision", "alice", "dev", "--keep", span)
    assert done.code == 2
    assert "--keep" in done.complaint
    assert world.picture() == before


def test_a_snapshot_is_in_the_way(raptorctl: CommandLine) -> None:
    assert raptorctl("snapshot", "create", "alice", "dev").code == 0
    done = raptorctl("deprovision", "alice", "dev", "--keep", "7d")
    assert done.code == 3
    assert "raptorctl snapshot delete alice-dev" in done.complaint


def test_what_a_job_still_needs_that_waits_for_dns_is_not_wiped(
    raptorctl: CommandLine, world: World, clock_: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(world.zones, "remove", silent)
        done = raptorctl("deprovision", "alice", "dev", "--keep", "1d")
    assert (done.code, "all is done but for DNS" in done.err) == (4, True)
    before = world.picture()
    for _ in range(3):
        said = raptorctl("expire")
        assert (said.code, "what is kept of alice-dev stays while job" in said.out) == (0, True)
        clock_.pass_(24)
    assert world.picture() == before
    assert raptorctl("recover").code == 0
    assert not world.zones.records
    wipe_all(raptorctl, clock_)
    assert not world.volumes.list()


def test_where_it_was_wiped_all_the_same_the_job_is_finished(
    raptorctl: CommandLine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier version did, or somebody by hand; else no job would be begun here any more."""
    with monkeypatch.context() as patch:
        patch.setattr(world.zones, "remove", silent)
        assert raptorctl("deprovision", "alice", "dev", "--keep", "1d").code == 4
    world.volumes.by_uuid.clear()
    for path in [path for path in world.files.paths if "_VARS.fd." in path]:
        world.files.remove(path)
    done = raptorctl("recover")
    assert done.code == 0, done.err
    assert not world.zones.records
    jobs = json.loads(raptorctl("job", "list", "-o", "json").out)["jobs"]
    assert [job["outcome"] for job in jobs] == ["done", "done"]


def silent(*_: object) -> None:
    raise HostError("the name server does not answer")
