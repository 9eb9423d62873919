"""SIGKILL at each step: `recover` leaves the host as before or as wished.

The command kills itself from within, at a line of the journal: instead of writing DONE (the act is
done, but nobody wrote it down), or right after INTENT (nothing is done yet). Every line, before and
after, is killed in tests/unit/engine/; here are those that leave something else in LVM, libvirt,
named or the accounts, which only the real ones can show to be taken back.
"""

import json

import pytest

from tests.lab.host import Lab
from tests.lab.test_machine import nothing_is_left, volumes

SUICIDE = """
import os, signal, sys
from raptorctl.engine.journal import Journal
kind, step = sys.argv.pop(1), int(sys.argv.pop(1))
write = Journal.write
def deadly(self, line, **data):
    here = line == kind and data.get("step") == step
    if here and line == "DONE":
        os.kill(os.getpid(), signal.SIGKILL)
    write(self, line, **data)
    if here:
        os.kill(os.getpid(), signal.SIGKILL)
Journal.write = deadly
from raptorctl.__main__ import main
sys.exit(main())
"""
SMALL = ("provision", "alice", "dev", "--size", "64M", "--cpus", "6,7")
LONG = pytest.mark.long
PROVISION_KILLS = [pytest.param("DONE", 2, marks=LONG), ("DONE", 7)]
"""A definition; a machine that runs and has all its records."""

REMOVAL_KILLS = [pytest.param("DONE", 5, marks=LONG), ("INTENT", 8)]
"""Without records, stopped, undefined, its volume renamed; then half wiped."""

KILLED = 137  # 128 + SIGKILL, as a shell reports it


@pytest.fixture(scope="module", autouse=True)
def _alice(quiet: Lab) -> None:
    quiet.tenant("alice")
    quiet.put(SUICIDE, "/root/suicide.py")


def killed(lab: Lab, kind: str, step: int, *words: str) -> None:
    python = "/opt/raptorctl/bin/python"
    # Through a shell in the lab: ssh itself would report a signal's death as 255.
    done = lab.sh(f"{python} /root/suicide.py {kind} {step} {' '.join(words)}", check=False)
    assert done.returncode == KILLED, done.stderr


def recovered(lab: Lab) -> str:
    lab.run("raptorctl", "recover")
    jobs = json.loads(lab.run("raptorctl", "job", "list", "-o", "json").stdout)["jobs"]
    return str(jobs[-1]["outcome"])


@pytest.mark.parametrize(("kind", "step"), PROVISION_KILLS)
def test_a_provision_killed_is_undone(lab: Lab, kind: str, step: int) -> None:
    killed(lab, kind, step, *SMALL)
    assert recovered(lab) == "rolled back"
    nothing_is_left(lab)


@pytest.mark.parametrize(("kind", "step"), REMOVAL_KILLS)
def test_a_removal_killed_is_undone_or_finished(lab: Lab, kind: str, step: int) -> None:
    if not volumes(lab):
        lab.run("raptorctl", *SMALL)
    before = lab.run("virsh", "dumpxml", "--inactive", "alice-dev").stdout
    killed(lab, kind, step, "deprovision", "alice", "dev", "-y")
    if recovered(lab) == "done":
        assert step >= 6, "finished before the point of no return"
        nothing_is_left(lab)
    else:
        assert lab.run("virsh", "dumpxml", "--inactive", "alice-dev").stdout == before
        assert lab.run("virsh", "domstate", "alice-dev").stdout.strip() == "running"
        assert "raptor.clean" in volumes(lab)["guest-alice-dev"]
        assert lab.run("dig", "+short", "@127.0.0.1", "-x", "198.51.100.1").stdout.strip()


def carols(lab: Lab) -> str:
    """All that there is of a tenant called carol."""
    return lab.sh(
        "(getent passwd carol; grep carol /etc/group; ls -d /home/carol /etc/raptorctl/*/carol*) || true"
    ).stdout


@pytest.mark.parametrize(("kind", "step"), [("DONE", 2)])
def test_a_provision_that_makes_the_tenant_killed_undoes_him_too(
    lab: Lab, kind: str, step: int
) -> None:
    words = ("provision", "carol", "dev", "--size", "64M", "--cpus", "5-5")
    killed(lab, kind, step, *words)
    assert recovered(lab) == "rolled back"
    assert carols(lab) == ""
    nothing_is_left(lab)


@pytest.mark.parametrize(("kind", "step"), [pytest.param("DONE", 1, marks=LONG), ("DONE", 3)])
def test_a_tenants_removal_killed_is_undone_or_finished(lab: Lab, kind: str, step: int) -> None:
    if not carols(lab):
        lab.tenant("carol")
    before = carols(lab)
    killed(lab, kind, step, "tenant", "remove", "carol", "-y")
    after = "" if recovered(lab) == "done" else before
    assert carols(lab) == after
    assert lab.run("true", user="carol", check=False).returncode == (0 if after else 255)


ORPHAN = f"""
cd /usr/sbin
mv lvcreate lvcreate.real
trap 'mv /usr/sbin/lvcreate.real /usr/sbin/lvcreate' EXIT
printf '#!/bin/sh\\nuntil [ -e /run/go-on ]; do sleep 0.2; done\\nexec lvm lvcreate "$@"\\n' >lvcreate
chmod 755 lvcreate
raptorctl {" ".join(SMALL)} -y </dev/null & ours=$!
until pgrep -x lvcreate >/dev/null; do sleep 0.2; done
kill -KILL $ours
wait $ours || true
raptorctl recover </dev/null & recovers=$!
sleep 5
pgrep -x lvcreate >/dev/null
kill -0 $recovers
touch /run/go-on
wait $recovers
"""
"""A slow lvcreate that lives on when its parent is killed, and makes its volume all the same."""


def test_an_lvcreate_that_outlives_its_parent_is_waited_for(lab: Lab) -> None:
    lab.sh(ORPHAN)
    nothing_is_left(lab)
    assert volumes(lab) == {}


def test_a_second_recover_has_nothing_to_do(lab: Lab) -> None:
    done = lab.run("raptorctl", "recover")
    assert "nothing" in done.stdout


def test_an_unfinished_job_stands_in_the_way_until_the_unit_at_boot_recovers_it(lab: Lab) -> None:
    if volumes(lab):
        lab.run("raptorctl", "deprovision", "alice", "dev", "-y")
    killed(lab, "DONE", 1, *SMALL)
    assert volumes(lab)
    words = ("provision", "bob", "web", "--size", "64M", "--cpus", "2-2")
    done = lab.run("raptorctl", *words, check=False)
    assert done.returncode == 3
    assert "raptorctl recover" in done.stderr
    lab.run("systemctl", "start", "raptorctl-recover.service")
    nothing_is_left(lab)
    wanted = lab.run("systemctl", "show", "-p", "WantedBy,Before", "raptorctl-recover").stdout
    assert "multi-user.target" in wanted
    assert "libvirt-guests.service" in wanted
