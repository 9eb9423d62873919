"""The role's promises, looked at on the host itself and by other means than the role."""

import json
import re
import tomllib
from collections.abc import Iterator

import pytest

from tests.lab import converge, install
from tests.lab.host import Lab

ZONE = "raptor.example"
SIGNED = ("nsupdate", "-v", "-k", "/etc/raptorctl/tsig.key")

CHECK = converge.ANSIBLE / "roles/raptor_host/files/check-blank.sh"

DISKS = {
    "a file system": ("mkfs.ext4 -q", "ext4"),
    "another's volume group": ("pvcreate -q", "LVM2_member"),
    "an empty partition table": ("sh -c 'echo label: gpt | sfdisk -q \"$0\"'", "gpt"),
    "unknown data at its start": (
        "dd status=none if=/proc/version seek=9 bs=1M of=",
        "first 16 MiB",
    ),
    "unknown data at its end": (
        "dd status=none if=/proc/version seek=63 bs=1M of=",
        "last 16 MiB",
    ),
}
"""What a disk may hold: how it gets there, and the word that the refusal names it by."""


def update(lab: Lab, zone: str, *lines: str, command: tuple[str, ...] = SIGNED) -> str:
    """Send one DNS update and return what the server made of it; empty: it is done."""
    script = "\n".join(
        ["server 127.0.0.1", f"zone {zone}", *(f"update {x}" for x in lines), "send"]
    )
    return lab.run(*command, input=f"{script}\n", check=False).stderr.strip()


def dig(lab: Lab, name: str, kind: str) -> list[str]:
    return lab.run("dig", "+short", "@127.0.0.1", name, kind).stdout.split()


def storage(lab: Lab, **variables: str | bool) -> tuple[int, str]:
    """Run the role's storage part alone and return its exit code and what it said."""
    said = json.dumps(variables)
    done = converge.playbook(lab.ssh, "--tags", "storage", variables=said, plain=True)
    return done.returncode, done.stdout


@pytest.fixture
def disk(lab: Lab) -> Iterator[str]:
    """A blank disk of 64 MiB: all of it is read twice."""
    lab.run("truncate", "-s", "64M", "/var/tmp/disk")
    device = lab.run("losetup", "-f", "--show", "/var/tmp/disk").stdout.strip()
    yield device
    lab.run("losetup", "-d", device)
    lab.run("rm", "/var/tmp/disk")


@pytest.mark.timeout(converge.TIMEOUT)
def test_applying_it_again_changes_nothing(pristine: Lab) -> None:
    assert update(pristine, ZONE, f"add kept.{ZONE}. 60 TXT kept") == ""
    done = converge.playbook(pristine.ssh)
    assert re.search(r"changed=0 .*failed=0", done.stdout), done.stdout
    assert dig(pristine, f"kept.{ZONE}", "TXT") == ['"kept"']


def test_every_bridge_is_up_with_no_machine_on_it(lab: Lab) -> None:
    links = {link["ifname"]: link for link in json.loads(lab.run("ip", "-j", "link").stdout)}
    for number in range(1, 6):
        assert links[f"br-vm{number}"]["operstate"] == "UP"
        assert "LOWER_UP" in links[f"br-vm{number}"]["flags"]
    ports = [name for name, link in links.items() if str(link.get("master")).startswith("br-vm")]
    assert sorted(ports) == [f"keep-vm{number}" for number in range(1, 6)]


def test_each_slot_is_routed_to_its_bridge(lab: Lab) -> None:
    for address in ("198.51.100.3", "2001:db8:0:3::1"):
        (route,) = json.loads(lab.run("ip", "-j", "route", "get", address).stdout)
        assert route["dev"] == "br-vm3"
    forwarding = lab.run("sysctl", "-n", "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding")
    assert forwarding.stdout.split() == ["1", "1"]


def test_a_machine_gets_its_address_by_its_mac(pristine: Lab) -> None:
    pristine.put('#!/bin/sh\n[ "$1" != bound ] || env\n', "/tmp/lease", 0o755)
    said = pristine.sh(
        """
        ip netns add guest
        ip link add up0 type veth peer name eth0 netns guest address 52:54:00:00:00:04
        ip link set up0 master br-vm4 up
        ip -n guest link set eth0 up
        ip netns exec guest busybox udhcpc -i eth0 -n -q -t 10 -T 3 -O staticroutes -s /tmp/lease
        # The kernel asks for a router once its own address is known to be nobody else's.
        for _ in $(seq 60); do ip -n guest -6 route | grep -q default && break; sleep 0.5; done
        ip -n guest -6 route
        """
    ).stdout
    for part in (
        "ip=198.51.100.4",
        "router=169.254.4.1",
        "default via fe80::1",
        "2001:db8:0:4::/64",
    ):
        assert part in said


def test_named_takes_signed_addresses_and_nothing_else(pristine: Lab) -> None:
    unsigned = ("nsupdate", "-v")
    assert "REFUSED" in update(pristine, ZONE, f"add x.{ZONE}. 60 A 192.0.2.1", command=unsigned)
    assert "REFUSED" in update(pristine, ZONE, f"add x.{ZONE}. 60 MX 1 mail.example.")
    assert "REFUSED" in update(pristine, ZONE, f"add {ZONE}. 60 NS evil.example.")
    reverse = "100.51.198.in-addr.arpa"
    assert "REFUSED" in update(pristine, reverse, f"add 1.{reverse}. 60 A 192.0.2.1")
    assert dig(pristine, f"x.{ZONE}", "ANY") == []
    assert update(pristine, ZONE, f"add x.{ZONE}. 60 A 192.0.2.1", f"add x.{ZONE}. 60 TXT us") == ""
    assert update(pristine, reverse, f"add 1.{reverse}. 60 PTR x.{ZONE}.") == ""
    assert dig(pristine, f"x.{ZONE}", "A") == ["192.0.2.1"]
    assert dig(pristine, f"1.{reverse}", "PTR") == [f"x.{ZONE}."]


@pytest.mark.parametrize("unit", ["named", "libvirtd"])
def test_apparmor_confines(lab: Lab, unit: str) -> None:
    lab.run("virsh", "version")  # wakes libvirtd, which sleeps when nobody calls
    confined = lab.sh(f"cat /proc/$(systemctl show -P MainPID {unit})/attr/current").stdout
    assert confined.strip() == f"{unit} (enforce)"


def test_secrets_and_directories_have_their_modes(lab: Lab) -> None:
    modes = {
        "/etc/raptorctl": "755 root:root",
        "/etc/raptorctl/keys": "711 root:root",
        "/etc/raptorctl/tenants": "750 root:root",
        "/etc/raptorctl/settings.toml": "644 root:root",
        "/etc/raptorctl/tsig.key": "600 root:root",
        "/etc/bind/raptorctl.key": "640 root:bind",
        "/var/lib/raptorctl/journal": "700 root:root",
        "/var/log/raptorctl": "750 root:root",
        "/var/lib/libvirt/qemu": "751 libvirt-qemu:libvirt-qemu",
    }
    seen = lab.run("stat", "-c", "%n %a %U:%G", *modes).stdout.splitlines()
    assert seen == [f"{path} {mode}" for path, mode in modes.items()]


def test_the_settings_say_what_the_variables_said(lab: Lab) -> None:
    settings = tomllib.loads(lab.run("cat", "/etc/raptorctl/settings.toml").stdout)
    assert settings["dns"]["zone"] == ZONE
    assert settings["machine"]["memory"] == "256M"
    assert settings["slot"][4] == {"number": 5, "ipv4": "198.51.100.5", "ipv6": "2001:db8:0:5::1"}


@pytest.mark.parametrize("content", DISKS)
def test_a_disk_that_holds_something_is_not_blank(lab: Lab, disk: str, content: str) -> None:
    write, word = DISKS[content]
    lab.sh(f"{write}{disk if write.endswith('=') else f' {disk}'}")
    before = lab.run("sha256sum", disk).stdout
    said = lab.run("bash", "-s", disk, input=CHECK.read_text(), check=False)
    assert said.returncode != 0
    assert word in said.stdout + said.stderr
    assert lab.run("sha256sum", disk).stdout == before


@pytest.mark.long
def test_a_disk_that_is_not_blank_is_left_alone(lab: Lab, disk: str) -> None:
    lab.sh(f"mkfs.ext4 -q {disk}")
    before = lab.run("sha256sum", disk).stdout
    code, said = storage(
        lab, raptor_volume_group="new", raptor_vg_device=disk, raptor_vg_create=True
    )
    assert code != 0
    assert "ext4" in said
    assert lab.run("sha256sum", disk).stdout == before


@pytest.mark.long
def test_a_blank_disk_is_taken_when_told_and_only_then(pristine: Lab, disk: str) -> None:
    code, said = storage(
        pristine, raptor_volume_group="new", raptor_vg_device=disk, raptor_vg_create=False
    )
    assert code != 0
    assert "There is no volume group new" in said
    assert (
        storage(pristine, raptor_volume_group="new", raptor_vg_device=disk, raptor_vg_create=True)[
            0
        ]
        == 0
    )
    assert pristine.run("vgs", "--noheadings", "-o", "pv_name", "new").stdout.strip() == disk


def test_it_installs_a_wheel_when_told_to(pristine: Lab) -> None:
    pristine.sh("rm -rf /opt/raptorctl /usr/local/bin/raptorctl")
    variables = json.dumps({"raptor_wheel": str(install.wheel())})
    others = "console,requests,metrics,web,hardening"  # what else is tagged raptorctl
    tags = ("--tags", "raptorctl", "--skip-tags", others)
    done = converge.playbook(pristine.ssh, *tags, variables=variables)
    assert done.returncode == 0, done.stdout
    # By its path: the harness's own way to it went with what was there before (warm.py).
    assert pristine.run("/usr/local/bin/raptorctl", "--version").stdout.startswith("raptorctl ")
    pristine.sh(
        "cd /usr/local/share && ls man/man1/raptorctl.1 bash-completion/completions/raptorctl"
    )


def test_who_is_not_granted_anything_sees_nothing(pristine: Lab) -> None:
    xml = "<domain type='qemu'><name>{}</name><memory>65536</memory><os><type>hvm</type></os></domain>"
    for name in ("alice-dev", "bob-web"):
        pristine.put(xml.format(name), "/tmp/domain.xml")
        pristine.run("virsh", "define", "/tmp/domain.xml")
    pristine.account("alice", "vm-users")
    pristine.account("eve")
    listing = ("virsh", "-c", "qemu:///system", "list", "--all", "--name")
    assert pristine.run(*listing, user="alice").stdout.split() == ["alice-dev"]
    for socket in ("-q", "-r"):
        denied = pristine.run("virsh", socket, *listing[1:], user="eve", check=False)
        assert denied.returncode != 0
        assert denied.stdout.split() == []
    foreign = pristine.run(
        "virsh", "-c", "qemu:///system", "dumpxml", "bob-web", user="alice", check=False
    )
    assert foreign.returncode != 0
    assert "failed to get domain" in foreign.stderr
