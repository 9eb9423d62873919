"""What a guest of somebody without rights finds: a TPM that keeps its keys, an ISO, secure boot."""

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import guest
from tests.guest.session_debian import NAME, PATIENCE
from tests.integration.session_account import PLACES, Person, somebody

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture
def owner() -> Iterator[Person]:
    """Somebody whose machine `web`, if they make one, goes with all that it had."""
    with somebody() as person:
        yield person
        person.raptorctl("deprovision", NAME, "--force", "-y")
        assert person.files() == set()
        assert kept_by_a_tpm(person) == []


def given(person: Person, file: Path) -> str:
    """Copy a file to where they may read it."""
    copy = person.home / file.name
    shutil.copy(file, copy)
    copy.chmod(0o644)
    return str(copy)


def console(person: Person) -> str:
    return (person.state / f"console/{person.login}-{NAME}.log").read_text(errors="replace")


def kept_by_a_tpm(person: Person) -> list[str]:
    place = person.home / PLACES["XDG_CONFIG_HOME"] / "libvirt/qemu/swtpm"
    return [path.name for path in place.rglob("*") if path.is_file()]


def test_a_tpm_is_found_and_keeps_its_keys_until_its_machine_goes(owner: Person) -> None:
    image = given(owner, guest.small())
    wish = ("--image", image, "--size", "64M", "--memory", "256M", "--cpus", "1", "--tpm", "-y")
    owner.raptorctl("provision", NAME, *wish)
    said = []
    for _ in range(2):
        owner.raptorctl("start", NAME)
        owner.raptorctl("wait", NAME, "--for", "ssh", "--timeout", str(PATIENCE))
        said.append(re.findall(r"tpm (\d+) bytes, key (\w{32})", console(owner))[-1])
        owner.raptorctl("stop", NAME, "--timeout", "0", "--force")
    assert said[0] == said[1]
    assert int(said[0][0]) > 100, "an error is 10 bytes (TPM 2.0 Library, Part 3, 5.2)"
    assert "tpm2-00.permall" in kept_by_a_tpm(owner)


def test_debians_installer_comes_up_from_an_iso_with_secure_boot(owner: Person) -> None:
    iso = given(owner, guest.installer())
    wish = ("--iso", iso, "--size", "64M", "--memory", "1G", "--cpus", "2")
    owner.raptorctl("provision", NAME, *wish, "--secure-boot", "on", "-y")
    end = time.monotonic() + PATIENCE
    while "Starting system log daemon" not in console(owner) and time.monotonic() < end:
        time.sleep(1)
    said = console(owner)
    assert "starting Boot" in said.partition("Starting system log daemon: syslogd, klogd")[0]
    assert "secureboot: Secure boot enabled" in said
    assert re.search(r"Linux version .*debian-kernel@lists\.debian\.org", said)
