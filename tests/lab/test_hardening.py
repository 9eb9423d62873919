"""What the role closes, tried by whom it is closed to."""

import subprocess
import time
from pathlib import Path

import pytest

from tests.lab.host import Lab

ATTACK = Path(__file__).parent / "attack"
IDLE, SOCKET = "/usr/local/lib/attack/idle.py", "/run/libvirt/libvirt-sock"
SMALL = ("--size", "64M", "--memory", "128M", "-y")


@pytest.fixture(scope="module")
def shared(confined: Lab) -> Lab:
    """A host with a tenant and his machine, an admin, and somebody who is neither."""
    lab = confined
    lab.tenant("alice")
    lab.tenant("bob")
    lab.account("mallory", "nogroup")
    lab.account("carol", "vm-admins")
    lab.run("sed", "-i", "s/ALL=(root) /ALL=(root) NOPASSWD: /", "/etc/sudoers.d/raptorctl")
    for owner, cpu in (("alice", "2-2"), ("bob", "3-3")):
        lab.run("raptorctl", "provision", owner, "dev", "--cpus", cpu, *SMALL)
    lab.put((ATTACK / "idle.py").read_text(), IDLE)
    return lab


# Admins


def test_an_admin_runs_raptorctl_by_sudo_and_nothing_else(shared: Lab) -> None:
    done = shared.run("sudo", "-n", "/usr/local/bin/raptorctl", "list", user="carol")
    assert "alice" in done.stdout
    for line in (
        "sudo -n id",
        "sudo -n /bin/sh",
        "sudo -n -u bob /usr/local/bin/raptorctl list",
        "sudo -n PYTHONPATH=/tmp /usr/local/bin/raptorctl list",
    ):
        assert shared.run(*line.split(), user="carol", check=False).returncode != 0, line
    for user in ("alice", "mallory"):
        words = ("sudo", "-n", "/usr/local/bin/raptorctl", "list")
        assert shared.run(*words, user=user, check=False).returncode != 0


def test_who_ran_sudo_is_who_did_it(shared: Lab) -> None:
    shared.run(
        "sudo", "-n", "raptorctl", "tenant", "quota", "bob", "machines=3", "-y", user="carol"
    )
    audit = shared.run("raptorctl", "audit", "--tenant", "bob").stdout.splitlines()
    assert "carol" in audit[-1].split()


# libvirt's sockets


@pytest.mark.parametrize("socket", ["libvirt-sock", "libvirt-sock-ro"])
def test_who_is_no_tenant_cannot_open_libvirts_sockets(shared: Lab, socket: str) -> None:
    words = ("socat", "-u", "OPEN:/dev/null", f"UNIX-CONNECT:/run/libvirt/{socket}")
    denied = shared.run(*words, user="mallory", check=False)
    assert "Permission denied" in denied.stderr
    assert shared.run(*words, user="alice", check=False).returncode == 0


def test_a_member_of_an_admins_group_still_reaches_libvirt(shared: Lab) -> None:
    shared.account("dave", "libvirt")
    listed = shared.run("virsh", "-c", "qemu:///system", "list", "--all", "--name", user="dave")
    assert set(listed.stdout.split()) == {"alice-dev", "bob-dev"}


def test_idle_connections_of_a_tenant_keep_nobody_out(shared: Lab) -> None:
    holder = shared.start("python3", IDLE, "40", SOCKET, user="alice")
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "40"
        shared.run("timeout", "30", "raptorctl", "list")
        shared.run("timeout", "30", "virsh", "dominfo", "alice-dev")
    finally:
        holder.kill()


def test_a_fifo_of_a_tenants_holds_no_worker_of_libvirts(shared: Lab) -> None:
    shared.run("mkfifo", "/home/alice/trap", user="alice")
    trap = ("virsh", "restore", "/home/alice/trap")
    # Each is told no at once: nothing waits, so a few prove as much as more than libvirtd's workers.
    holders = [shared.start(*trap, user="alice") for _ in range(3)]
    try:
        for holder in holders:
            assert "access denied" in holder.communicate(timeout=300)[1]
            assert holder.returncode == 1
        shared.run("timeout", "60", "virsh", "dominfo", "bob-dev")
    finally:
        for holder in holders:
            holder.kill()
        shared.run("rm", "/home/alice/trap", user="alice")


def test_where_libvirtd_keeps_its_locks_nobody_else_writes(shared: Lab) -> None:
    trap = shared.run("mkfifo", "/run/lock/LCK.._pts_0", user="alice", check=False)
    assert "Permission denied" in trap.stderr


@pytest.mark.parametrize("path", ["/dev/watchdog", "/dev/console", "/proc/kmsg", "/run/initctl"])
def test_libvirtd_opens_nothing_that_acts_or_waits(shared: Lab, path: str) -> None:
    done = shared.run("timeout", "60", "virsh", "restore", path, user="alice", check=False)
    assert done.returncode == 1
    assert "access denied" in done.stderr


# Tenants by ssh


FORWARDS = {
    "standard input": ("-W", "127.0.0.1:53"),
    "back": ("-N", "-R", "127.0.0.1:9998:127.0.0.1:22", "-o", "ExitOnForwardFailure=yes"),
}


@pytest.mark.parametrize("kind", ["standard input", "back"])
def test_a_tenant_forwards_no_port(shared: Lab, kind: str) -> None:
    ssh, *options, _true = shared.ssh.argv("true", user="alice")
    done = subprocess.run(
        [ssh, "-S", "none", *FORWARDS[kind], *options],
        capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    said = done.stderr.lower()
    assert any(
        word in said for word in ("prohibited", "forwarding failed", "forwarding request failed")
    ), said


def test_a_tenant_cannot_give_himself_a_key(shared: Lab) -> None:
    shared.sh(
        """
        ssh-keygen -q -t ed25519 -N '' -f /root/extra
        install -d -o bob -g bob -m 700 /home/bob/.ssh
        install -o bob -g bob -m 600 /root/extra.pub /home/bob/.ssh/authorized_keys
        """
    )
    words = "ssh -i /root/extra -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=no"
    denied = shared.run(*words.split(), "bob@127.0.0.1", "true", check=False)
    assert "Permission denied" in denied.stderr
    shared.sh("cat /root/extra.pub >> /etc/raptorctl/keys/bob")
    shared.run(*words.split(), "bob@127.0.0.1", "true")
    refused = shared.run(
        "sh", "-c", "echo x >> /etc/raptorctl/keys/alice", user="alice", check=False
    )
    assert refused.returncode != 0


def test_virsh_asks_the_system_without_being_told(shared: Lab) -> None:
    assert shared.run("virsh", "uri", user="alice").stdout.strip() == "qemu:///system"
    assert shared.run("virsh", "list", "--all", "--name", user="alice").stdout.split() == [
        "alice-dev"
    ]


def test_a_tenant_sees_his_own_processes_only(shared: Lab) -> None:
    seen = shared.run("ps", "-eo", "user=", user="alice").stdout.split()
    assert set(seen) == {"alice"}
    assert "bob-dev" not in shared.run("ps", "-eo", "args", user="alice").stdout
    assert shared.run("sh", "-c", "cat /proc/1/cmdline", user="alice", check=False).returncode != 0


FORK_BOMB = """
import os, signal
try:
    for _ in range(400):
        os.fork() or signal.pause()
except OSError as error:
    print(error, flush=True)
os.killpg(0, signal.SIGKILL)
"""
"""No shell's: it tries again for half a minute."""


def test_a_fork_bomb_of_a_tenants_ends_at_his_limit(shared: Lab) -> None:
    limits = shared.run(
        "bash", "-c", "ulimit -u; ulimit -n; ulimit -c", user="alice"
    ).stdout.split()
    assert limits == ["200", "1024", "0"]
    said = shared.run("python3", "-c", FORK_BOMB, user="alice", check=False, timeout=120)
    assert "Resource temporarily unavailable" in said.stdout
    shared.run("virsh", "list", user="bob")


# QEMU


def qemu_of(lab: Lab, machine: str) -> str:
    return lab.sh(f"pgrep -f 'guest={machine},'").stdout.split()[0]


def test_each_tenants_qemu_has_a_number_of_its_own_and_is_confined(shared: Lab) -> None:
    for owner in ("alice", "bob"):
        pid = qemu_of(shared, f"{owner}-dev")
        uid = int(shared.run("id", "-u", owner).stdout)
        status = shared.run("cat", f"/proc/{pid}/status").stdout
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert fields["Uid"].split() == [str(66000 + uid)] * 4
        assert fields["Gid"].split() == [str(66000 + uid)] * 4
        assert fields["Groups"].split() in ([], [str(66000 + uid)])
        assert fields["CapEff"] == "0" * 16
        assert fields["Seccomp"] == "2"
        label = shared.run("cat", f"/proc/{pid}/attr/current").stdout
        assert label.startswith("libvirt-")
        assert "(enforce)" in label
        core = shared.sh(f"grep 'Max core' /proc/{pid}/limits").stdout.split()
        assert core[4] == "0"


def test_who_breaks_out_of_qemu_opens_nobody_elses_disk(shared: Lab) -> None:
    """As alice's QEMU, on the host and in its own view of /dev, without AppArmor: by numbers alone."""
    uid = 66000 + int(shared.run("id", "-u", "alice").stdout)
    become = ("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--no-new-privs")
    within = ("nsenter", "-t", qemu_of(shared, "alice-dev"), "--mount")
    read = ("dd", "of=/dev/null", "count=1")
    shared.run(*within, *become, *read, "if=/dev/lvm-data/guest-alice-dev")
    for path in (
        "/dev/lvm-data/guest-bob-dev",
        "/var/lib/libvirt/qemu/nvram/bob-dev_VARS.fd",
        "/etc/raptorctl/tsig.key",
        "/run/libvirt/libvirt-sock",
    ):
        for view in ((), within):
            refused = shared.run(*view, *become, *read, f"if={path}", check=False)
            assert refused.returncode != 0, path


def test_the_disk_is_the_hosts_again_when_the_machine_is_off(shared: Lab) -> None:
    shared.run("virsh", "destroy", "alice-dev", user="alice")
    owner = shared.run("stat", "-L", "-c", "%U %a", "/dev/lvm-data/guest-alice-dev").stdout
    assert owner.strip() == "root 660"
    shared.run("virsh", "start", "alice-dev", user="alice")


def test_removal_ends_sessions_and_open_consoles(shared: Lab) -> None:
    console = shared.start("script", "-qc", "virsh console bob-dev", "/dev/null", user="bob")
    sleeper = shared.start("sleep", "600", user="bob")
    time.sleep(3)
    shared.run("raptorctl", "deprovision", "bob", "dev", "-y")
    shared.run("raptorctl", "tenant", "remove", "bob", "-y")
    for process in (console, sleeper):
        process.communicate(timeout=30)
    assert shared.run("getent", "passwd", "bob", check=False).returncode == 2
    assert shared.run("test", "-e", "/etc/raptorctl/keys/bob", check=False).returncode != 0
    assert shared.run("true", user="bob", check=False).returncode == 255
