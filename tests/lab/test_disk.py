"""Disks beside a machine's first one: kept with their bytes, plugged in, wiped when they go.

Everything is looked at by other means than raptorctl: lvs, virsh, raw bytes, the disk below LVM.
"""

import pytest

from tests.lab.drive import fields
from tests.lab.host import Lab
from tests.lab.test_machine import volumes

KEPT = "disk-alice-dev.data"
TAKEN = "disk-alice-web.old"
PATTERN = "years of work"
SMALL = ("--size", "64M", "--memory", "128M", "--cpus", "6,7")


@pytest.fixture(scope="module")
def machine(quiet: Lab) -> Lab:
    """A host with alice's machine, running, that has a disk more, written on."""
    quiet.tenant("alice")
    quiet.run("raptorctl", "provision", "alice", "dev", *SMALL, "--disk", "data=64M,keep", "-y")
    quiet.sh(
        f"dd if=<(yes {PATTERN}) of=/dev/lvm-data/{KEPT} bs=1M count=8 iflag=fullblock oflag=direct"
    )
    return quiet


def blocks(lab: Lab, *live: str) -> set[str]:
    """The devices of alice's machine, as libvirt says: as it runs, or as it is defined."""
    rows = lab.run("virsh", "domblklist", "alice-dev", *live).stdout.splitlines()[2:]
    return {row.split()[1] for row in rows if row.split()}


def digest(lab: Lab, name: str) -> str:
    return lab.sh(f"dd if=/dev/lvm-data/{name} bs=1M iflag=direct status=none | sha256sum").stdout


def test_a_disk_is_a_volume_of_its_own_that_was_zeroed_before_the_guest_had_it(
    machine: Lab,
) -> None:
    tags = set(volumes(machine)[KEPT].split(","))
    assert {
        "raptor",
        "raptor.tenant=alice",
        "raptor.disk=data",
        "raptor.keep",
        "raptor.clean",
    } < tags
    said = machine.sh(
        f"dd if=/dev/lvm-data/{KEPT} bs=1M skip=8 iflag=direct status=none | tr -d '\\0' | wc -c"
    )
    assert int(said.stdout) == 0
    assert blocks(machine) == {f"/dev/lvm-data/{one}" for one in ("guest-alice-dev", KEPT)}


def test_a_disk_is_plugged_into_a_machine_that_runs_and_is_defined_as_well(machine: Lab) -> None:
    machine.run("raptorctl", "disk", "add", "alice", "dev", "more=32M", "-y")
    more = "/dev/lvm-data/disk-alice-dev.more"
    assert more in blocks(machine) & blocks(machine, "--inactive")
    assert machine.run("virsh", "domstate", "alice-dev").stdout.strip() == "running"


def test_all_disks_are_of_one_moment_and_are_put_back_together(machine: Lab) -> None:
    before = digest(machine, KEPT)
    taken = {"snap-alice-dev.first", "snap-alice-dev.first.data"}
    machine.run("raptorctl", "snapshot", "create", "alice", "dev", "first", "--all-disks")
    assert machine.run("virsh", "domstate", "alice-dev").stdout.strip() == "running"
    assert taken < set(volumes(machine))
    machine.run("raptorctl", "stop", "alice", "dev", "--timeout", "0", "--force")
    machine.sh(f"dd if=/dev/zero of=/dev/lvm-data/{KEPT} bs=1M count=8 oflag=direct")
    assert digest(machine, KEPT) != before
    machine.run("raptorctl", "snapshot", "restore", "alice", "dev", "-y")
    assert digest(machine, KEPT) == before
    machine.run("raptorctl", "snapshot", "delete", "alice", "dev", "first", "-y")
    assert not taken & set(volumes(machine))
    machine.run("raptorctl", "start", "alice", "dev")


def test_what_is_kept_outlives_its_machine_and_comes_back_with_its_bytes(machine: Lab) -> None:
    before = digest(machine, KEPT)
    machine.run("raptorctl", "deprovision", "alice", "dev", "--force", "-y")
    assert set(volumes(machine)) == {KEPT}
    machine.run(
        "raptorctl", "provision", "alice", "web", *SMALL,
        "--disk", "old=keep:dev.data", "--no-start", "-y",
    )  # fmt: skip
    assert set(volumes(machine)) == {"guest-alice-web", TAKEN}
    assert digest(machine, TAKEN) == before


def test_a_disk_that_is_removed_leaves_no_byte_below_lvm(machine: Lab) -> None:
    where, extent = fields(machine, TAKEN, "seg_pe_ranges,vg_extent_size")
    device, _, extents = where.partition(":")
    first, _, last = extents.partition("-")
    start = machine.run(
        "pvs", "--noheadings", "--nosuffix", "--units", "b", "-o", "pe_start", device
    ).stdout
    skip = int(start) + int(first) * int(extent)
    count = (int(last) - int(first) + 1) * int(extent)
    below = (
        f"dd if={device} bs=64K iflag=direct,skip_bytes,count_bytes skip={skip} count={count} "
        f"status=none | grep -c -a '{PATTERN}'"
    )
    assert int(machine.sh(below, check=False).stdout) > 0
    machine.run("raptorctl", "disk", "remove", "alice", "web", "old", "-y")
    assert set(volumes(machine)) == {"guest-alice-web"}
    assert int(machine.sh(below, check=False).stdout) == 0
    assert TAKEN not in machine.run("virsh", "dumpxml", "alice-web").stdout
