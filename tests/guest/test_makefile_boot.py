"""A Debian of somebody's own, made, entered and removed by make alone: `make full-boots`."""

import subprocess

import pytest

from tests.full_boot import full
from tests.guest.session_debian import NAME, SessionDebian
from tests.integration.session_account import somebody

pytestmark = [pytest.mark.timeout(3600), full]


def test_a_rendered_folder_goes_from_nothing_to_a_login_and_back_in_one_call() -> None:
    with somebody() as person:
        machine = SessionDebian(person)
        machine.provision()
        person.raptorctl("render", "makefile", NAME)
        person.raptorctl("deprovision", NAME, "--force", "-y")
        assert person.run("sh", "-c", "command -v raptorctl", check=False).returncode
        targets = ("up", "wait-for-ready", "ip", "ssh", "CMD=id -un", "down")
        done = subprocess.run(
            ["make", "-s", "-C", f"{person.home}/{NAME}", *targets],
            cwd=person.home, env=person.environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False, timeout=3000, **person.who,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "127.0.0.1" in done.stdout.split()
        assert person.login in done.stdout.split()
        assert (
            person.run("virsh", "-c", "qemu:///session", "list", "--all", "--name").stdout.strip()
            == ""
        )
        assert person.files() == set()
