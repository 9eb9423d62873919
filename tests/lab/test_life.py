"""A machine between its first day and its last: its disk grows, is kept, put back; it moves.

Everything is looked at by other means than raptorctl: lvs, virsh, raw bytes, the disk below LVM.
"""

import json

import pytest

from tests.lab.drive import fields
from tests.lab.host import Lab
from tests.lab.test_kill import SUICIDE, killed, recovered
from tests.lab.test_machine import nothing_is_left, volumes

VOLUME = "guest-alice-dev"
PATH = f"/dev/lvm-data/{VOLUME}"
SNAPSHOT = "snap-alice-dev.before"
MIB = 1 << 20

NOISE = """
lvcreate --yes -Wn -Zn -L 512m -n zz-noise lvm-data
head -c 512M /dev/zero | tr '\\0' '\\245' | dd of=/dev/lvm-data/zz-noise bs=1M iflag=fullblock oflag=direct
lvremove --yes lvm-data/zz-noise
"""
"""Fills what is free with something that a guest must never see."""


@pytest.fixture(scope="module")
def machine(quiet: Lab) -> Lab:
    """A host with alice's machine, running, on a group that has been used before."""
    quiet.tenant("alice")
    quiet.put(SUICIDE, "/root/suicide.py")
    quiet.sh(NOISE)
    quiet.run("raptorctl", "provision", "alice", "dev", "--size", "64M", "--memory", "128M",
              "--cpus", "6,7", "-y")  # fmt: skip
    return quiet


def raptorctl(lab: Lab, *words: str) -> str:
    return lab.run("raptorctl", *words).stdout


def size(lab: Lab, name: str = VOLUME) -> int:
    return int(fields(lab, name, "lv_size")[0])


def tags(lab: Lab, name: str = VOLUME) -> set[str]:
    return set(volumes(lab)[name].split(","))


def not_zero(lab: Lab, path: str, start: int) -> int:
    """How many bytes of a device are not zero from `start` MiB on."""
    said = lab.sh(f"dd if={path} bs=1M skip={start} iflag=direct status=none | tr -d '\\0' | wc -c")
    return int(said.stdout)


def digest(lab: Lab) -> str:
    return lab.sh(f"dd if={PATH} bs=1M iflag=direct status=none | sha256sum").stdout


def write(lab: Lab, start: int, count: int, what: str) -> None:
    """Write on the machine's disk behind its back: `count` MiB from `start` MiB on."""
    full = f"bs=1M seek={start} count={count} iflag=fullblock oflag=direct"
    lab.sh(f"(yes {what} || true) | dd of={PATH} {full}")


def capacity(lab: Lab) -> int:
    """What the running guest sees of its disk."""
    said = lab.run("virsh", "domblkinfo", "alice-dev", PATH).stdout
    return int(next(line.split()[1] for line in said.splitlines() if line.startswith("Capacity")))


def off(lab: Lab) -> None:
    lab.run("virsh", "destroy", "alice-dev", check=False)


def test_the_disk_of_a_running_guest_grows_by_nothing_but_zeroes(machine: Lab) -> None:
    raptorctl(machine, "resize", "alice", "dev", "--size", "128M", "-y")
    assert (size(machine), capacity(machine)) == (128 * MIB, 128 * MIB)
    assert not_zero(machine, PATH, 64) == 0
    marks = [tag.partition("=")[0] for tag in tags(machine) if tag.startswith("raptor.grow")]
    assert marks == ["raptor.grown"]
    assert set(volumes(machine)) == {VOLUME}
    assert machine.run("virsh", "domstate", "alice-dev").stdout.strip() == "running"


def test_the_same_size_again_is_already_so_and_a_smaller_one_is_refused(machine: Lab) -> None:
    assert "already so" in raptorctl(machine, "resize", "alice", "dev", "--size", "128M", "-y")
    done = machine.run("raptorctl", "resize", "alice", "dev", "--size", "64M", "-y", check=False)
    assert (done.returncode, "only grows" in done.stderr) == (3, True)
    assert size(machine) == 128 * MIB


def test_as_many_cpus_are_moved_at_once(machine: Lab) -> None:
    raptorctl(machine, "resize", "alice", "dev", "--cpus", "4,5", "-y")
    for state in ("--live", "--config"):
        pins = machine.run("virsh", "vcpupin", "alice-dev", state).stdout.split("\n")[2:4]
        assert [line.split() for line in pins] == [["0", "4"], ["1", "5"]]
        said = machine.run("virsh", "emulatorpin", "alice-dev", state).stdout
        assert said.split()[-1] in {"4-5", "4,5"}


def test_memory_and_the_number_of_cpus_wait_for_the_next_start(machine: Lab) -> None:
    done = machine.run(
        "raptorctl", "resize", "alice", "dev", "--cpus", "4-4", "--memory", "192M", "-y"
    )
    assert "until then it runs with 2 CPUs on 4,5 and 128M of memory" in done.stderr
    counts = [machine.run("virsh", "vcpucount", "alice-dev", "--current", state).stdout.strip()
              for state in ("--live", "--config")]  # fmt: skip
    assert counts == ["2", "1"]
    machine.sh(
        "virsh dumpxml --inactive alice-dev >/tmp/d.xml; virt-xml-validate /tmp/d.xml domain"
    )
    off(machine)
    machine.run("virsh", "start", "alice-dev")
    assert (
        machine.run("virsh", "vcpucount", "alice-dev", "--live", "--current").stdout.strip() == "1"
    )
    assert f"{192 * 1024} KiB" in machine.run("virsh", "dominfo", "alice-dev").stdout


def test_autostart(machine: Lab) -> None:
    for word, there in (("off", False), ("on", True)):
        raptorctl(machine, "autostart", "alice", "dev", word)
        said = machine.run("virsh", "list", "--autostart", "--all", "--name").stdout.split()
        assert ("alice-dev" in said) is there


def test_a_snapshot_of_a_running_machine(machine: Lab) -> None:
    raptorctl(machine, "snapshot", "create", "alice", "dev", "before", "--size", "32M", "-y")
    assert fields(machine, SNAPSHOT, "origin", "lv_size") == [VOLUME, str(32 * MIB)]
    assert {"raptor", "raptor.tenant=alice"} <= tags(machine, SNAPSHOT)
    (told,) = json.loads(raptorctl(machine, "snapshot", "list", "-o", "json"))["snapshots"]
    assert (told["name"], told["size"], told["state"]) == ("before", 32 * MIB, "good")
    (uuid,) = fields(machine, SNAPSHOT, "lv_uuid")
    assert told["uuid"] == uuid


def test_with_a_snapshot_it_neither_grows_nor_is_restored_while_it_runs(machine: Lab) -> None:
    for words, says in (
        (("resize", "alice", "dev", "--size", "160M", "-y"), "cannot grow while it has a snapshot"),
        (("snapshot", "restore", "alice", "dev", "-y"), "raptorctl stop alice-dev"),
    ):
        done = machine.run("raptorctl", *words, check=False)
        assert (done.returncode, says in done.stderr) == (3, True)
    assert size(machine) == 128 * MIB


def test_a_restored_disk_is_as_it_was_byte_by_byte_and_more_than_once(machine: Lab) -> None:
    off(machine)
    # The snapshot shows the moment it was taken, whatever the guest has written since.
    before = machine.sh(f"sha256sum </dev/lvm-data/{SNAPSHOT}").stdout
    xml = machine.run("virsh", "dumpxml", "--inactive", "alice-dev").stdout
    for start in (0, 100):
        write(machine, start, 4, "changed")
        assert digest(machine) != before
        raptorctl(machine, "snapshot", "restore", "alice", "dev", "before", "-y")
        assert digest(machine) == before
    assert machine.sh(f"sha256sum </dev/lvm-data/{SNAPSHOT}").stdout == before
    assert float(fields(machine, SNAPSHOT, "snap_percent")[0]) < 40  # 8 of 32 MiB, and no more
    assert machine.run("virsh", "dumpxml", "--inactive", "alice-dev").stdout == xml
    assert "alice-dev" in machine.run("virsh", "list", "--autostart", "--all", "--name").stdout


@pytest.mark.long
def test_killed_while_it_restores_it_is_finished(machine: Lab) -> None:
    before = machine.sh(f"sha256sum </dev/lvm-data/{SNAPSHOT}").stdout
    write(machine, 8, 1, "changed")
    killed(machine, "DONE", 1, "snapshot", "restore", "alice", "dev", "-y")
    assert recovered(machine) == "done"
    assert digest(machine) == before
    assert "alice-dev" in machine.run("virsh", "list", "--all", "--name").stdout


def test_nothing_that_a_deleted_snapshot_kept_is_on_the_disk(machine: Lab) -> None:
    (where,) = fields(machine, SNAPSHOT, "seg_pe_ranges")
    disk, _, span = where.partition(":")
    first, last = map(int, span.split("-"))
    said = machine.run(
        "pvs", "--noheadings", "--units", "b", "--nosuffix", "-o", "pe_start", disk
    ).stdout
    start = int(said) + first * 4 * MIB
    read = (
        f"dd if={disk} bs=1M iflag=direct,skip_bytes,count_bytes skip={start} "
        f"count={(last - first + 1) * 4 * MIB} status=none | tr -d '\\0' | wc -c"
    )
    assert int(machine.sh(read).stdout) > 0
    raptorctl(machine, "snapshot", "delete", "alice", "dev", "before", "-y")
    assert set(volumes(machine)) == {VOLUME}
    assert int(machine.sh(read).stdout) == 0


def test_an_overflowed_snapshot_is_said_to_be_so_and_goes(machine: Lab) -> None:
    raptorctl(machine, "snapshot", "create", "alice", "dev", "small", "--size", "4M", "-y")
    write(machine, 0, 8, "overflow")
    (told,) = json.loads(raptorctl(machine, "snapshot", "list", "-o", "json"))["snapshots"]
    assert told["state"] == "overflowed"
    raptorctl(machine, "snapshot", "delete", "alice", "dev", "small", "-y")
    assert set(volumes(machine)) == {VOLUME}


@pytest.mark.parametrize(
    ("kind", "step", "outcome"),
    [
        pytest.param("DONE", 1, "rolled back", marks=pytest.mark.long),
        ("INTENT", 2, "done"),
    ],
)
def test_a_growth_killed_is_undone_or_finished(
    machine: Lab, kind: str, step: int, outcome: str
) -> None:
    before = size(machine)
    words = ("resize", "alice", "dev", "--size", f"{before // MIB + 32}M", "-y")
    killed(machine, kind, step, *words)
    assert recovered(machine) == outcome
    grown = 32 * MIB if outcome == "done" else 0
    assert size(machine) == before + grown
    assert set(volumes(machine)) == {VOLUME}
    assert not any(tag.startswith("raptor.growing") for tag in tags(machine))
    assert not_zero(machine, PATH, before // MIB) == 0


def test_a_machine_goes_with_its_snapshots(machine: Lab) -> None:
    raptorctl(machine, "start", "alice", "dev")
    for name in ("one", "two"):
        raptorctl(machine, "snapshot", "create", "alice", "dev", name, "--size", "8M", "-y")
    done = machine.run("raptorctl", "deprovision", "alice", "dev", "-y")
    assert done.stdout.count("wiped") == 3
    nothing_is_left(machine)
