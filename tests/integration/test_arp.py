"""The question on the wire, on a real one: two network namespaces with a cable between them."""

import os
import subprocess
from collections.abc import Iterator

import pytest

PROBE = (
    "import sys; from raptorctl.host.guest.arp import answers;"
    "print(answers(sys.argv[1], sys.argv[2], sys.argv[3], 1.0))"
)
MAC, OTHER = "52:54:00:00:00:01", "52:54:00:00:00:02"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def wire() -> Iterator[tuple[str, str]]:
    """Names of two namespaces: the host's, with `near`, and the guest's, with `far`, which is up."""
    host, guest = f"raptor-h{os.getpid()}", f"raptor-g{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", host], check=False, capture_output=True)
    if made.returncode:
        pytest.skip("this machine makes no network namespaces")
    try:
        ip("netns", "add", guest)
        ip("-n", host, "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", guest)
        ip("-n", guest, "link", "set", "far", "address", MAC)
        ip("-n", host, "link", "set", "near", "up")
        ip("-n", guest, "link", "set", "far", "up")
        yield host, guest
    finally:
        for name in (host, guest):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def ask(host: str, interface: str, address: str, mac: str) -> bool:
    import sys

    words = ("netns", "exec", host, sys.executable, "-c", PROBE, interface, address, mac)
    done = subprocess.run(["ip", *words], check=True, capture_output=True, text=True, timeout=60)
    return done.stdout.strip() == "True"


def test_only_the_macs_own_answer_counts(wire: tuple[str, str]) -> None:
    host, guest = wire
    assert not ask(host, "near", "198.51.100.1", MAC)
    ip("-n", guest, "addr", "add", "198.51.100.1/32", "dev", "far")
    assert ask(host, "near", "198.51.100.1", MAC)
    assert not ask(host, "near", "198.51.100.1", OTHER)
    assert not ask(host, "near", "198.51.100.2", MAC)


def test_a_guest_that_has_gone_is_gone_at_once(wire: tuple[str, str]) -> None:
    host, guest = wire
    ip("-n", guest, "addr", "add", "198.51.100.1/32", "dev", "far")
    assert ask(host, "near", "198.51.100.1", MAC)
    ip("-n", guest, "link", "set", "far", "down")
    assert not ask(host, "near", "198.51.100.1", MAC)
    assert not ask(host, "none", "198.51.100.1", MAC)
