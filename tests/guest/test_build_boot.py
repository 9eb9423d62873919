"""A build whose steps are run in a Debian that boots, without rights: `make full-boots`."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import guest
from tests.full_boot import full
from tests.integration.session_account import somebody

pytestmark = [pytest.mark.timeout(3600), full]

FILE = """
[build.web]
from = "./debian.qcow2"
size = "4G"
files = [{ content = "built", to = "/etc/motd" }]
shares = [{ path = "share", at = "/mnt/share", writable = true }, { path = "share", at = "/mnt/ro" }]
steps = [
    { inline = "cat /etc/motd > out; id -un >> out; ! touch /mnt/ro/new", dir = "/mnt/share" },
    { command = ["touch", "/etc/made by a step"] },
]
output = [{ file = "web.raw" }]
"""


def test_steps_are_run_in_a_machine_that_leaves_nothing_of_itself_in_the_image() -> None:
    with somebody() as person:
        home = person.home
        shutil.copy(guest.debian(), home / "debian.qcow2")
        (home / "debian.qcow2").chmod(0o644)
        person.run("mkdir", "share")
        (home / "raptor.toml").write_text(FILE)
        done = subprocess.run(
            [person.python, "-m", "raptorctl", "build", "-o", "json"],
            cwd=home, env=person.environment, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=False, timeout=3000, **person.who,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["builds"][0]["way"] == "boot"
        assert (home / "share/out").read_text() == "builtroot\n"
        disk = home / "web.raw"
        start = _root(disk)
        assert "Type: regular" in _asked(disk, start, 'stat "/etc/made by a step"')
        assert "ssh_host" not in _asked(disk, start, "ls /etc/ssh")
        assert "raptorctl" not in _asked(disk, start, "cat /root/.ssh/authorized_keys")
        assert "Size: 0" in _asked(disk, start, "stat /etc/machine-id")
        subprocess.run(["/usr/sbin/e2fsck", "-fn", f"{disk}?offset={start}"], check=True)
        assert [*(person.data / "seeds/builds").iterdir()] == []


def _root(disk: Path) -> int:
    told = json.loads(
        subprocess.run(["/usr/sbin/sfdisk", "--json", disk], capture_output=True, check=True).stdout
    )
    return int(max(one["start"] for one in told["partitiontable"]["partitions"])) * 512


def _asked(disk: Path, start: int, command: str) -> str:
    argv = ["/usr/sbin/debugfs", "-R", command, f"{disk}?offset={start}"]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout
