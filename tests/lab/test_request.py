"""Tenants who help themselves, over ssh: made within the policy, kept beyond it, and no more.

The policy is the lab's (host_vars.yml). What came of it is looked at by virsh and lvs.
"""

import json

import pytest

from tests.lab.host import Lab

NEW = ("raptorctl", "request", "provision", "dev", "--cpus", "1", "--memory", "128M", "-y")
JUNK = """
import socket
with socket.socket(socket.AF_UNIX) as asked:
    asked.connect("/run/raptorctl/request.sock")
    asked.sendall(b"\\0junk\\n")
    print(asked.makefile().read(), end="")
"""


@pytest.fixture(scope="module")
def host(quiet: Lab) -> Lab:
    """A host with two tenants and an image that the policy names."""
    quiet.tenant("alice")
    quiet.tenant("bob")
    quiet.sh("qemu-img create -q -f qcow2 /root/small.qcow2 16M")
    quiet.run("raptorctl", "image", "pull", "/root/small.qcow2", "--name", "small")
    return quiet


def test_within_the_policy_it_stands_beyond_it_an_admin_is_asked_and_others_see_nothing(
    host: Lab,
) -> None:
    made = host.run(*NEW, "--image", "small", "--size", "64M", user="alice")
    assert "machine alice-dev: 64M on guest-alice-dev" in made.stdout
    assert host.run("virsh", "domstate", "alice-dev").stdout.strip() == "running"
    tags = host.run("lvs", "--noheadings", "-o", "lv_tags", "lvm-data/guest-alice-dev").stdout
    assert "raptor.tenant=alice" in tags
    lines = host.run("cat", "/var/log/raptorctl/audit.jsonl").stdout.splitlines()
    (audit,) = (one for one in map(json.loads, lines) if one["machine"] == "alice-dev")
    assert (audit["verb"], audit["machine"], audit["by"]) == ("provision", "alice-dev", "alice")

    big = ("raptorctl", "request", "resize", "dev", "--size", "512M", "-o", "json", "-y")
    waiting = json.loads(host.run(*big, user="alice").stdout)["waiting"]
    assert waiting["beyond"] == ["512M of disk is more than 256M"]
    foreign = host.run("raptorctl", "request", "show", waiting["id"], user="bob", check=False)
    assert (foreign.returncode, foreign.stdout) == (3, "")
    refused = host.run(
        "raptorctl", "request", "approve", waiting["id"], "-y", user="bob", check=False
    )
    assert refused.returncode == 3
    (line,) = host.run("python3", "-c", JUNK, user="bob").stdout.splitlines()
    assert json.loads(line)["error"]["exit"] == 2

    host.run("raptorctl", "request", "approve", waiting["id"], "-y")
    size = ("lvs", "--noheadings", "--units", "m", "--nosuffix", "-o", "lv_size")
    assert float(host.run(*size, "lvm-data/guest-alice-dev").stdout) == 512


def test_an_account_that_is_no_tenant_does_not_reach_the_socket(host: Lab) -> None:
    done = host.run("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                    "python3", "-c", JUNK, check=False)  # fmt: skip
    assert "PermissionError" in done.stderr


def test_the_service_is_laid_and_doctor_is_content(host: Lab) -> None:
    assert host.run("systemctl", "is-enabled", "raptorctl-request.socket").stdout == "enabled\n"
    said = host.run("raptorctl", "doctor", check=False).stdout
    assert "request" not in said, said
