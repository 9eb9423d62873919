"""A machine as it is defined, as it runs, and as it was saved: three things, each asked for."""

import json
from dataclasses import replace
from typing import Any

import pytest

from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain, State
from raptorctl.model.sizes import GIB, Size
from tests.fakes import World
from tests.unit.cli.session import CommandLine

MAC, BRIDGE = "52:54:00:00:00:05", "br-vm5"


@pytest.fixture
def machine(raptorctl: CommandLine) -> None:
    """Provision alice-dev, which runs on CPUs 2 and 3."""
    typed = ("provision", "alice", "dev", "--size", "1G", "--cpus", "2,3", "-y")
    assert raptorctl(*typed).code == 0


def change(world: World, **changes: Any) -> Domain:
    (domain,) = world.domains.list()
    world.domains.by_uuid[domain.uuid] = replace(domain, **changes)
    return world.domains.by_uuid[domain.uuid]


def runs_with(world: World, **changes: Any) -> None:
    (domain,) = world.domains.list()
    change(world, live=replace(domain, xml="", places=(), **changes))


def saved_with(world: World, **changes: Any) -> None:
    (domain,) = world.domains.list()
    world.domains.save(domain.uuid)
    kept = replace(domain, xml="", places=(), **changes)
    change(world, saved=kept)


def of_bob(raptorctl: CommandLine, cpus: str, *more: str) -> tuple[int, str]:
    done = raptorctl("provision", "bob", "web", "--size", "1G", "--cpus", cpus, "-y", *more)
    return done.code, done.err


def told(raptorctl: CommandLine) -> list[str]:
    """What doctor finds wrong with machines."""
    found = json.loads(raptorctl("doctor", "-o", "json").out)["findings"]
    return [f["what"] for f in found if f["check"] == "machines" and f["verdict"] != "ok"]


@pytest.mark.usefixtures("machine")
class TestSaved:
    def test_is_a_state_of_list_and_show(self, raptorctl: CommandLine, world: World) -> None:
        saved_with(world)
        assert raptorctl("list").out.splitlines()[1].split()[2] == "saved"
        (listed,) = json.loads(raptorctl("list", "-o", "json").out)["machines"]
        assert listed["state"] == "saved"
        assert "state      saved" in raptorctl("show", "alice-dev").out

    def test_cpus_are_nobody_elses(self, raptorctl: CommandLine, world: World) -> None:
        saved_with(world, pins=CpuSet((6, 7)), emulator=CpuSet((6, 7)))
        code, said = of_bob(raptorctl, "6,7")
        assert code == 3
        assert "CPU 6,7 belongs to machine alice-dev, as it was saved: free: 4,5" in said
        shown = raptorctl("cpu", "map").out
        assert "6 alice-dev:0(saved)" in shown
        assert "2 alice-dev:0 " in shown
        assert "free: 4,5" in shown
        assert f"saved with CPUs 6,7 (emulator 6,7), {GIB * 4 // GIB}G of memory" in raptorctl(
            "show", "alice-dev"
        ).out.replace("   ", " ")

    def test_other_pins_than_defined_are_told(self, raptorctl: CommandLine, world: World) -> None:
        saved_with(world)
        assert told(raptorctl) == []
        change(world, pins=CpuSet((4, 5)), emulator=CpuSet((4, 5)), places=())
        assert told(raptorctl) == [
            "machine alice-dev was saved with CPUs 2,3; its definition says 4,5",
            "machine alice-dev was saved with the emulator on CPUs 2,3; its definition says 4,5",
        ]

    def test_what_libvirt_cannot_read_is_told(self, raptorctl: CommandLine, world: World) -> None:
        change(world, state=State.SAVED, live=None, saved=None)
        assert told(raptorctl) == [
            "machine alice-dev is saved, and libvirt cannot read what was saved",
        ]

    @pytest.mark.parametrize("wish", [("--cpus", "4,5"), ("--memory", "2G"), ("--size", "2G")])
    def test_is_not_resized_unless_the_save_is_given_up(
        self, raptorctl: CommandLine, world: World, wish: tuple[str, str]
    ) -> None:
        saved_with(world)
        before = world.picture()
        refused = raptorctl("resize", "alice", "dev", *wish, "-y")
        assert refused.code == 3
        assert "machine alice-dev is saved, and would resume with CPUs 2,3" in refused.complaint
        assert "--drop-saved" in refused.complaint
        assert world.picture() == before
        done = raptorctl("resize", "alice", "dev", *wish, "-y", "--drop-saved")
        assert done.code == 0
        assert "as if its power had been cut" in done.err
        (domain,) = world.domains.list()
        assert (domain.state, domain.saved) == (State.OFF, None)

    def test_resumes_and_says_so(self, raptorctl: CommandLine, world: World) -> None:
        saved_with(world)
        said = raptorctl("start", "alice-dev").out
        assert said.startswith("alice-dev resumes what was saved of it; ")
        assert world.domains.list()[0].state is State.RUNNING

    def test_resumes_and_says_with_what(self, raptorctl: CommandLine, world: World) -> None:
        saved_with(world, memory=Size(GIB))
        said = raptorctl("start", "alice-dev").out
        assert "resumes what was saved of it, with memory 1G, which differs" in said

    def test_is_off_already_and_that_is_said(self, raptorctl: CommandLine, world: World) -> None:
        saved_with(world)
        done = raptorctl("stop", "alice-dev")
        assert (done.code, "it is saved, and goes on when it is started" in done.out) == (0, True)

    def test_seed_is_not_taken_from_it(self, raptorctl: CommandLine, world: World) -> None:
        kept = change(world, disks=("/dev/lvm-data/guest-alice-dev", "/srv/alice-dev-seed.iso"))
        saved_with(world, disks=kept.disks)
        refused = raptorctl("seed", "detach", "alice", "dev", "-y")
        assert (refused.code, "cannot resume without its seed" in refused.complaint) == (3, True)

    @pytest.mark.parametrize(
        "typed", [("rebuild",), ("snapshot", "restore"), ("deprovision",)], ids=" ".join
    )
    def test_is_told_to_go_with_its_definition(
        self, raptorctl: CommandLine, world: World, typed: tuple[str, ...]
    ) -> None:
        if typed == ("snapshot", "restore"):
            assert raptorctl("snapshot", "create", "alice", "dev", "-y").code == 0
        assert raptorctl("stop", "alice-dev").code == 0
        assert "saved" not in raptorctl(*typed, "alice", "dev", "--dry-run").out
        change(world, state=State.SAVED)
        said = raptorctl(*typed, "alice", "dev", "--dry-run").out
        assert "what was saved of it is given up, also if this job is rolled back" in said

    def test_has_a_disk_as_after_a_power_cut(self, raptorctl: CommandLine, world: World) -> None:
        saved_with(world)
        said = raptorctl("snapshot", "create", "alice", "dev", "--dry-run").out
        assert (
            "the machine is saved: the snapshot is as its disk would be after a power cut" in said
        )


@pytest.mark.usefixtures("machine")
class TestLive:
    def test_cpus_are_nobody_elses(self, raptorctl: CommandLine, world: World) -> None:
        runs_with(world, pins=CpuSet((6, 7)), emulator=CpuSet((6,)))
        code, said = of_bob(raptorctl, "6,7")
        assert code == 3
        assert "CPU 6,7 belongs to machine alice-dev, as it runs" in said
        shown = raptorctl("cpu", "map").out
        assert "6 alice-dev:0(live) +emulator" in shown
        assert "7 alice-dev:1(live)" in shown
        pins = json.loads(raptorctl("cpu", "map", "-o", "json").out)["cpus"][7]["pins"]
        assert pins == [{"domain": "alice-dev", "vcpu": 1, "form": "live"}]

    def test_threads_of_disks_hold_their_cpus(self, raptorctl: CommandLine, world: World) -> None:
        runs_with(world, iothreads=CpuSet((7,)))
        assert of_bob(raptorctl, "6,7")[0] == 3

    def test_differences_are_told(self, raptorctl: CommandLine, world: World) -> None:
        runs_with(world)
        assert told(raptorctl) == []
        runs_with(
            world,
            pins=CpuSet((6, 7)),
            memory=Size(8 * GIB),
            macs=("52:54:00:00:00:01", MAC),
            bridges=("br-vm1", BRIDGE),
            disks=("/dev/lvm-data/guest-alice-dev", "/dev/lvm-data/more"),
        )
        assert told(raptorctl) == [
            f"machine alice-dev runs with {what}"
            for what in (
                "CPUs 6,7; its definition says 2,3",
                "memory 8G; its definition says 4G",
                f"MAC 52:54:00:00:00:01, {MAC}; its definition says 52:54:00:00:00:01",
                f"bridge br-vm1, {BRIDGE}; its definition says br-vm1",
                "disks /dev/lvm-data/guest-alice-dev, /dev/lvm-data/more; its definition says "
                "/dev/lvm-data/guest-alice-dev",
            )
        ]

    def test_backing_files_that_only_what_runs_names_are_no_difference(
        self, raptorctl: CommandLine, world: World
    ) -> None:
        (domain,) = world.domains.list()
        runs_with(world, disks=(*domain.disks, "/srv/base"), layers=("/srv/base",))
        assert told(raptorctl) == []

    @pytest.mark.parametrize("what", [{"macs": (MAC,)}, {"bridges": (BRIDGE,)}])
    def test_a_slot_that_it_was_plugged_into_is_taken(
        self, raptorctl: CommandLine, world: World, what: dict[str, Any]
    ) -> None:
        runs_with(world, **what)
        code, said = of_bob(raptorctl, "4,5", "--slot", "5")
        assert (code, "alice-dev has it" in said) == (3, True)

    def test_memory_is_not_promised_twice(self, raptorctl: CommandLine, world: World) -> None:
        runs_with(world, memory=Size(14 * GIB))  # of 16
        code, said = of_bob(raptorctl, "4,5")
        assert (code, "14G is promised to other machines" in said) == (3, True)

    def test_a_disk_that_is_plugged_in_is_in_use(
        self, raptorctl: CommandLine, world: World
    ) -> None:
        assert of_bob(raptorctl, "4,5")[0] == 0
        alice = next(d for d in world.domains.list() if d.name == "alice-dev")
        disk = "/dev/lvm-data/guest-bob-web"
        live = replace(alice, live=replace(alice, xml="", disks=(*alice.disks, disk)))
        world.domains.by_uuid[alice.uuid] = live
        refused = raptorctl("deprovision", "bob", "web", "-y")
        assert (refused.code, "domain alice-dev uses volume" in refused.complaint) == (3, True)

    def test_two_on_a_cpu_are_told(self, raptorctl: CommandLine, world: World) -> None:
        assert of_bob(raptorctl, "6,7")[0] == 0
        alice = next(d for d in world.domains.list() if d.name == "alice-dev")
        live = replace(alice, live=replace(alice, xml="", places=(), pins=CpuSet((6, 7))))
        world.domains.by_uuid[alice.uuid] = live
        assert "alice-dev and bob-web share CPU 6,7" in raptorctl("doctor").out
        assert "note: CPU 6 has " in raptorctl("cpu", "map").out

    def test_resize_to_what_is_defined_moves_it_back(
        self, raptorctl: CommandLine, world: World
    ) -> None:
        runs_with(world, pins=CpuSet((6, 7)), emulator=CpuSet((6,)))
        assert raptorctl("resize", "alice", "dev", "--cpus", "2,3", "-y").code == 0
        (domain,) = world.domains.list()
        assert world.domains.pinned[domain.uuid] == (CpuSet((2, 3)), CpuSet((2, 3)))

    def test_provision_of_it_is_not_already_so(self, raptorctl: CommandLine, world: World) -> None:
        runs_with(world, pins=CpuSet((6, 7)))
        typed = ("provision", "alice", "dev", "--size", "1G", "--cpus", "2,3", "-y")
        refused = raptorctl(*typed)
        assert refused.code == 3
        assert "it runs with CPUs 6,7, not 2,3" in refused.err


@pytest.mark.usefixtures("machine")
class TestCpusThatCannotBeUsed:
    @pytest.fixture
    def off(self, raptorctl: CommandLine, machine: None) -> None:
        assert raptorctl("stop", "alice-dev").code == 0

    @pytest.fixture
    def offline(self, machine: None, world: World) -> None:
        cpus = tuple(cpu for cpu in world.topology.cpus if cpu.number != 3)
        world.topology = replace(world.topology, cpus=cpus)

    @pytest.fixture
    def bounded(self, machine: None, world: World) -> None:
        world.topology = replace(world.topology, allowed=CpuSet((0, 1, 2, 4)))

    @pytest.mark.usefixtures("offline")
    def test_an_offline_one_is_told(self, raptorctl: CommandLine) -> None:
        said = "machine alice-dev is pinned to CPU 3, which is not online"
        assert told(raptorctl) == [said]
        shown = raptorctl("cpu", "map")
        assert "note: CPU 3 is not online, and alice-dev:1 is pinned to it" in shown.out
        (pin,) = json.loads(raptorctl("cpu", "map", "-o", "json").out)["offline"]
        assert pin == {"cpu": 3, "domain": "alice-dev", "vcpu": 1, "form": "defined"}

    @pytest.mark.usefixtures("bounded")
    def test_one_that_the_slice_may_not_use_is_told(self, raptorctl: CommandLine) -> None:
        said = "pinned to CPU 3, which machine.slice may not use (it has 0-2,4)"
        assert told(raptorctl) == [f"machine alice-dev is {said}"]
        shown = raptorctl("cpu", "map").out
        assert "3 alice-dev:1 +emulator not machine.slice's" in shown
        assert "free: 4\n" in shown
        assert max(map(len, shown.splitlines())) <= 80

    def test_the_map_of_long_names_is_narrow_and_loses_none(
        self, raptorctl: CommandLine, world: World
    ) -> None:
        (alice,) = world.domains.list()
        for letter in "abc":
            name = f"{letter * 16}-{letter * 40}"
            other = replace(alice, name=name, uuid=f"{letter}{alice.uuid[1:]}")
            world.domains.by_uuid[other.uuid] = other
        shown = raptorctl("cpu", "map").out.partition("\n\n")[0]
        assert max(map(len, shown.splitlines())) <= 80
        for letter in "abc":
            assert f" {letter * 16}-{letter * 40}:1" in shown

    @pytest.mark.usefixtures("off", "offline")
    def test_start_names_the_machine_and_the_offline_cpu(
        self, raptorctl: CommandLine, world: World
    ) -> None:
        for typed in (
            ("start", "alice-dev"),
            ("provision", "alice", "dev", "--size", "1G", "--cpus", "2,3", "-y"),
            ("rebuild", "alice", "dev", "-y"),
        ):
            refused = raptorctl(*typed)
            assert refused.code == 3
            assert "machine alice-dev cannot start: it is pinned to CPU 3, which is not online" in (
                refused.complaint
            )
        assert world.domains.list()[0].state is State.OFF

    @pytest.mark.usefixtures("off", "bounded")
    def test_start_names_the_slice(self, raptorctl: CommandLine) -> None:
        refused = raptorctl("start", "alice-dev")
        assert "alice-dev cannot start: it is pinned to CPU 3, which machine.slice may not use" in (
            refused.complaint
        )

    @pytest.mark.usefixtures("bounded")
    def test_a_new_machine_does_not_get_them(self, raptorctl: CommandLine) -> None:
        code, said = of_bob(raptorctl, "4,6")
        assert code == 3
        assert "machine.slice may not use CPU 6" in said
        assert "free: 4;" in said

    @pytest.mark.usefixtures("off", "offline")
    def test_one_that_may_run_elsewhere_too_starts(
        self, raptorctl: CommandLine, world: World
    ) -> None:
        """The kernel takes what is left of a set (sched_setaffinity(2))."""
        change(world, places=(CpuSet((2, 3)), CpuSet((2,))))
        assert raptorctl("start", "alice-dev").code == 0


@pytest.mark.usefixtures("machine")
class TestRunning:
    """What is asked to run runs afterwards, or it is said why not."""

    AGAIN = ("provision", "alice", "dev", "--size", "1G", "--cpus", "2,3", "-y")

    @pytest.mark.parametrize("state", [State.OFF, State.PAUSED, State.SUSPENDED, State.SAVED])
    @pytest.mark.parametrize("typed", [AGAIN, ("start", "alice-dev")])
    def test_a_machine_that_stands_runs_again(
        self, raptorctl: CommandLine, world: World, state: State, typed: tuple[str, ...]
    ) -> None:
        change(world, state=state)
        done = raptorctl(*typed)
        assert (done.code, world.domains.list()[0].state) == (0, State.RUNNING)
        assert "already" not in done.out

    @pytest.mark.parametrize("state", [State.SHUTTING_DOWN, State.CRASHED, State.UNKNOWN])
    @pytest.mark.parametrize("typed", [AGAIN, ("start", "alice-dev"), ("resume", "alice-dev")])
    def test_one_that_cannot_run_now_is_not_called_so(
        self, raptorctl: CommandLine, world: World, state: State, typed: tuple[str, ...]
    ) -> None:
        change(world, state=state)
        refused = raptorctl(*typed)
        assert (refused.code, world.domains.list()[0].state) == (3, state)
        assert f"alice-dev is {state.value}: raptorctl stop alice-dev" in refused.complaint

    @pytest.mark.parametrize("verb", ["reboot", "reset"])
    def test_one_that_stands_still_does_not_boot(
        self, raptorctl: CommandLine, world: World, verb: str
    ) -> None:
        change(world, state=State.PAUSED)
        refused = raptorctl(verb, "alice-dev")
        assert refused.complaint.endswith("alice-dev is paused: raptorctl resume alice-dev")
        assert world.domains.reboots == world.domains.resets == []

    def test_one_that_is_not_to_start_is_left_as_it_is(
        self, raptorctl: CommandLine, world: World
    ) -> None:
        change(world, state=State.OFF)
        done = raptorctl(*self.AGAIN, "--no-start")
        assert (done.code, world.domains.list()[0].state) == (0, State.OFF)
        assert "already so" in done.out
