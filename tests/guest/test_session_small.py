"""A small guest of somebody without rights, on libvirt's session: what needs a kernel that listens."""

import shutil
from collections.abc import Iterator

import pytest

from tests import guest
from tests.guest.session_debian import NAME
from tests.integration.session_account import Person, somebody

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture
def owner() -> Iterator[Person]:
    """Somebody whose machine `web` is up."""
    with somebody() as person:
        image = person.home / "small.raw"
        shutil.copy(guest.small(), image)
        image.chmod(0o644)
        wish = ("--image", str(image), "--size", "64M", "--memory", "256M", "--cpus", "1", "-y")
        person.raptorctl("provision", NAME, *wish)
        person.raptorctl("wait", NAME, "--for", "ssh", "--timeout", "600")
        yield person
        person.raptorctl("stop", NAME, "--timeout", "0", "--force", check=False)
        person.raptorctl("deprovision", NAME, "-y")
        assert person.files() == set()


def test_a_seed_is_taken_from_a_guest_that_runs(owner: Person) -> None:
    assert any("seed" in name for name in owner.files())
    owner.raptorctl("seed", "detach", NAME, "-y")
    shown = ("virsh", "-c", "qemu:///session", "domblklist", f"{owner.login}-{NAME}")
    assert "seed" not in owner.run(*shown).stdout
    assert not any("seed" in name for name in owner.files())
    assert "already" in owner.raptorctl("seed", "detach", NAME, "-y").stdout
