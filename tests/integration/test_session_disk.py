"""Disks beside the first one, for real: libvirt's session, QEMU, files that outlive machines."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.boot_iso import boot_iso
from tests.integration.session_account import Person

SMALL = ("--memory", "256M", "--cpus", "1")
PATTERN = "0x5a"


@pytest.fixture(autouse=True)
def nothing_is_left(person: Person) -> Iterator[None]:
    yield
    for machine in json.loads(person.raptorctl("list", "-o", "json").stdout)["machines"]:
        person.raptorctl("deprovision", machine["machine"], "--force", "-y")
    for disk in disks(person).values():
        person.raptorctl("disk", "remove", f"{disk['machine']}.{disk['name']}", "-y")
    assert person.files() == set()


def disks(person: Person) -> dict[str, Any]:
    found = json.loads(person.raptorctl("disk", "list", "-o", "json").stdout)["disks"]
    return {f"{one['machine']}.{one['name']}": one for one in found}


def targets(person: Person, *live: str) -> set[str]:
    """What libvirt says of its disks: as it is defined, or as it runs."""
    domain = f"{person.login}-web"
    command = ("virsh", "-c", "qemu:///session", "domblklist", domain, *live)
    rows = person.run(*command).stdout.splitlines()[2:]
    return {row.split()[0] for row in rows if row.split()}


def on_disk(person: Person, name: str, command: str) -> str:
    path = person.data / "volumes" / f"disk-{person.login}-{name}.qcow2"
    return person.run("qemu-io", "-f", "qcow2", "-c", command, str(path)).stdout


def test_a_kept_disk_comes_back_with_its_bytes_and_the_other_goes(person: Person) -> None:
    said = ("--disk", "data=1G,keep", "--disk", "scratch=64M,bus=sata", "--no-start")
    person.raptorctl("provision", "web", *SMALL, *said, "-y")
    assert targets(person, "--inactive") == {"vda", "vdb", "sda"}
    on_disk(person, "web.data", f"write -P {PATTERN} 1M 64k")
    again = person.raptorctl("provision", "web", *SMALL, *said, "-y").stdout
    assert "is already so" in again

    person.raptorctl("deprovision", "web", "-y")
    assert [(name, one["state"]) for name, one in disks(person).items()] == [("web.data", "kept")]
    person.raptorctl("disk", "grow", "web", "data", "2G", "-y")
    assert disks(person)["web.data"]["size"] == 2 << 30

    person.raptorctl(
        "provision", "other", *SMALL, "--disk", "old=keep:web.data", "--no-start", "-y"
    )
    assert "Pattern verification failed" not in on_disk(
        person, "other.old", f"read -P {PATTERN} 1M 64k"
    )
    person.raptorctl("deprovision", "other", "-y")
    person.raptorctl("disk", "remove", "other.old", "-y")
    assert disks(person) == {}
    assert person.files() == set()


def test_disks_come_and_grow_while_it_runs(person: Person) -> None:
    person.raptorctl("provision", "web", *SMALL, "-y")
    person.raptorctl("disk", "add", "web", "one=64M", "-y")
    person.raptorctl("disk", "grow", "web", "one", "128M", "-y")
    person.raptorctl("disk", "set", "web", "one", "--keep")
    for name in ("two", "three"):
        person.raptorctl("disk", "add", "web", f"{name}=64M", "-y")
    assert targets(person) == targets(person, "--inactive") == {"vda", "vdb", "vdc", "vdd"}
    one = disks(person)["web.one"]
    assert (one["size"], one["state"], one["keep"]) == (128 << 20, "attached", True)
    person.raptorctl("stop", "web", "--timeout", "0", "--force")
    for name in ("one", "two", "three"):
        person.raptorctl("disk", "remove", "web", name, "-y")
    assert targets(person, "--inactive") == {"vda"}


def test_scsi_takes_as_many_as_are_asked_for_while_it_runs(person: Person) -> None:
    person.raptorctl("provision", "web", *SMALL, "--disk", "one=64M,bus=scsi", "-y")
    for name in ("two", "three"):
        person.raptorctl("disk", "add", "web", f"{name}=64M,bus=scsi", "-y")
    assert targets(person) == targets(person, "--inactive") == {"vda", "sda", "sdb", "sdc"}


def snapshots(person: Person) -> list[Any]:
    found: list[Any] = json.loads(person.raptorctl("snapshot", "list", "-o", "json").stdout)[
        "snapshots"
    ]
    return found


def test_all_disks_are_put_back_together_and_a_snapshot_goes_with_its_machine(
    person: Person,
) -> None:
    person.raptorctl("provision", "web", *SMALL, "--disk", "data=64M", "--no-start", "-y")
    on_disk(person, "web.data", "write -P 1 1M 64k")
    assert (
        "--size"
        in person.raptorctl("snapshot", "create", "web", "--size", "1G", check=False).stderr
    )
    person.raptorctl("snapshot", "create", "web", "before", "--all-disks")
    person.raptorctl("snapshot", "create", "web", "first")
    on_disk(person, "web.data", "write -P 2 1M 64k")
    found = [(one["name"], one["disk"], one["state"]) for one in snapshots(person)]
    assert sorted(found) == [
        ("before", "", "good"),
        ("before", "data", "good"),
        ("first", "", "good"),
    ]
    refused = person.raptorctl("disk", "grow", "web", "data", "1G", "-y", check=False)
    assert (refused.returncode, "cannot grow while it has a snapshot" in refused.stderr) == (
        3,
        True,
    )

    said = person.raptorctl("snapshot", "restore", "web", "before", "-y").stdout
    assert "has its disks of" in said
    assert "failed" not in on_disk(person, "web.data", "read -P 1 1M 64k")
    person.raptorctl("snapshot", "delete", "web", "before", "-y")
    assert [one["name"] for one in snapshots(person)] == ["first"]
    assert "first, " in person.raptorctl("show", "web").stdout
    person.raptorctl("deprovision", "web", "-y")
    assert snapshots(person) == []
    assert person.files() == set()


def test_a_machine_that_runs_stands_still_while_it_is_copied(person: Person) -> None:
    person.raptorctl("provision", "web", *SMALL, "-y")
    said = person.raptorctl("snapshot", "create", "web", "live").stderr
    assert re.search(r"suspend .*-web\n.*copy file .*\n.*let .*-web go on", said), said
    assert json.loads(person.raptorctl("show", "web", "-o", "json").stdout)["state"] == "running"
    copy = person.data / "volumes" / f"snap-{person.login}-web.live.qcow2"
    assert "No errors" in person.run("qemu-img", "check", str(copy)).stdout
    refused = person.raptorctl("snapshot", "restore", "web", "-y", check=False)
    assert (refused.returncode, "is running" in refused.stderr) == (3, True)
    copy.unlink()
    assert [one["state"] for one in snapshots(person)] == ["damaged"]
    assert "snapshot live of" in person.raptorctl("doctor", check=False).stdout
    person.raptorctl("stop", "web", "--timeout", "0", "--force")
    refused = person.raptorctl("snapshot", "restore", "web", "-y", check=False)
    assert (refused.returncode, "is damaged: its file is gone" in refused.stderr) == (3, True)
    person.raptorctl("snapshot", "delete", "web", "live", "-y")


def iso(person: Person, name: str, fill: str) -> str:
    """What our reader, and QEMU, take for an ISO."""
    path = person.home / name
    volume = bytearray(64 * 2048)
    volume[32768:32774] = b"\x01CD001"
    volume[32848:32852] = (64).to_bytes(4, "little")
    volume[32896:32898] = (2048).to_bytes(2, "little")
    volume[-8:] = fill.encode() * 8
    path.write_bytes(volume)
    path.chmod(0o644)
    return str(path)


def in_drive(person: Person, *live: str) -> list[str]:
    """The file in its CD drive, as libvirt says it; "-" for none."""
    command = ("virsh", "-c", "qemu:///session", "domblklist", f"{person.login}-web", "--details")
    rows = [row.split() for row in person.run(*command, *live).stdout.splitlines()]
    return [row[3] for row in rows if row[1:2] == ["cdrom"]]


def test_an_iso_is_booted_changed_and_ejected_while_it_runs(person: Person) -> None:
    one, two = iso(person, "one.iso", "1"), iso(person, "two.iso", "2")
    person.raptorctl("provision", "web", *SMALL, "--iso", one, "-y")
    assert "iso" in person.raptorctl("image", "list").stdout
    (first,) = in_drive(person)
    assert "is already so" in person.raptorctl("provision", "web", *SMALL, "--iso", one).stdout
    person.raptorctl("cdrom", "insert", "web", two)
    (second,) = in_drive(person)
    assert first != second
    assert in_drive(person, "--inactive") == [second]
    refused = person.raptorctl("image", "remove", "two.iso", check=False)
    assert (refused.returncode, "is in the CD drive of" in refused.stderr) == (3, True)
    person.raptorctl("cdrom", "eject", "web")
    assert in_drive(person) == in_drive(person, "--inactive") == ["-"]
    person.raptorctl("image", "remove", "two.iso")
    person.raptorctl("cdrom", "insert", "web", one)
    person.raptorctl("stop", "web", "--timeout", "0", "--force")
    Path(first).chmod(0o644)
    Path(first).write_bytes(b"cut")
    said = person.raptorctl("start", "web", check=False)
    assert (said.returncode, "cannot be read: ISO" in said.stderr) == (3, True), said.stderr
    person.raptorctl("cdrom", "eject", "web")
    person.raptorctl("start", "web")
    person.raptorctl("image", "remove", "one.iso")


def test_firmware_goes_on_from_an_empty_disk_to_the_iso(person: Person) -> None:
    made = boot_iso(person.home / "install.iso")
    made.chmod(0o644)
    person.raptorctl("provision", "web", *SMALL, "--iso", str(made), "-y")

    def said() -> str:
        return person.raptorctl("log", "web").stdout

    deadline = time.monotonic() + 120
    while "starting Boot" not in said() and time.monotonic() < deadline:
        time.sleep(0.5)
    assert re.search(r'starting Boot\w+ "UEFI QEMU DVD-ROM', said()), said()
