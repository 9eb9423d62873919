"""The host is not as it should be: one clear line, the right exit code, and nothing touched."""

import re

import pytest

from tests.lab.host import Lab
from tests.lab.test_boundary import WALLS
from tests.lab.test_machine import PROVISION, dig, domains, nothing_is_left, volumes
from tests.lab.test_self import TEXTFILE

SETTINGS = "/etc/raptorctl/settings.toml"


def refused(lab: Lab, *command: str, code: int, says: str) -> None:
    done = lab.run(*command, check=False)
    assert says in done.stderr
    assert (done.returncode, done.stdout) == (code, "")
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


@pytest.mark.parametrize(
    ("break_it", "mend_it", "code", "says"),
    [
        ("systemctl stop named", "systemctl start named", 3, "does not answer"),
        ("systemctl stop libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd",
         "systemctl start libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket", 3, "libvirt"),
        ("vgrename lvm-data other", "vgrename other lvm-data", 3, "volume group lvm-data"),
        ("ip link set br-vm1 down", "ip link set br-vm1 up", 3, "br-vm1 is down"),
    ],
)  # fmt: skip
def test_a_part_that_is_missing_or_wrong_is_named(
    lab: Lab, break_it: str, mend_it: str, code: int, says: str
) -> None:
    lab.sh(break_it)
    try:
        refused(lab, *PROVISION, "--slot", "1", code=code, says=says)
    finally:
        lab.sh(mend_it)
    nothing_is_left(lab)


def test_what_is_somebody_elses_is_refused_by_name(lab: Lab) -> None:
    lab.sh("lvcreate -y -L 64M -n guest-alice-dev lvm-data")
    refused(lab, *PROVISION, code=3, says="volume guest-alice-dev exists and is not raptorctl's")
    refused(lab, "raptorctl", "deprovision", "alice", "dev", "-y", code=3, says="not raptorctl's")
    lab.sh("lvremove -y lvm-data/guest-alice-dev")
    xml = "<domain type='qemu'><name>alice-dev</name><memory>65536</memory><os><type>hvm</type></os></domain>"
    lab.put(xml, "/tmp/alice.xml")
    lab.run("virsh", "define", "/tmp/alice.xml")
    refused(lab, *PROVISION, code=3, says="domain alice-dev exists and is not raptorctl's")
    refused(lab, "raptorctl", "deprovision", "alice", "dev", "-y", code=3, says="not raptorctl's")
    assert domains(lab) == ["alice-dev"]
    lab.run("virsh", "undefine", "alice-dev")


def test_a_name_that_dns_has_already_is_refused(lab: Lab) -> None:
    update = "server 127.0.0.1\nzone raptor.example\nupdate add alice-dev.raptor.example 60 A 192.0.2.9\nsend\n"
    lab.run("nsupdate", "-k", "/etc/raptorctl/tsig.key", input=update)
    refused(lab, *PROVISION, code=3, says="192.0.2.9")
    assert dig(lab, "alice-dev.raptor.example", "A") == ["192.0.2.9"]
    lab.run("nsupdate", "-k", "/etc/raptorctl/tsig.key", input=update.replace(" add ", " delete "))


def test_a_failure_in_the_middle_leaves_the_host_as_before(lab: Lab) -> None:
    # A machine type that QEMU does not have passes every check of ours and fails at the define.
    lab.sh(f"sed -i.keep 's/pc-q35-9.1/pc-q35-0.1/' {SETTINGS}")
    done = lab.run(*PROVISION, check=False)
    lab.sh(f"mv {SETTINGS}.keep {SETTINGS}")
    assert done.returncode == 1
    assert "rolled back" in done.stderr
    nothing_is_left(lab)


def test_dns_down_at_removal_finishes_the_rest_and_recover_does_dns(lab: Lab) -> None:
    lab.run(*PROVISION, "--no-start")
    lab.sh("systemctl stop named")
    done = lab.run("raptorctl", "deprovision", "alice", "dev", "-y", check=False)
    lab.sh("systemctl start named")
    assert done.returncode == 4
    assert "raptorctl recover" in done.stderr
    assert (volumes(lab), domains(lab)) == ({}, [])
    assert dig(lab, "alice-dev.raptor.example", "A") == ["198.51.100.1"]
    lab.run("raptorctl", "recover")
    nothing_is_left(lab)


def test_asked_to_stop_in_the_middle_it_rolls_back(lab: Lab) -> None:
    command = " ".join([*PROVISION[:5], "20G", *PROVISION[6:]])
    script = f"{command} & pid=$!; while ! lvs lvm-data/guest-alice-dev; do sleep 0.1; done; kill -TERM $pid; wait $pid"
    done = lab.sh(script, check=False)
    assert done.returncode == 143, done.stderr
    nothing_is_left(lab)


def test_doctor_is_content_with_a_pristine_host_and_names_what_is_not(lab: Lab) -> None:
    lab.put("", TEXTFILE)  # as the timer would
    done = lab.run("raptorctl", "doctor", check=False)
    assert done.returncode == 0, done.stdout
    assert re.search(r"^ok +page ", done.stdout, re.MULTILINE), done.stdout
    assert not [what for what in (*WALLS, "br-vm3") if what in done.stdout]
    lab.sh("ip link set br-vm3 down; systemctl stop named")
    done = lab.run("raptorctl", "doctor", check=False)
    lab.sh("ip link set br-vm3 up; systemctl start named")
    assert done.returncode != 0
    assert "br-vm3" in done.stdout
    assert "named" in done.stdout or "DNS" in done.stdout


LOSE_A_DISK = """
truncate -s 600M /var/tmp/p2
loop=$(losetup -f --show /var/tmp/p2)
pvcreate -ffqy $loop && vgextend -q lvm-data $loop
lvcreate -qy -n other -L 300M lvm-data $loop
lvchange -an lvm-data/other && losetup -d $loop
"""
FIND_IT_AGAIN = """
loop=$(losetup -f --show /var/tmp/p2)
lvremove -qy lvm-data/other; vgreduce -q lvm-data $loop; pvremove -qy $loop
losetup -d $loop; rm /var/tmp/p2
"""


def test_a_group_that_misses_a_disk_is_told_by_doctor_and_refused_before_a_job_begins(
    lab: Lab,
) -> None:
    lab.sh(LOSE_A_DISK)
    try:
        doctor = lab.run("raptorctl", "doctor", check=False)
        refused = lab.run(*PROVISION, check=False)
    finally:
        lab.sh(FIND_IT_AGAIN)
    for done in (doctor, refused):
        assert "misses a disk" in done.stdout + done.stderr
        assert done.returncode == 3
    assert "vgreduce --removemissing lvm-data" in refused.stderr
    nothing_is_left(lab)
