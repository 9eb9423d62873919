"""The way to a slot, as this kernel has it: in a network namespace of its own."""

import json
import os
import shutil
import subprocess
import sys

import pytest

LOOK = """
import json
from ipaddress import ip_address
from raptorctl.host.system.links import KernelLinks
from raptorctl.model.slot import Slot
slot = Slot(1, ip_address("198.51.100.1"), ip_address("2001:db8:0:1::1"))
(way,) = KernelLinks().ways([slot])
print(json.dumps([way.routed, way.forwards, way.arp, way.ndp, list(way.lacks(slot))]))
"""
MADE = """
ip link add br-vm1 type bridge
ip link set br-vm1 up
"""
ROUTED = """
ip route add 198.51.100.1/32 dev br-vm1 scope link
ip -6 route add 2001:db8:0:1::1/128 dev br-vm1
ip link add up0 type bridge
ip -6 neigh add proxy 2001:db8:0:1::1 dev up0
"""


BRIDGES = """
import json, sys
from raptorctl.host.system.links import KernelLinks
print(json.dumps([[one.name, one.up, *one.ports] for one in KernelLinks().bridges()]))
sys.exit("pyudev" in sys.modules)
"""
BRIDGED = """
mount -t sysfs sysfs /sys
ip link add br-vm2 type bridge
ip link add here type veth peer name there
ip link set here master br-vm1
"""


def seen(*commands: str, look: str = LOOK) -> list[list[str]]:
    script = f"set -e\n{''.join(commands)}exec {sys.executable} -c '{look}'"
    words = ["unshare", "-n", "-m", "sh", "-c", script]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode and "not permitted" in done.stderr.lower():
        pytest.skip("no network namespace here")
    assert done.returncode == 0, done.stderr
    found: list[list[str]] = json.loads(done.stdout)
    return found


as_root = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root")


@as_root
def test_routes_and_proxies_are_seen_and_what_is_missing_is_told() -> None:
    routed, _, _, ndp, lacks = seen(MADE)
    assert (routed, ndp) == ([], [])
    assert "198.51.100.1 is not routed to br-vm1" in lacks
    routed, _, _, ndp, lacks = seen(MADE, ROUTED)
    assert (routed, ndp) == (["198.51.100.1", "2001:db8:0:1::1"], ["up0"])
    assert not [one for one in lacks if "routed" in one]


@as_root
def test_bridges_are_seen_with_their_ports_and_not_by_a_library_that_runs_ldconfig() -> None:
    assert seen(MADE, BRIDGED, look=BRIDGES) == [["br-vm1", True, "here"], ["br-vm2", False]]
