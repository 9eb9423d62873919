"""Nothing that a tenant says reaches libvirtd's open(): a real libvirtd, with and without the relay.

Needs root, for libvirtd and for an account that is not root (`nobody` stands for the tenant).
"""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest

from tests.integration.relayed import CHECKOUT, Relayed, relayed

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="libvirtd of the system's needs root")

TENANT = "nobody"
ATTACK = CHECKOUT / "tests/lab/attack"
KINDS = ("/dev/ptmx", "pipe", "fifo")
PATIENCE = 20
"""Seconds after which root is held up; a bound, not an expectation."""
HELD = 5
"""Seconds in which a libvirtd without workers is asked in vain; a slow machine proves no less."""

DOMAIN = """
<domain type='qemu'><name>nobody-dev</name><memory>65536</memory><vcpu>1</vcpu>
<os><type arch='x86_64'>hvm</type></os><devices><console type='pty'/></devices></domain>
"""


@pytest.fixture(scope="module")
def host() -> Iterator[Relayed]:
    with relayed() as found:
        yield found


@contextmanager
def attacked(host: Relayed, kind: str, *, front: bool) -> Iterator[int]:
    """A tenant attacks meanwhile; yields how many of their calls are held."""
    code = (ATTACK / "restore.py").read_text()
    # What is refused is waited for, on a busy machine too; what is held is held after any time.
    seconds = "60" if front else "5"
    with subprocess.Popen(
        ["/usr/bin/python3", "-c", code, kind, seconds, *host.argv(front=front)],
        user=TENANT, group="nogroup", extra_groups=[], cwd="/",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as attack:  # fmt: skip
        assert attack.stdout is not None
        yield int(attack.stdout.readline())
        attack.communicate()


def works_for_root(host: Relayed, *, front: bool, patience: float = PATIENCE) -> bool:
    """Whether libvirtd has a worker for root: `nodecpumap` is no call of high priority."""
    try:
        return host.virsh("nodecpumap", front=front, timeout=patience).returncode == 0
    except subprocess.TimeoutExpired:
        return False


@pytest.mark.parametrize("kind", [*KINDS, "/proc/self/fd/8"])
def test_no_path_of_a_tenants_is_opened(host: Relayed, kind: str) -> None:
    with attacked(host, kind, front=True) as held:
        assert held == 0
        assert works_for_root(host, front=True)


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_relay_they_hold_all_workers(kind: str) -> None:
    with relayed(closed=False) as host, attacked(host, kind, front=False) as held:
        assert held == 25
        assert not works_for_root(host, front=False, patience=HELD)


@pytest.mark.parametrize("front", [True, False], ids=["relayed", "direct"])
def test_a_tenants_terminal_ends_libvirtd_only_without_the_relay(front: bool) -> None:
    with (
        relayed(closed=False) as host,
        attacked(host, "terminal", front=front),
    ):
        if front:
            assert works_for_root(host, front=True)
        else:  # it waits 30 s for the worker that reads the terminal
            assert host.libvirtd.wait(timeout=4 * PATIENCE) is not None


def test_a_storm_of_connects_does_not_keep_root_out() -> None:
    """On a host of its own: the tenant's room is used up for a while."""
    code = (ATTACK / "storm.py").read_text()
    with relayed() as host:
        storm = ["/usr/bin/python3", "-c", code, str(host.front / "libvirt-sock"), "8"]
        with subprocess.Popen(storm, user=TENANT, cwd="/"):
            for _ in range(5):
                assert host.virsh("list", "--all", timeout=PATIENCE).returncode == 0


def let_in(host: Relayed) -> None:
    """Wait until the tenant has room again that another test's attack has used up."""
    until = time.monotonic() + PATIENCE
    while host.virsh("list", "--all", user=TENANT).returncode:
        assert time.monotonic() < until
        time.sleep(0.2)


def test_a_tenant_reaches_libvirtds_own_socket_by_the_relay_only(host: Relayed) -> None:
    let_in(host)
    direct = host.virsh("list", "--all", user=TENANT, front=False)
    assert "Permission denied" in direct.stderr


def test_a_refused_call_is_told_and_the_connection_goes_on(host: Relayed) -> None:
    let_in(host)
    done = host.virsh("nodeinfo; list --all", user=TENANT)
    assert "access denied: this call of libvirt's is not for tenants" in done.stderr
    assert "Name" in done.stdout
    assert host.virsh("nodeinfo").returncode == 0


@pytest.mark.parametrize("uri", ["test:///default", "test:///etc/passwd", "network:///system"])
def test_a_tenant_opens_no_other_driver(host: Relayed, uri: str) -> None:
    driver, _, path = uri.partition(":")
    words = ["virsh", "-c", f"{driver}+unix:{path}?socket={host.front}/libvirt-sock", "list"]
    until = time.monotonic() + PATIENCE
    said = ""
    # While the connections of an attack before are still counted, the next one is hung up on.
    while "tenants connect" not in said and time.monotonic() < until:
        done = subprocess.run(words, user=TENANT, capture_output=True, text=True, check=False)
        said = done.stderr
    assert "tenants connect to qemu:///system only" in said


def test_a_tenants_console_is_a_stream_through_the_relay(host: Relayed, tmp_path: Path) -> None:
    let_in(host)
    xml = tmp_path / "domain.xml"
    xml.write_text(DOMAIN)
    for words in (("define", str(xml)), ("start", "nobody-dev", "--paused")):
        done = host.virsh(*words)
        assert done.returncode == 0, done.stderr
    try:
        assert "paused" in host.virsh("domstate", "nobody-dev", user=TENANT).stdout
        virsh, *rest = host.argv("console", "nobody-dev")
        as_tenant = ["-u", TENANT, "--", virsh, *rest]
        console = pexpect.spawn("runuser", as_tenant, timeout=PATIENCE, encoding="utf-8")
        console.expect("Escape character")
        console.send("\x1d")
        console.expect(pexpect.EOF)
        assert host.virsh("destroy", "nobody-dev", user=TENANT).returncode == 0
    finally:
        host.virsh("destroy", "nobody-dev")
        host.virsh("undefine", "nobody-dev")
