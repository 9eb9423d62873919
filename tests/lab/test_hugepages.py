"""Memory in huge pages: they are taken from the host's, and promised once."""

import pytest

from tests.lab.host import Lab

PAGES = 80
"""Of 2 MiB: room for one machine of 128 MiB, and not for two."""
SMALL = ("--size", "64M", "--memory", "128M", "--hugepages", "2M")


@pytest.fixture(scope="module")
def host(quiet: Lab) -> Lab:
    quiet.tenant("alice")
    quiet.sh(f"sysctl -q vm.nr_hugepages={PAGES}")
    assert free(quiet) == PAGES
    return quiet


def free(lab: Lab) -> int:
    """How many huge pages the kernel has, and nobody uses."""
    return int(lab.sh("awk '/^HugePages_Free/ {print $2}' /proc/meminfo").stdout)


def test_a_machine_takes_them_and_gives_them_back(host: Lab) -> None:
    host.run("raptorctl", "provision", "alice", "dev", *SMALL, "--cpus", "6,7", "-y")
    assert free(host) == PAGES - 64
    also = ("raptorctl", "provision", "alice", "web", *SMALL, "--cpus", "4,5", "--dry-run")
    refused = host.run(*also, check=False)
    said = "the host has 160M, of which 128M is promised to other machines"
    assert (refused.returncode, said in refused.stderr) == (3, True), refused.stderr
    assert "in huge pages of 2M" in host.run("raptorctl", "show", "alice", "dev").stdout
    host.run("raptorctl", "deprovision", "alice", "dev", "--force", "-y")
    assert free(host) == PAGES
