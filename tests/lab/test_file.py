"""A file of two machines on a real host: made, already so, killed half way, and nothing is left.

Everything is looked at by other means than raptorctl: lvs, virsh, dig.
"""

import json

import pytest

from tests.lab.host import Lab
from tests.lab.test_kill import KILLED, SUICIDE
from tests.lab.test_machine import dig, domains, nothing_is_left, volumes

FILE = """
name = "lab"
[defaults]
size = "64M"
memory = "128M"
[machine.alice-web]
cpus = "6"
slot = 1
[machine.alice-db]
cpus = "7"
slot = 2
[machine.alice-db.disks.data]
size = "32M"
keep = true
"""
PLACE = "/root/lab.toml"
BOTH = {"guest-alice-web", "guest-alice-db", "disk-alice-db.data"}


@pytest.fixture(scope="module")
def host(quiet: Lab) -> Lab:
    quiet.tenant("alice")
    quiet.put(FILE, PLACE)
    quiet.put(SUICIDE, "/root/suicide.py")
    nothing_is_left(quiet)
    return quiet


def all_stands(lab: Lab) -> None:
    assert set(volumes(lab)) == BOTH
    assert all("raptor.clean" in tags.split(",") for tags in volumes(lab).values())
    assert sorted(domains(lab)) == ["alice-db", "alice-web"]
    for name, address in (("web", "198.51.100.1"), ("db", "198.51.100.2")):
        assert lab.run("virsh", "domstate", f"alice-{name}").stdout.strip() == "running"
        assert dig(lab, f"alice-{name}.raptor.example", "A") == [address]
    assert lab.run("raptorctl", "diff", PLACE).stdout == "nothing differs\n"


def test_killed_at_the_second_machine_recovered_and_again_it_all_stands(host: Lab) -> None:
    # INTENT 4 is in each of the two jobs: the first one's is not the one that is meant.
    host.run("raptorctl", "up", PLACE, "alice-web", "-y")
    line = f"/opt/raptorctl/bin/python /root/suicide.py INTENT 4 up {PLACE} -y"
    killed = host.sh(line, check=False)
    assert killed.returncode == KILLED, killed.stderr
    host.run("raptorctl", "recover")
    assert set(volumes(host)) == {"guest-alice-web"}
    done = host.run("raptorctl", "up", PLACE, "-y").stdout
    assert sorted(done.splitlines()) == ["alice-db: made", "alice-web is already so"]
    all_stands(host)


def test_again_nothing_is_done(host: Lab) -> None:
    before = host.run("virsh", "list", "--all").stdout, volumes(host)
    lines = host.run("raptorctl", "up", PLACE, "-o", "json", "--watch").stdout.splitlines()
    assert [json.loads(line)["did"] for line in lines] == [[], []]
    assert (host.run("virsh", "list", "--all").stdout, volumes(host)) == before


def test_down_wipes_both_side_by_side_and_keeps_what_says_so(host: Lab) -> None:
    done = host.run("raptorctl", "down", PLACE, "--destroy", "--force", "-y").stdout
    assert done.count("nothing but zeroes") == 2
    assert set(volumes(host)) == {"disk-alice-db.data"}
    assert domains(host) == []
    assert dig(host, "alice-db.raptor.example", "A") == []


def test_data_that_was_kept_goes_when_it_is_meant_and_all_is_made_in_one_go(host: Lab) -> None:
    down = ("raptorctl", "down", PLACE, "--destroy", "--with-data", "--force", "-y")
    assert host.run(*down).stdout.count("nothing but zeroes") == 1
    assert volumes(host) == {}
    done = host.run("raptorctl", "up", PLACE, "-y").stdout
    assert sorted(done.splitlines()) == ["alice-db: made", "alice-web: made"]
    all_stands(host)
    assert host.run(*down).stdout.count("nothing but zeroes") == 3
    nothing_is_left(host)
