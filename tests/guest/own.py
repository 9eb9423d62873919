"""The Debian guest as a machine of somebody's own: made by raptorctl, without rights, to the end."""

import shutil
import subprocess

from tests import guest
from tests.integration.own_account import Person
from tests.lab.process import wait_for

PATIENCE = 900
"""Seconds for a boot: a bound, not an expectation."""
NAME = "web"


class OwnDebian:
    """A machine called `web`, whose owner has a key in his home directory.

    Args:
        person: the owner.
    """

    def __init__(self, person: Person) -> None:
        self.person = person
        self.identity = person.home / ".ssh/id_ed25519"

    def provision(self) -> None:
        """Make it; it boots."""
        image = self.person.home / "debian.qcow2"
        shutil.copy(guest.debian(), image)
        image.chmod(0o644)
        self.person.run("mkdir", "-m", "700", str(self.identity.parent))
        key = ("-t", "ed25519", "-N", "", "-f", str(self.identity))
        self.person.run("ssh-keygen", "-q", *key)
        wish = ("--image", str(image), "--memory", "1G", "--cpus", "2", "-y")
        self.person.raptorctl("provision", NAME, *wish)

    def waiting(self, what: str) -> "subprocess.Popen[str]":
        """Begin to wait; it has looked once, and says so, or has ended."""
        process = self.begun("wait", NAME, "--for", what, "--timeout", str(PATIENCE))
        assert process.stderr
        process.stderr.readline()
        return process

    def ssh(self, *words: str) -> "subprocess.Popen[str]":
        """Begin a command in it."""
        return self.begun("ssh", NAME, "--identity", str(self.identity), "--", *words)

    def begun(self, *typed: str) -> "subprocess.Popen[str]":
        """Begin a command of raptorctl's."""
        return subprocess.Popen(
            (self.person.python, "-m", "raptorctl", *typed),
            cwd=self.person.home,
            env=self.person.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **self.person.who,
        )

    def reset(self) -> None:
        """Press its reset button, and let the boot before be forgotten."""
        self.person.raptorctl("reset", NAME)
        wait_for("its console to speak of a new boot", self._told_of_the_last, PATIENCE)

    def _told_of_the_last(self) -> str | None:
        look = ("wait", NAME, "--for", "cloud-init", "--timeout", "0")
        done = self.person.raptorctl(*look, check=False)
        return None if done.returncode == 5 else done.stdout + done.stderr

    def remove(self) -> None:
        """Nothing of it is left."""
        self.person.raptorctl("stop", NAME, "--timeout", "0", "--force", check=False)
        self.person.raptorctl("deprovision", NAME, "-y")


def ended(process: "subprocess.Popen[str]") -> str:
    """Wait for a command to end well; return what it said."""
    out, error = process.communicate(timeout=PATIENCE + 60)
    assert process.returncode == 0, f"{process.args!r}: {out}{error}"
    return out
