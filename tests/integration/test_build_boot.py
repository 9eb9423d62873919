"""A build whose machine never comes up, killed and interrupted: nothing of it is left.

The machine is libvirt's, of a session, and real; its firmware finds nothing to boot.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.session_account import Person, somebody

FILE = """
[build.web]
from = "./base.raw"
steps = [{ inline = "true" }]
output = [{ file = "out/web.qcow2" }, { image = "web" }]
"""


@pytest.fixture(scope="module")
def person() -> Iterator[Person]:
    if Path("/etc/raptorctl/settings.toml").exists():
        pytest.fail("this is a shared host: nobody's own")
    with somebody() as found:
        base = found.home / "base.raw"
        base.write_bytes(bytes(510) + b"\x55\xaa")  # a partition table with nothing in it
        os.truncate(base, 4 << 20)
        (found.home / "raptor.toml").write_text(FILE)
        yield found


def machines(person: Person) -> str:
    return person.run("virsh", "-c", "qemu:///session", "list", "--all", "--name").stdout.strip()


def awaited(person: Person, *, there: bool) -> None:
    deadline = time.monotonic() + 120
    while machines(person).startswith("raptor-build-") is not there:
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGINT])
def test_a_build_that_is_ended_leaves_no_machine_no_folder_and_no_output(
    person: Person, signum: signal.Signals
) -> None:
    process = subprocess.Popen(
        [person.python, "-m", "raptorctl", "build"],
        cwd=person.home, env=person.environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **person.who,
    )  # fmt: skip
    try:
        awaited(person, there=True)
        process.send_signal(signum)
        _, said = process.communicate(timeout=120)
    finally:
        process.kill()
    expected = -signal.SIGKILL if signum is signal.SIGKILL else 128 + signal.SIGINT
    assert process.returncode == expected, said.decode()
    awaited(person, there=False)
    person.raptorctl("recover")
    builds = person.data / "seeds/builds"
    assert [*builds.iterdir()] == []
    assert not (person.home / "out").exists()
    assert "web" not in person.raptorctl("image", "list").stdout.split()
