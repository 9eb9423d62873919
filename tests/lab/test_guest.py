"""Guests in the lab: an image, a seed, a first boot, a login; then the disk anew, and nothing left.

The tiny guest boots each time. The Debian guest, emulated within an emulated host, takes a quarter
of an hour and more to boot: `make full-boots` is for that. Outside the lab it boots each time
(tests/guest), and `wait --for ssh` meets a real sshd in tests/integration.
"""

import json

import pytest

from tests import guest
from tests.full_boot import full
from tests.lab.host import Lab
from tests.lab.test_machine import ADDRESSES, dig, domains, nothing_is_left, volumes

pytestmark = pytest.mark.timeout(5400)

DISK = "/dev/lvm-data/guest-alice-dev"
SEED = "/var/lib/libvirt/raptorctl/alice-dev-seed.iso"
DEBIAN = (
    "raptorctl", "provision", "alice", "dev", "--size", "4G", "--cpus", "2-3", "--memory", "768M",
    "--image", "debian-test", "-y",
)  # fmt: skip
TINY = ("raptorctl", "provision", "alice", "dev", "--size", "64M", "--cpus", "6-6",
         "--memory", "256M", "--image", "tiny-test", "--no-start", "-y")  # fmt: skip
BOOT = 3600
"""Seconds that a first boot may take."""


def pull(lab: Lab, file: str, name: str) -> None:
    lab.run("raptorctl", "image", "pull", f"/root/{file}", "--name", name, timeout=900)


@pytest.fixture(scope="module")
def host(lab: Lab) -> Lab:
    """A host with the tiny image, and a tenant whose private key is root's to use."""
    lab.push(str(guest.tiny()), "/root/tiny.raw")
    pull(lab, "tiny.raw", "tiny-test")
    lab.sh("ssh-keygen -q -t ed25519 -N '' -C alice -f /root/alice")
    lab.sh("raptorctl tenant add alice --key - -y </root/alice.pub")
    return lab


@pytest.fixture(scope="module")
def up(host: Lab) -> Lab:
    """The Debian guest, when it is reached by ssh."""
    host.push(str(guest.debian()), "/root/debian.qcow2")
    pull(host, "debian.qcow2", "debian-test")
    host.run(*DEBIAN, timeout=1800)
    wait(host, "ssh")
    return host


def wait(lab: Lab, what: str) -> str:
    words = ("raptorctl", "wait", "alice", "dev", "--for", what, "--timeout", str(BOOT))
    return lab.run(*words, timeout=BOOT + 120).stdout


def ssh(lab: Lab, *command: str) -> str:
    """Log in by ssh itself, if the guest shows the host key that is in the domain's metadata."""
    lab.sh(
        "key=$(virsh dumpxml --inactive alice-dev | grep -o 'ssh-ed25519 [A-Za-z0-9+/=]*');"
        f' echo "{ADDRESSES["A"]} $key" >/root/known'
    )
    options = ("-oBatchMode=yes", "-oStrictHostKeyChecking=yes", "-oUserKnownHostsFile=/root/known",
               "-oConnectTimeout=120", "-F", "/dev/null", "-i", "/root/alice")  # fmt: skip
    login = ("ssh", *options, f"alice@{ADDRESSES['A']}", "--")
    return lab.run(*login, *command, timeout=600).stdout


def identity(lab: Lab) -> list[str]:
    """What stays through a rebuild."""
    mac = "virsh domiflist --inactive alice-dev | grep -o '52:54:00:[0-9a-f:]*'"
    return lab.sh(f"virsh domuuid alice-dev; {mac}").stdout.split()


def begins_as(lab: Lab, image: str, form: str) -> None:
    """The disk is the image; qemu-img takes what a larger disk has beyond it for equal if zero."""
    lab.run("qemu-img", "compare", "-f", form, "-F", "raw", image, DISK, timeout=1800)


@pytest.fixture(scope="module")
def tiny(host: Lab) -> Lab:
    """The tiny guest, when it has its address. Before it boots, its disk is the image and zeroes."""
    host.run(*TINY, timeout=900)
    size = guest.tiny().stat().st_size
    host.run("cmp", "-n", str(size), "/root/tiny.raw", DISK)
    host.run("cmp", "-n", str((64 << 20) - size), "-i", f"{size}:0", DISK, "/dev/zero")
    host.run("raptorctl", "start", "alice", "dev")
    wait(host, "ip")
    return host


def test_a_guest_is_known_when_it_is_up(tiny: Lab) -> None:
    assert ADDRESSES["A"] in wait(tiny, "ip")
    told = json.loads(tiny.run("raptorctl", "ip", "alice", "dev", "-o", "json").stdout)
    assert ADDRESSES["A"] in json.dumps(told)
    said = tiny.run("raptorctl", "log", "alice", "dev", "--console").stdout
    assert "tiny guest up" in said
    assert f"lease {ADDRESSES['A']}" in said


def test_why_says_how_far_it_came(tiny: Lab) -> None:
    said = tiny.run("raptorctl", "why", "alice", "dev").stdout
    assert "boot loader" in said
    assert f"answers at {ADDRESSES['A']}" in said


def test_a_wait_for_what_never_comes_ends_with_what_was_seen(tiny: Lab) -> None:
    words = ("raptorctl", "wait", "alice", "dev", "--for", "agent", "--timeout", "3")
    done = tiny.run(*words, check=False)
    assert done.returncode == 5
    assert len(done.stderr.strip().splitlines()) >= 1
    assert "Traceback" not in done.stderr


def test_its_tenant_sees_it_come_up_too(tiny: Lab) -> None:
    tiny.sh("install -d /root/.ssh; ssh-keygen -q -y -f /root/alice >/root/alice.pub")
    login = ("ssh", "-oStrictHostKeyChecking=accept-new", "-i", "/root/alice", "alice@127.0.0.1")
    words = ("raptorctl", "wait", "alice", "dev", "--for", "ip", "--timeout", "60")
    assert tiny.run(*login, *words).returncode == 0
    foreign = tiny.run(*login, "raptorctl", "wait", "bob", "web", "--for", "ip", check=False)
    assert foreign.returncode == 3
    assert "no such machine" in foreign.stderr


def test_rebuilt_while_it_runs_it_is_the_same_machine_with_a_new_disk(tiny: Lab) -> None:
    tiny.sh(f"echo mine | dd of={DISK} bs=1M seek=60 conv=sync oflag=direct")
    before = identity(tiny)
    tiny.run("raptorctl", "rebuild", "alice", "dev", "-y", timeout=1800)
    assert identity(tiny) == before
    assert tiny.run("virsh", "domstate", "alice-dev").stdout.strip() == "running"
    tiny.run("virsh", "destroy", "alice-dev")
    size = guest.tiny().stat().st_size
    tiny.run("cmp", "-n", str((64 << 20) - size), "-i", f"{size}:0", DISK, "/dev/zero")
    assert tiny.run("test", "-e", SEED).returncode == 0
    assert tiny.run("test", "-e", f"{SEED}.old", check=False).returncode == 1
    tiny.run("raptorctl", "seed", "detach", "alice", "dev", "-y", timeout=900)
    assert "seed" not in tiny.run("virsh", "domblklist", "alice-dev").stdout
    assert tiny.run("test", "-e", SEED, check=False).returncode == 1
    again = tiny.run("raptorctl", "seed", "detach", "alice", "dev", "-y")
    assert "already" in again.stdout


def test_nothing_is_left_of_the_tiny_guest(tiny: Lab) -> None:
    tiny.run("raptorctl", "deprovision", "alice", "dev", "-y", timeout=1800)
    nothing_is_left(tiny)
    assert tiny.run("test", "-e", SEED, check=False).returncode == 1


@full
def test_alice_logs_in_and_the_host_key_is_the_one_that_was_chosen(up: Lab) -> None:
    assert ssh(up, "id", "-un") == "alice\n"
    assert ssh(up, "sudo", "id", "-un") == "root\n"
    assert ssh(up, "hostname") == "alice-dev\n"


@full
def test_the_guest_has_the_slots_addresses_and_the_world_finds_it(up: Lab) -> None:
    told = json.loads(ssh(up, "ip", "-j", "address", "show", "dev", "eth0"))
    assert ADDRESSES["A"] in {entry["local"] for entry in told[0]["addr_info"]}
    assert dig(up, "alice-dev.raptor.example", "A") == [ADDRESSES["A"]]


@full
def test_its_root_file_system_fills_the_volume(up: Lab) -> None:
    wait(up, "cloud-init")
    size = ssh(up, "df", "--block-size=1", "--output=size", "/").split()[-1]
    assert int(size) > 3.5 * (1 << 30)


@full
def test_cloud_init_is_done_when_wait_says_so(up: Lab) -> None:
    assert "cloud-init" in wait(up, "cloud-init")
    assert "status: done" in ssh(up, "cloud-init status || [ $? = 2 ]")  # 2: with warnings


@full
def test_raptorctl_logs_in_as_well(up: Lab) -> None:
    words = ("raptorctl", "ssh", "--identity", "/root/alice", "alice", "dev", "--", "id", "-un")
    assert up.run(*words, timeout=600).stdout == "alice\n"


@full
def test_its_agent_answers_and_its_console_is_kept(up: Lab) -> None:
    wait(up, "agent")
    ping = ("virsh", "qemu-agent-command", "alice-dev", '{"execute": "guest-ping"}')
    assert json.loads(up.run(*ping, "--timeout", "120").stdout) == {"return": {}}
    assert "alice-dev login:" in up.run("raptorctl", "log", "alice", "dev", "--console").stdout


@full
def test_the_seed_is_for_nobody_but_the_host(up: Lab) -> None:
    mode = up.run("stat", "-c", "%a", SEED).stdout.strip()
    assert mode in {"600", "400"}
    assert up.run("blkid", "-o", "value", "-s", "LABEL", SEED).stdout.strip() == "cidata"


@full
def test_a_rebuild_gives_the_same_machine_a_disk_as_it_was_at_first(up: Lab) -> None:
    ssh(up, "sudo sh -c 'echo secret >/root/mine; sync'")
    before = identity(up)
    up.run("raptorctl", "rebuild", "alice", "dev", "--no-start", "-y", timeout=1800)
    assert identity(up) == before
    assert up.run("virsh", "domstate", "alice-dev").stdout.strip() == "shut off"
    begins_as(up, "/root/debian.qcow2", "qcow2")


@full
def test_after_its_removal_nothing_is_left(up: Lab) -> None:
    up.run("raptorctl", "deprovision", "alice", "dev", "-y", timeout=1800)
    nothing_is_left(up)
    assert up.run("test", "-e", SEED, check=False).returncode == 1


def test_an_image_larger_than_the_disk_is_refused_and_nothing_is_made(host: Lab) -> None:
    host.run("qemu-img", "create", "-q", "-f", "qcow2", "/root/large.qcow2", "2G")
    pull(host, "large.qcow2", "large-test")
    done = host.run(*[word.replace("tiny-test", "large-test") for word in TINY], check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert len(done.stderr.strip().splitlines()) == 1
    assert "large-test" in done.stderr
    assert (volumes(host), domains(host)) == ({}, [])
    assert host.run("test", "-e", SEED, check=False).returncode == 1


def test_an_image_that_is_not_there_is_refused_and_nothing_is_made(host: Lab) -> None:
    done = host.run(*[word.replace("tiny-test", "none-such") for word in TINY], check=False)
    assert done.returncode in {2, 3}
    assert "none-such" in done.stderr
    assert (volumes(host), domains(host)) == ({}, [])


def test_half_an_image_is_no_image(host: Lab) -> None:
    host.sh("cd /root && qemu-img create -q -f qcow2 -b tiny.raw -F raw half.qcow2")
    words = ("raptorctl", "image", "pull", "/root/half.qcow2", "--name", "half")
    done = host.run(*words, check=False)
    assert done.returncode == 1
    assert "backing file" in done.stderr
    listed = json.loads(host.run("raptorctl", "image", "list", "-o", "json").stdout)["images"]
    assert "half" not in {image["name"] for image in listed}
    assert "tiny-test" in {image["name"] for image in listed}
