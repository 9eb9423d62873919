"""A machine's CD drive on a shared host: whose the file in it is, before, while and after it runs.

Everything is looked at by other means than raptorctl: stat, virsh, the tenants themselves.
"""

import pytest

from tests.lab.host import Lab

SMALL = ("--size", "64M", "--memory", "128M", "--cpus", "6,7")
SEEDS = "/var/lib/libvirt/raptorctl"
ISO = r"""
truncate -s 128K /root/{0}.iso
printf '\001CD001\001' | dd of=/root/{0}.iso bs=1 seek=32768 conv=notrunc status=none
echo {0} >> /root/{0}.iso
"""


@pytest.fixture(scope="module")
def machine(quiet: Lab) -> Lab:
    """A host with a machine of alice's that runs, an ISO in its drive, and another tenant."""
    quiet.tenant("alice")
    quiet.tenant("bob")
    for name in ("one", "two"):
        quiet.sh(ISO.format(name))
    quiet.run("raptorctl", "provision", "alice", "dev", *SMALL, "--iso", "/root/one.iso", "-y")
    return quiet


def in_drive(lab: Lab, *live: str) -> list[str]:
    rows = lab.run("virsh", "domblklist", "alice-dev", "--details", *live).stdout.splitlines()
    return [row.split()[3] for row in rows if row.split()[1:2] == ["cdrom"]]


def copies(lab: Lab) -> list[str]:
    return lab.sh(f"ls {SEEDS}/*-cd-*.iso", check=False).stdout.split()


def test_its_qemu_alone_may_read_the_copy_and_the_cache_stays_roots(machine: Lab) -> None:
    (copy,) = in_drive(machine)
    uid = 66000 + int(machine.run("id", "-u", "alice").stdout)
    assert machine.run("stat", "-c", "%u %a", copy).stdout.split() == [str(uid), "600"]
    digest = copy.rpartition("-")[2].removesuffix(".iso")
    cached = f"/var/lib/raptorctl/images/files/{digest}"
    assert machine.run("stat", "-c", "%u", cached).stdout.split() == ["0"]
    for tenant in ("alice", "bob"):
        for path in (copy, cached):
            assert machine.run("cat", path, user=tenant, check=False).returncode != 0


def test_the_iso_is_changed_and_ejected_while_it_runs(machine: Lab) -> None:
    before = in_drive(machine)
    machine.run("raptorctl", "cdrom", "insert", "alice", "dev", "/root/two.iso")
    assert copies(machine) == in_drive(machine) == in_drive(machine, "--inactive") != before
    assert machine.run(
        "raptorctl", "cdrom", "eject", "alice", "dev", user="alice", check=False
    ).returncode
    machine.run("raptorctl", "cdrom", "eject", "alice", "dev")
    assert in_drive(machine) == in_drive(machine, "--inactive") == ["-"]
    assert copies(machine) == []


def test_what_is_inserted_again_goes_with_its_machine(machine: Lab) -> None:
    machine.run("raptorctl", "cdrom", "insert", "alice", "dev", "/root/one.iso")
    assert len(copies(machine)) == 1
    machine.run("raptorctl", "deprovision", "alice", "dev", "--force", "-y")
    assert copies(machine) == []
