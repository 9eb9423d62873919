"""Turn the booted image into a raptor host, with the very role that real hosts get."""

import importlib.util
import os
import shlex
import subprocess
import sys
from pathlib import Path

from tests.lab import cache, qemu
from tests.lab.errors import LabError
from tests.lab.image import Image
from tests.lab.install import PREPARE
from tests.lab.process import tail
from tests.lab.ssh import Ssh

ANSIBLE = cache.CHECKOUT / "ansible"
HOST_VARS = cache.CHECKOUT / "tests/lab/host_vars.yml"
POLKIT = cache.CHECKOUT / "polkit"
"""The rules that the role lays."""
RELAY = cache.CHECKOUT / "raptorctl/relay"
"""What the role lays in front of libvirtd."""

TIMEOUT = 1500
"""Seconds for one run of the playbook under emulation; measured: 200, or 600 beside four other labs."""


def digest(image: Image) -> str:
    """Return the digest of everything the converged host is made from."""
    hardware = " ".join([*qemu.machine(), qemu.DATA_SIZE, qemu.APPEND])
    inputs = cache.tree_digest(ANSIBLE, RELAY, POLKIT, HOST_VARS)
    return cache.digest(image.digest, inputs, hardware, PREPARE)


def strategy() -> dict[str, str]:
    """Return what has one Python in the lab run all tasks, where mitogen is installed.

    The tasks and their modules stay the same. Without it Ansible starts a Python for each, from an
    archive that is compiled anew each time: under emulation nearly all that converging takes.
    """
    found = importlib.util.find_spec("ansible_mitogen")
    if found is None or found.origin is None:
        return {}
    plugins = Path(found.origin).parent / "plugins/strategy"
    return {"ANSIBLE_STRATEGY_PLUGINS": str(plugins), "ANSIBLE_STRATEGY": "mitogen_linear"}


def playbook(
    ssh: Ssh, *options: str, variables: str = "{}", plain: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run the playbook against the lab.

    Args:
        ssh: how to reach it.
        options: for ansible-playbook.
        variables: JSON that overrides the lab's own.
        plain: with Ansible's own strategy, as hosts have it run.
    """
    command = [
        *(str(Path(sys.executable).with_name("ansible-playbook")), str(ANSIBLE / "playbook.yml")),
        *("-i", "raptor,", "-e", f"@{HOST_VARS}", "-e", variables, *options),
    ]
    settings = {
        "ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg"),
        "ANSIBLE_HOME": str(cache.directory() / "ansible"),
        "ANSIBLE_SSH_ARGS": shlex.join(ssh.options()),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
        "LC_ALL": "C.UTF-8",
        **({} if plain else strategy()),
    }
    return subprocess.run(
        [*command, "-e", f"ansible_host=127.0.0.1 ansible_port={ssh.port} ansible_user=root"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, **settings},
        timeout=TIMEOUT,
        check=False,
    )


def converge(ssh: Ssh) -> None:
    """Apply the role, or show where it stopped."""
    done = playbook(ssh)
    log = cache.lab_directory() / "converge.log"
    log.write_text(done.stdout + done.stderr)
    if done.returncode:
        raise LabError(f"the role failed (all of it: {log}):\n{tail(done.stdout + done.stderr)}")
