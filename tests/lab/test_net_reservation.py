"""A libvirt network keeps a machine's address: as it runs, as it is defined, and in dnsmasq."""

from collections.abc import Iterator

import pytest

from tests.lab.host import Lab

SMALL = ("--size", "64M", "--memory", "128M", "--cpus", "6,7", "--no-start")
NET = "network:lan,ip=192.168.7.9"
LAN = """
<network><name>lan</name><bridge name='virbr7'/><dns enable='no'/><ip address='192.168.7.1' prefix='24'><dhcp>
<range start='192.168.7.100' end='192.168.7.200'/></dhcp></ip></network>
"""
SETTINGS = "/etc/raptorctl/settings.toml"


@pytest.fixture
def granted(quiet: Lab) -> Iterator[Lab]:
    """A host with a network that the settings grant."""
    quiet.tenant("alice")
    quiet.put(LAN, "/root/lan.xml")
    quiet.sh("virsh net-define /root/lan.xml; virsh net-start lan")
    quiet.sh(f"cp {SETTINGS} /root/before.toml; sed -i '/^\\[network\\]/,/^$/d' {SETTINGS}")
    quiet.sh(f"printf '\\n[network]\\nalso = [\"network:lan\"]\\n' >> {SETTINGS}")
    yield quiet
    quiet.sh(f"cp /root/before.toml {SETTINGS}; virsh net-destroy lan; virsh net-undefine lan")


def kept(lab: Lab) -> tuple[int, int, int]:
    """How often the address is kept: as it runs, as it is defined, for dnsmasq."""
    forms = (
        "virsh net-dumpxml lan",
        "virsh net-dumpxml --inactive lan",
        "cat /var/lib/libvirt/dnsmasq/lan.hostsfile",
    )
    found = (lab.sh(f"{form} | grep -c 192.168.7.9", check=False).stdout for form in forms)
    one, two, three = (int(text or 0) for text in found)
    return one, two, three


def test_the_address_is_kept_mended_and_released(granted: Lab) -> None:
    words = ("raptorctl", "provision", "alice", "dev", "--net", NET, "-y")
    granted.run(*words, *SMALL)
    assert kept(granted) == (1, 1, 1)
    assert "already so" in granted.run(*words, *SMALL).stdout
    assert "192.168.7.9" in granted.run("raptorctl", "show", "alice", "dev").stdout
    assert "192.168.7.9  reserved" in granted.run("raptorctl", "ip", "alice", "dev").stdout

    granted.sh("virsh net-update lan delete ip-dhcp-host \"<host ip='192.168.7.9'/>\" --config")
    assert "does not keep 192.168.7.9" in granted.run("raptorctl", "doctor", check=False).stdout
    granted.run(*words, *SMALL)
    assert kept(granted) == (1, 1, 1)

    granted.run("raptorctl", "deprovision", "alice", "dev", "-y")
    assert kept(granted) == (0, 0, 0)
