"""Parts of the real host fail in the middle of a job: it is as before, or as wished, and says so."""

import pytest

from tests.lab.host import Lab
from tests.lab.test_machine import nothing_is_left, volumes

SMALL = ("raptorctl", "provision", "alice", "dev", "--size", "64M", "--cpus", "6-6", "--slot", "1",
         "--no-start", "-y")  # fmt: skip
REMOVE = ("raptorctl", "deprovision", "alice", "dev", "-y")
JOURNAL = "/var/lib/raptorctl/journal"


@pytest.fixture(scope="module", autouse=True)
def _alice(lab: Lab) -> None:
    lab.tenant("alice")


def settled(lab: Lab, code: int) -> None:
    """What is open is recovered; then there is a whole machine or none, which goes."""
    if code == 4:
        lab.run("raptorctl", "recover")
    assert lab.sh(f"ls {JOURNAL}/*.jsonl", check=False).stdout == ""
    if volumes(lab):
        lab.run("raptorctl", "show", "alice", "dev")
        lab.run(*REMOVE)
    nothing_is_left(lab)


@pytest.mark.parametrize("room", ["64k", "160k"])
def test_a_full_disk_under_the_journal_leaves_nothing(lab: Lab, room: str) -> None:
    lab.sh(
        f"mount -t tmpfs -o size={room},mode=700 none {JOURNAL}; mkdir -p {JOURNAL}/done; "
        f"dd if=/dev/zero of={JOURNAL}/full bs=4k status=none || true"
    )
    done = lab.run(*SMALL, check=False)
    lab.sh(f"umount {JOURNAL}")
    assert done.returncode in {1, 3}, done.stderr
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr
    nothing_is_left(lab)


@pytest.mark.parametrize("command", [SMALL, REMOVE], ids=["provision", "deprovision"])
def test_libvirtd_restarted_in_the_middle(lab: Lab, command: tuple[str, ...]) -> None:
    if command is REMOVE:
        lab.run(*SMALL)
    script = f"""
    {" ".join(command)} >/tmp/said 2>&1 </dev/null & job=$!
    until [ -e {JOURNAL}/*.jsonl ] && grep -q '"INTENT"' {JOURNAL}/*.jsonl; do sleep 0.1; done
    for again in 1 2 3; do systemctl restart libvirtd; sleep 1; done
    wait $job && code=0 || code=$?
    cat /tmp/said >&2
    exit $code
    """
    lab.sh("systemctl reset-failed libvirtd")
    done = lab.sh(script, check=False)
    assert done.returncode in {0, 1, 4}, done.stderr
    assert "Traceback" not in done.stderr
    settled(lab, done.returncode)


def test_a_volume_that_somebody_holds_open_is_not_removed(lab: Lab) -> None:
    lab.run(*SMALL)
    lab.sh("setsid sleep 600 </dev/lvm-data/guest-alice-dev >/dev/null 2>&1 &")
    done = lab.run(*REMOVE, check=False)
    assert done.returncode == 3
    assert "volume guest-alice-dev is open" in done.stderr
    assert "raptor.clean" in volumes(lab)["guest-alice-dev"]
    lab.sh("pkill -x sleep || true")
    lab.run(*REMOVE)
    nothing_is_left(lab)


def test_a_group_that_fills_up_meanwhile_is_told_and_leaves_nothing(lab: Lab) -> None:
    """Somebody takes the room between our look and our lvcreate."""
    script = f"""
    cd /usr/sbin
    mv lvcreate lvcreate.real
    trap 'mv /usr/sbin/lvcreate.real /usr/sbin/lvcreate; lvremove -qq -y lvm-data/hog' EXIT
    printf '#!/bin/sh\\nlvm lvcreate -qq -y -Zn -Wn -l 100%%FREE -n hog lvm-data\\nexec lvm lvcreate "$@"\\n' >lvcreate
    chmod 755 lvcreate
    {" ".join(SMALL)} </dev/null
    """
    done = lab.sh(script, check=False)
    assert done.returncode == 1, done.stderr
    assert "lvcreate failed" in done.stderr
    assert "rolled back" in done.stderr
    nothing_is_left(lab)
