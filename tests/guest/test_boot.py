"""Guests boot on this machine, and the Debian one does at first boot what raptorctl's seed says.

Asked from outside: its console, its port 22, the agent's socket.
"""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from raptorctl.model.names import MachineName
from raptorctl.model.seed import FirstBoot, HostKey, Network, SeedGuest
from raptorctl.model.sizes import MIB, Size
from raptorctl.model.spec import MachineSpec
from raptorctl.render.cloud_config import render_seed
from raptorctl.render.seed_iso import render_iso
from tests import guest
from tests.guest import boot
from tests.lab.process import tool

pytestmark = pytest.mark.timeout(1800)
NAME = MachineName("alice", "dev")
SWAP, GIB = Size(32 * MIB), 1 << 30


@dataclass(frozen=True)
class Known:
    """The Debian guest, and how to log in to it.

    Args:
        guest: the one that runs.
        key: alice's private key.
    """

    guest: boot.Running
    key: Path

    def ssh(self, *command: str, user: str = "alice", key: Path | None = None) -> str:
        """Log in, if the guest shows the host key that its seed gave it, and run a command."""
        options = {
            "BatchMode": "yes",
            "IdentitiesOnly": "yes",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": str(self.key.parent / "known_hosts"),
            "HostKeyAlias": "alice-dev",
            "ConnectTimeout": "60",
        }
        words = [f"-o{name}={value}" for name, value in options.items()]
        done = subprocess.run(
            ["ssh", "-F", "/dev/null", "-i", str(key or self.key), *words,
             "-p", str(self.guest.port), f"{user}@127.0.0.1", "--", *command],
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        return done.stdout if done.returncode == 0 else f"{done.returncode}: {done.stderr}"

    def lets_in(self, timeout: float = 900) -> None:
        """Wait until a login succeeds."""
        end = time.monotonic() + timeout
        while said := self.ssh("true"):
            assert time.monotonic() < end, f"{said}\n{self.guest.console()[-4000:]}"
            time.sleep(1)


def key_pair(path: Path) -> tuple[str, str]:
    tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", path.name, "-f", path, timeout=30)
    return path.read_text(), path.with_suffix(".pub").read_text().strip()


def seed(directory: Path, network: Network = Network.DHCP) -> Path:
    """What raptorctl tells alice's machine, on a disk."""
    private, public = key_pair(directory / "host_key")
    (directory / "known_hosts").write_text(f"alice-dev {public}\n")
    _, alice = key_pair(directory / "alice")
    wanted = MachineSpec(
        hosts={"192.0.2.7": ("registry.example",)},
        sysctl={"net.ipv4.ip_forward": "1"},
        swap=SWAP,
        network=network,
        user_data="#cloud-config\nwrite_files:\n- {path: /etc/mine, content: 'no'}\n",
    )
    told = render_seed(
        FirstBoot((alice,), HostKey(private, public)),
        SeedGuest(NAME, "vm.example.org", "first", boot.SLOT),
        wanted,
    )
    path = directory / "seed.iso"
    path.write_bytes(render_iso(told))
    return path


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    """The Debian guest on a larger disk than its image's, when its first boot is over."""
    directory = tmp_path_factory.mktemp("debian")
    disk = boot.layer(guest.debian(), directory, "qcow2", "6G")
    with boot.running(disk, directory, seed(directory)) as machine:
        machine.says("raptorctl: cloud-init final done")
        yield Known(machine, directory / "alice")


def test_every_stage_of_cloud_init_ends_without_a_complaint(debian: Known) -> None:
    # It ends with 2 where there was a warning, and there is one whenever a seed sends its output
    # somewhere else (cloud-init's main.py: "Stdout, stderr changing to").
    status = json.loads(debian.ssh("cloud-init status --wait --format json || [ $? = 2 ]"))
    assert (status["status"], status["errors"]) == ("done", [])
    complaints = [line for lines in status["recoverable_errors"].values() for line in lines]
    assert [line for line in complaints if not line.startswith("Stdout, stderr changing")] == []
    assert status["datasource"] == "nocloud"
    verdicts = debian.ssh("sudo", "cloud-init", "schema", "--system")
    for part in ("user-data", "network-config"):
        assert f"Valid schema {part}" in verdicts


def test_alice_logs_in_by_her_key_and_the_host_key_is_the_one_it_was_given(debian: Known) -> None:
    assert debian.ssh("whoami") == "alice\n"
    assert debian.ssh("sudo", "whoami") == "root\n"


def test_nobody_else_does(debian: Known, tmp_path: Path) -> None:
    key_pair(tmp_path / "mallory")
    assert "Permission denied (publickey)" in debian.ssh("true", key=tmp_path / "mallory")
    assert "255" in debian.ssh("true", user="root")


def test_it_has_no_host_key_but_that_one(debian: Known) -> None:
    assert debian.ssh("ls /etc/ssh/ssh_host_*_key") == "/etc/ssh/ssh_host_ed25519_key\n"


def test_it_has_its_name_and_the_other_things_it_was_told(debian: Known) -> None:
    assert debian.ssh("hostname", "-f").split() == ["alice-dev.vm.example.org"]
    assert debian.ssh("hostname").split() == ["alice-dev"]
    assert debian.ssh("cat", "/etc/mine") == "no"
    assert "192.0.2.7" in debian.ssh("getent", "hosts", "registry.example")
    assert debian.ssh("cat", "/proc/sys/net/ipv4/ip_forward") == "1\n"
    assert "/swapfile" in debian.ssh("cat", "/proc/swaps")


def test_its_root_file_system_fills_the_disk(debian: Known) -> None:
    size = debian.ssh("df", "--block-size=1", "--output=size", "/").split()[-1]
    assert int(size) > 5 * GIB


def test_a_login_is_offered_on_its_console(debian: Known) -> None:
    # The kernel and systemd speak there too, between agetty's name and its question.
    assert "alice-dev" in debian.guest.says(" login:")


def test_its_agent_answers(debian: Known) -> None:
    with socket.socket(socket.AF_UNIX) as agent:
        agent.settimeout(300)
        agent.connect(str(debian.guest.directory / "agent.sock"))
        with agent.makefile("rw") as stream:
            stream.write('{"execute": "guest-get-host-name"}\n')
            stream.flush()
            assert json.loads(stream.readline())["return"]["host-name"] == "alice-dev"


def test_it_goes_down_when_the_power_button_is_pressed(debian: Known) -> None:
    debian.guest.press_power()
    assert debian.guest.process.wait(600) == 0


def test_a_guest_that_asks_nobody_has_its_slots_addresses_and_its_gateway(tmp_path: Path) -> None:
    disk = boot.layer(guest.debian(), tmp_path, "qcow2", "6G")
    with boot.running(disk, tmp_path, seed(tmp_path, Network.STATIC), boot.STATIC) as machine:
        debian = Known(machine, tmp_path / "alice")
        debian.lets_in()
        (link,) = json.loads(debian.ssh("ip -j address show dev eth0"))
        known = {(one["local"], one["prefixlen"]) for one in link["addr_info"]}
        assert {("198.51.100.1", 32), ("2001:db8:0:1::1", 128)} <= known
        for version, gateway in (("-4", "169.254.1.1"), ("-6", "fe80::1")):
            (route,) = json.loads(debian.ssh(f"ip {version} -j route show default"))
            assert (route["gateway"], route["dev"]) == (gateway, "eth0")
