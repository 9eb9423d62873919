"""The shell of tenants without a shell, behind a real sshd with the role's own settings."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.alone import alone
from tests.integration.session_account import Person, somebody
from tests.integration.sshd import Sshd

ROLE = Path(__file__).parents[2] / "ansible/roles/raptor_host/files/sshd.conf"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an account with another shell is root's")


@pytest.fixture(scope="module")
def bob() -> Iterator[Person]:
    with somebody() as person:
        shell = person.home / "shell"
        shell.write_text(
            f"#!/bin/sh\nexport PYTHONPATH={person.environment['PYTHONPATH']}\n"
            f'exec {person.python} -m raptorctl.cli.shell "$@"\n'
        )
        shell.chmod(0o755)
        # `*` is no password that anything matches; `!` would be a locked account (sshd(8)).
        with alone("accounts"):
            subprocess.run(["usermod", "-s", shell, "-p", "*", person.login], check=True)
        yield person


@pytest.fixture(scope="module")
def sshd(bob: Person) -> Iterator[Sshd]:
    folder = bob.home / "sshd"  # sshd reads an account's keys as that account
    folder.mkdir()
    with Sshd(folder, more=role_settings(bob.login, folder / "authorized")) as server:
        yield server


def role_settings(login: str, keys: Path) -> str:
    """What the role lays, for this account and these keys instead of the host's groups and files."""
    text = ROLE.read_text()
    for group in ("vm-console", "vm-users"):
        text = text.replace(f"Match Group {group}", f"Match User {login}")
    return text.replace("/etc/raptorctl/keys/%u", str(keys))


def login(sshd: Sshd, bob: Person, line: str, *options: str) -> subprocess.CompletedProcess[str]:
    known = sshd.folder / "known"
    known.write_text(f"[127.0.0.1]:{sshd.port} {(sshd.folder / 'host.pub').read_text()}")
    return subprocess.run(
        ["ssh", "-F", "/dev/null", "-T", f"-oUserKnownHostsFile={known}", "-oBatchMode=yes",
         f"-oPort={sshd.port}", "-oIdentitiesOnly=yes", f"-i{sshd.folder / 'own'}", *options,
         f"{bob.login}@127.0.0.1", line],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_its_words_are_obeyed(sshd: Sshd, bob: Person) -> None:
    done = login(sshd, bob, "help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "console dev    its console" in done.stdout


@pytest.mark.parametrize(
    "line",
    [
        "id", "/bin/sh", "bash -i", "list; id", "list && id", "list $(id)", "list `id`", "list | sh",
        "virsh list", "virt-ssh-helper qemu:///system", "scp -t /tmp", "sftp-server", "rsync --server",
        "internal-sftp", "console dev --force", "list --settings /etc/shadow", "list\tx", "exit; id",
    ],
)  # fmt: skip
def test_nothing_else_is_obeyed(sshd: Sshd, bob: Person, line: str) -> None:
    done = login(sshd, bob, line)
    assert done.returncode == 2
    assert "none of the words here" in done.stderr
    assert done.stdout == ""


def test_no_subsystem_and_no_port_is_opened(sshd: Sshd, bob: Person) -> None:
    copied = login(sshd, bob, "sftp", "-s")
    assert (copied.returncode, copied.stdout) == (2, "")
    forwarded = login(sshd, bob, "", "-N", f"-W127.0.0.1:{sshd.port}")
    assert forwarded.returncode != 0
    assert "SSH-2.0" not in forwarded.stdout


def test_a_variable_sent_along_changes_nothing(sshd: Sshd, bob: Person) -> None:
    done = login(sshd, bob, "help", "-oSetEnv=PYTHONPATH=/tmp LIBVIRT_DEFAULT_URI=test:///default")
    assert (done.returncode, "console dev" in done.stdout) == (0, True)
