"""What a tenant may not do with another's machine, tried by her, over ssh, with her own login.

`alice` is a tenant, `mallory` is nobody's; `bob-web` is never alice's.
"""

import json
from pathlib import Path

import pytest

from tests.lab.host import Lab

ATTACK = Path(__file__).parent / "attack"
SMALL = ("--size", "64M", "--memory", "128M", "--no-start", "-y")
OWN = "alice-dev"
FOREIGN = "bob-web"

DRIVERS = ("network", "storage", "nodedev", "interface", "secret", "nwfilter")


@pytest.fixture(scope="module")
def shared(lab: Lab) -> Lab:
    """A host with two tenants' machines, and somebody who is no tenant."""
    lab.account("alice", "vm-users")
    lab.account("mallory", "nogroup")
    for slot, (owner, machine) in enumerate([("alice", "dev"), ("bob", "web")]):
        cpu = f"{2 + slot}-{2 + slot}"
        lab.run("raptorctl", "provision", owner, machine, "--cpus", cpu, *SMALL)
    lab.put((ATTACK / "virsh.py").read_text(), "/usr/local/lib/attack/virsh.py")
    return lab


def tried(lab: Lab, user: str, how: str, domain: str, *options: str) -> dict[str, tuple[int, str]]:
    """Every command of virsh that names a domain, by its whole line; `how` as in attack/virsh.py."""
    script = "/usr/local/lib/attack/virsh.py"
    said = lab.run("python3", script, how, domain, *options, user=user, timeout=1500).stdout
    return {line: (status, text) for line, (status, text) in json.loads(said).items()}


def refused(text: str) -> bool:
    return "access denied" in text or "failed to get domain" in text


# Somebody else's machines


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "options",
    [(), pytest.param(("-r",), marks=pytest.mark.long)],
    ids=["read-write socket", "read-only socket"],
)
def test_no_command_of_virsh_does_anything_to_anothers_machine(
    shared: Lab, options: tuple[str, ...]
) -> None:
    answers = tried(shared, "alice", "refused", FOREIGN, *options)
    assert len(answers) > 130
    assert [line for line, (_, text) in answers.items() if not refused(text)] == []
    assert [line for line, (status, _) in answers.items() if status == 0] == []


def test_lists_show_a_tenant_his_own_and_an_outsider_nothing(shared: Lab) -> None:
    for words in (("list", "--all", "--name"), ("-r", "list", "--all", "--name")):
        assert shared.run("virsh", *words, user="alice").stdout.split() == [OWN]
        outside = shared.run("virsh", "-c", "qemu:///system", *words, user="mallory", check=False)
        assert outside.returncode != 0
        assert outside.stdout.strip() == ""


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("user", ["alice", "mallory"])
def test_no_other_driver_lets_anybody_in(shared: Lab, driver: str, user: str) -> None:
    lists = {"network": "net-list", "storage": "pool-list", "nodedev": "nodedev-list",
             "interface": "iface-list", "secret": "secret-list", "nwfilter": "nwfilter-list"}  # fmt: skip
    for option in ((), ("-r",)):
        words = ("virsh", *option, "-q", "-c", f"{driver}:///system", lists[driver])
        done = shared.run(*words, user=user, check=False)
        assert done.returncode != 0, done.stdout
        assert done.stdout.strip() == ""


def test_no_volume_is_reached_by_the_path_of_its_device(shared: Lab) -> None:
    for path in ("/dev/lvm-data/guest-bob-web", "/dev/lvm-data/guest-alice-dev"):
        for words in (("virsh", "vol-info", path), ("virsh", "vol-dumpxml", path), ("cat", path)):
            assert shared.run(*words, user="alice", check=False).returncode != 0


def test_who_else_is_a_tenant_is_not_read_from_files(shared: Lab) -> None:
    for folder in ("/etc/raptorctl/tenants", "/etc/raptorctl/keys"):
        assert "Permission denied" in shared.run("ls", folder, user="alice", check=False).stderr


# What else tenants may look at


@pytest.fixture(scope="module")
def readable(shared: Lab) -> Lab:
    """The same host with `access.readable` of volumes, and a pool that has some of each owner's."""
    shared.sh("""
        sed -i 's/^readable = .*/readable = ["volumes"]/' /etc/raptorctl/settings.toml
        start=$(sed -n 's/^ExecStart=//p' /etc/systemd/system/raptorctl-libvirt.service)
        mkdir -p /etc/systemd/system/raptorctl-libvirt.service.d
        printf '[Service]\\nExecStart=\\nExecStart=%s --volumes\\n' "$start" \
            >/etc/systemd/system/raptorctl-libvirt.service.d/readable.conf
        systemctl daemon-reload
        systemctl restart raptorctl-libvirt
        mkdir -p /srv/volumes
        cd /srv/volumes
        truncate -s 1M guest-alice-dev disk-alice-dev.data guest-bob-web guest-alicelike-dev other
        virsh pool-create-as volumes dir --target /srv/volumes
    """)
    shared.run("raptorctl", "access", "install", "-y")
    return shared


def test_volumes_of_ones_own_are_looked_at_where_the_settings_say_so(readable: Lab) -> None:
    listed = readable.run("virsh", "-q", "vol-list", "volumes", user="alice").stdout
    assert {line.split()[0] for line in listed.splitlines()} == {
        "guest-alice-dev",
        "disk-alice-dev.data",
    }
    own = ("--pool", "volumes", "guest-alice-dev")
    assert "1.00 MiB" in readable.run("virsh", "vol-info", *own, user="alice").stdout
    for name in ("guest-bob-web", "guest-alicelike-dev", "other"):
        words = ("virsh", "vol-info", "--pool", "volumes", name)
        assert "access denied" in readable.run(*words, user="alice", check=False).stderr


def test_they_are_looked_at_and_nothing_else(readable: Lab) -> None:
    for words in (
        "vol-delete guest-alice-dev volumes",
        "vol-wipe guest-alice-dev volumes",
        "vol-resize guest-alice-dev 2M volumes",
        "vol-download guest-alice-dev /tmp/taken volumes",
        "vol-create-as volumes new 1M",
        "pool-refresh volumes",
        "pool-destroy volumes",
        "pool-undefine volumes",
    ):
        assert readable.run("virsh", *words.split(), user="alice", check=False).returncode != 0
    left = readable.run("stat", "-c", "%s", "/srv/volumes/guest-alice-dev").stdout
    assert left == f"{1 << 20}\n"
