"""A machine of somebody's own, made, entered and removed by make alone.

The small guest in every run; a whole Debian with its seed by `make full-boots`.
"""

import shutil
import subprocess

import pytest

from tests import guest
from tests.full_boot import full
from tests.guest.session_debian import NAME, SessionDebian
from tests.integration.session_account import Person, somebody

pytestmark = pytest.mark.timeout(3600)

ACCEPTING = "V1ALPHA1_SSH_EXTRA_OPTS=-oStrictHostKeyChecking=accept-new"
"""Without a seed nobody knows the guest's host key before it is there."""


def made(person: Person, *targets: str) -> "subprocess.CompletedProcess[str]":
    """Call make once in the machine's folder, which is all that is left; no raptorctl is there."""
    person.raptorctl("render", "makefile", NAME)
    person.raptorctl("deprovision", NAME, "--force", "-y")
    assert person.run("sh", "-c", "command -v raptorctl", check=False).returncode
    done = subprocess.run(
        ["make", "-s", "-C", f"{person.home}/{NAME}", *targets],
        cwd=person.home, env=person.environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=3000, **person.who,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    shown = person.run("virsh", "-c", "qemu:///session", "list", "--all", "--name")
    assert shown.stdout.strip() == ""
    assert person.files() == set()
    return done


def test_the_small_guest_comes_up_lets_in_and_goes_down_at_the_power_button_in_one_call() -> None:
    with somebody() as person:
        image = person.home / "small.raw"
        shutil.copy(guest.small(), image)
        image.chmod(0o644)
        wish = ("--image", str(image), "--size", "64M", "--memory", "256M", "--cpus", "1", "-y")
        person.raptorctl("provision", NAME, *wish, "--no-seed", "--no-start")
        asked = "CMD=cat /sys/class/tty/console/active; ip -4 address show dev eth0"
        root = "V1ALPHA1_SSH_USER=root"
        done = made(person, "up", "wait-for-ready", "ip", "ssh", asked, "down", root, ACCEPTING)
        assert "127.0.0.1" in done.stdout.split()
        assert "ttyS0" in done.stdout.split()
        assert "inet 10.0.2.15/24" in done.stdout
        assert "its power is cut" not in done.stderr


@full
def test_a_rendered_folder_goes_from_nothing_to_a_login_and_back_in_one_call() -> None:
    with somebody() as person:
        machine = SessionDebian(person)
        machine.provision()
        done = made(person, "up", "wait-for-ready", "ip", "ssh", "CMD=id -un", "down")
        assert "127.0.0.1" in done.stdout.split()
        assert person.login in done.stdout.split()
