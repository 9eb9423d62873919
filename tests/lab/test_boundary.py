"""Ways in that were open once: from a machine's disk, from its network, from a tenant's session.

Each test does the attack as it was done. What it is about is told in docs/security.md.
"""

import json
from pathlib import Path

import pytest

from tests.lab.cache import CHECKOUT
from tests.lab.host import Lab
from tests.lab.test_machine import volumes

ATTACK = Path(__file__).parent / "attack"
OWN_FILESYSTEM = CHECKOUT / "ansible/roles/raptor_host/files/own-filesystem.sh"
RESTORE = "/usr/local/lib/attack/restore.py"
STORM = "/usr/local/lib/attack/storm.py"
IDLE = "/usr/local/lib/attack/idle.py"
WALLS = ("one account's sessions", "all accounts' sessions", "without a shell", "outlive")
"""What doctor tells of those that are missing."""
SMALL = ("--size", "64M", "--memory", "64M", "--no-start", "-y")
FURTHER = ("--disk", "data=64M")
DISK = "/dev/lvm-data/guest-bob-web"
DATA = "/dev/lvm-data/disk-bob-web.data"
ROOT = "/dev/vda"

CONTENTS = {
    "a file system": f"mkfs.ext4 -q -F -L lab-root -U $uuid {DISK}",
    "swap": f"mkswap -q -L lab-root -U $uuid {DISK}",
    "a partition table": f"printf 'label: gpt\\nlabel-id: %s\\n,,,\\n' $uuid | sfdisk -q {DISK}",
    "a volume group": f"pvcreate -q -y --config devices/scan_lvs=1 --devices {DISK} {DISK}",
    "LUKS": rf"printf 'LUKS\272\276\0\1' | dd of={DISK} conv=notrunc status=none",
}
"""What a guest may write on its disk; `$uuid` is that of the host's root."""


@pytest.fixture(scope="module")
def host(lab: Lab) -> Lab:
    """A host with a tenant's machine, and a tenant with a shell."""
    lab.tenant("alice")
    lab.tenant("bob")
    lab.run("raptorctl", "provision", "bob", "web", "--cpus", "2-2", *FURTHER, *SMALL)
    for path in (IDLE, RESTORE, STORM):
        lab.put((ATTACK / Path(path).name).read_text(), path)
    return lab


def settled(lab: Lab) -> None:
    """Have udev look at everything again, as it does at boot."""
    lab.sh("udevadm trigger --action=change --subsystem-match=block; udevadm settle")


# Disks


def test_what_is_on_a_machines_disk_is_no_name_of_the_hosts(host: Lab) -> None:
    """All that a guest may write, each on a disk of its own: udev looks at them at once."""
    others = [f"/dev/lvm-data/guest-bob-{number}" for number in range(len(CONTENTS) - 1)]
    disks = dict(zip((DISK, DATA, *others), ("a file system", *CONTENTS), strict=True))
    host.sh("\n".join(f"lvcreate -qqy -L 64M -n {Path(disk).name} lvm-data" for disk in others))
    written = (CONTENTS[what].replace(DISK, disk) for disk, what in disks.items())
    host.sh("\n".join((f"uuid=$(blkid -s UUID -o value {ROOT})", *written)))
    settled(host)
    for disk in disks:
        assert host.sh(f"blkid -p {disk}").stdout  # it is there to be seen
        links = host.sh(
            "find -L /dev/disk/by-label /dev/disk/by-uuid /dev/disk/by-partuuid "
            f"/dev/disk/by-partlabel -samefile $(readlink -f {disk}) 2>/dev/null || true"
        )
        assert links.stdout == ""
        known = host.sh(f"udevadm info -q property $(readlink -f {disk})").stdout
        assert "ID_FS" not in known
        assert "ID_PART_TABLE" not in known
    assert host.sh("readlink -f /dev/disk/by-label/lab-root").stdout.strip() == ROOT
    host.sh(f"lvremove -qqy {' '.join(others)}")


def test_the_host_boots_from_its_own_root(host: Lab) -> None:
    host.sh(f"""
        wipefs -q -a {DISK}
        {CONTENTS["a file system"].replace("$uuid", f"$(blkid -s UUID -o value {ROOT})")}
        mkdir -p /run/trap
        mount {DISK} /run/trap
        mkdir -p /run/trap/sbin
        printf 'trap' >/run/trap/sbin/init
        umount /run/trap
        lvs -o lv_name,lv_autoactivation lvm-data >&2
    """)
    host.reboot()
    root = json.loads(host.run("findmnt", "--json", "/").stdout)["filesystems"][0]["source"]
    assert root == ROOT
    assert "guest-bob-web" in volumes(host)


# Memory


def test_a_tenant_who_fills_memory_fills_his_own(host: Lab) -> None:
    """All that fits into tmpfs, and a program that takes what there is."""
    before = host.run("systemctl", "show", "-P", "MainPID", "named").stdout
    for place in ("/dev/shm", "/tmp"):
        host.run("sh", "-c", f"head -c 4G /dev/zero >{place}/fill", user="alice", check=False)
    grab = "held = []\nwhile True: held.append(bytearray(64 << 20))"
    host.run("python3", "-c", grab, user="alice", check=False)
    free = int(host.sh("awk '/MemAvailable/ {print $2}' /proc/meminfo").stdout)
    total = int(host.sh("awk '/MemTotal/ {print $2}' /proc/meminfo").stdout)
    assert free > total // 2
    assert host.run("systemctl", "show", "-P", "MainPID", "named").stdout == before
    assert "Out of memory:" not in host.run("dmesg").stdout  # of the host; a cgroup's says so
    host.run("rm", "-f", "/dev/shm/fill", "/tmp/fill")
    host.run("true", user="bob")


def test_all_tenants_together_do_not_fill_the_hosts_memory(host: Lab) -> None:
    bound = host.run("cat", "/sys/fs/cgroup/user.slice/memory.max").stdout
    total = int(host.sh("awk '/MemTotal/ {print $2 * 1024}' /proc/meminfo").stdout)
    assert 0 < int(bound) <= total // 4
    for unit in ("named", "raptor-dhcp"):
        pid = host.run("systemctl", "show", "-P", "MainPID", unit).stdout.strip()
        assert host.run("cat", f"/proc/{pid}/oom_score_adj").stdout.strip() == "-900"


# File systems


def test_a_tenant_who_fills_his_home_does_not_fill_the_hosts_root(host: Lab) -> None:
    host.put(OWN_FILESYSTEM.read_text(), "/root/own-filesystem.sh")
    host.run("sh", "-c", "echo mine >kept", user="alice")
    for path, volume in (("/home", "host-home"), ("/var/tmp", "host-var-tmp")):
        words = ("bash", "/root/own-filesystem.sh", path, "lvm-data", volume, "64M")
        assert host.run(*words).stdout == "made\n"
        assert host.run(*words).stdout == ""  # twice is once
    assert host.run("cat", "kept", user="alice").stdout == "mine\n"
    for place in ("/home/alice", "/var/tmp"):
        host.run("sh", "-c", f"head -c 1G /dev/zero >{place}/fill", user="alice", check=False)
        root = json.loads(host.run("findmnt", "--json", "-T", f"{place}/fill").stdout)
        assert root["filesystems"][0]["target"] in ("/home", "/var/tmp")
        assert {"nosuid", "nodev"} <= set(root["filesystems"][0]["options"].split(","))
    free = host.run("df", "--output=avail", "/").stdout.split()[-1]
    assert int(free) > 1 << 20  # KiB
    host.sh("findmnt --verify --fstab >&2; rm /home/alice/fill /var/tmp/fill")


# Sessions


def test_a_unit_laid_with_a_shell_does_not_run_without_one(host: Lab) -> None:
    units = ".config/systemd/user"
    host.tenant("carol")
    host.run("mkdir", "-p", f"{units}/default.target.wants", user="carol")
    text = "[Service]\nType=oneshot\nExecStart=/usr/bin/touch %h/ran\n"
    host.run("tee", f"{units}/trap.service", user="carol", input=text)
    host.run("ln", "-s", "../trap.service", f"{units}/default.target.wants/", user="carol")
    for mode, says in (("console", "none of the words"), ("nologin", "not available")):
        host.run("raptorctl", "tenant", "set", "carol", "--mode", mode, "-y")
        said = host.run("true", user="carol", check=False)
        assert says in said.stdout + said.stderr
        assert host.run("test", "-e", "/home/carol/ran", check=False).returncode == 1
    uid = host.run("id", "-u", "carol").stdout.strip()
    state = host.run("systemctl", "is-active", f"user@{uid}.service", check=False).stdout.strip()
    assert state == "inactive"
    host.run("raptorctl", "tenant", "set", "carol", "--mode", "shell", "-y")
    host.ssh.forget()  # a login that is open keeps the shell it began with
    host.run("systemctl", "--user", "--wait", "is-system-running", user="carol", check=False)
    assert host.run("test", "-e", "/home/carol/ran").returncode == 0  # it was a trap


def test_a_tenant_does_not_linger(host: Lab) -> None:
    refused = host.run("loginctl", "enable-linger", user="alice", check=False)
    assert refused.returncode != 0
    assert host.run("ls", "/var/lib/systemd/linger").stdout.split() == ["root"]


# Sockets and tables that all share


def test_one_tenant_does_not_take_all_of_the_logs_service(host: Lab) -> None:
    holder = host.start("python3", IDLE, "40", "/run/raptorctl/log.sock", user="alice")
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        served = host.run("raptorctl", "log", "bob", "web", user="bob", check=False)
        assert "raptorctl: " not in served.stderr
    finally:
        holder.kill()


# libvirtd, by what a tenant has it open


@pytest.mark.parametrize("kind", ["/dev/ptmx", "terminal"])
def test_libvirtd_opens_nothing_that_a_tenant_names(host: Lab, kind: str) -> None:
    """Pipes and FIFOs by /proc, and libvirtd's own descriptors: tests/integration/test_relay.py."""
    before = host.run("systemctl", "show", "--property=MainPID", "libvirtd.service").stdout
    attack = host.start("python3", RESTORE, kind, "120", "virsh", user="alice")
    try:
        assert attack.stdout is not None
        assert int(attack.stdout.readline()) == 0
        host.run("timeout", "60", "virsh", "dominfo", "bob-web")
    finally:
        attack.kill()
    assert host.run("systemctl", "show", "--property=MainPID", "libvirtd.service").stdout == before


def test_libvirtd_knows_a_tenant_behind_the_relay(host: Lab) -> None:
    assert host.run("virsh", "domstate", "bob-web", user="bob").stdout.strip() == "shut off"
    other = host.run("virsh", "domstate", "bob-web", user="alice", check=False)
    assert "bob-web" in other.stderr
    direct = "qemu+unix:///system?socket=/run/raptorctl-libvirt/libvirt-sock"
    around = host.run("virsh", "-c", direct, "list", user="alice", check=False)
    assert "Permission denied" in around.stderr


def test_a_storm_of_connects_leaves_root_a_way_to_libvirt(host: Lab) -> None:
    """Past the relay: there is one queue for all connections."""
    storm = host.start("python3", STORM, "/run/libvirt/libvirt-sock", "60", user="alice")
    try:
        done = host.run("raptorctl", "list", timeout=60)
        assert "bob" in done.stdout
        assert "bob-web" in host.run("virsh", "list", "--all", "--name", timeout=60).stdout
        assert storm.poll() is None
    finally:
        storm.kill()


def test_a_scan_of_a_slots_prefix_leaves_the_neighbour_table_alone(host: Lab) -> None:
    host.sh("""
        ip netns add scan
        ip link add up4 type veth peer name eth0 netns scan address 52:54:00:00:00:04
        ip link set up4 master br-vm4 up
        ip -n scan link set lo up
        ip -n scan link set eth0 up
        ip -n scan address add 2001:db8:0:4::1/64 dev eth0 nodad
        ip -n scan -6 route replace default via fe80::1 dev eth0  # an advertisement may have been
        sleep 1
        ip netns exec scan python3 - <<'END'
import socket
line = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
for number in range(3000):
    try:
        line.sendto(b"x", (f"2001:db8:0:5::{number + 16:x}", 9))
    except OSError:
        pass
END
    """)
    on_link = host.run("ip", "-6", "route", "show", "dev", "br-vm5", "proto", "kernel").stdout
    assert [line.split()[0] for line in on_link.splitlines()] == ["fe80::/64"]
    table = host.sh("ip -6 neigh show nud all dev br-vm5 | wc -l").stdout
    assert int(table) < 16
    route = json.loads(host.run("ip", "-j", "route", "get", "2001:db8:0:5::1").stdout)
    assert route[0]["dev"] == "br-vm5"


# What doctor says


def test_doctor_tells_of_each_wall_that_is_missing(host: Lab) -> None:
    """The last test here: it takes down what the others lean on.

    That none of it is told of a host where they stand: tests/lab/test_trouble.py.
    """
    host.sh("""
        rm /etc/systemd/system/{user.slice,user-.slice,user@.service}.d/raptorctl.conf
        rm /etc/polkit-1/rules.d/11-raptorctl-sessions.rules
        rm /etc/udev/rules.d/57-raptorctl-guests.rules
        ip -6 route add 2001:db8:0:3::/64 dev br-vm3
        umount /var/tmp
        systemctl daemon-reload
        udevadm control --reload
        udevadm trigger --action=change --subsystem-match=block --settle
    """)
    told = host.run("raptorctl", "doctor", check=False).stdout
    for what in (*WALLS, "guest-bob-web", "br-vm3", "/var/tmp is on it"):
        assert what in told, told
