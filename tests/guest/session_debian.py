"""The Debian guest as a machine of somebody's own: made by raptorctl, without rights, to the end."""

import shutil
import subprocess

from tests import guest
from tests.integration.session_account import Person

PATIENCE = 900
"""Seconds for a boot: a bound, not an expectation."""
NAME = "web"


class SessionDebian:
    """A machine called `web`, whose owner has its image and a key in his home directory.

    Args:
        person: the owner.
    """

    def __init__(self, person: Person) -> None:
        self.person = person
        self.identity = person.home / ".ssh/id_ed25519"
        self.image = person.home / "debian.qcow2"
        shutil.copy(guest.debian(), self.image)
        self.image.chmod(0o644)
        person.run("mkdir", "-m", "700", str(self.identity.parent))
        person.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.identity))

    def provision(self) -> None:
        """Make it; it boots."""
        wish = ("--image", str(self.image), "--memory", "1G", "--cpus", "2", "-y")
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

    def remove(self) -> None:
        """Nothing of it is left."""
        self.person.raptorctl("stop", NAME, "--timeout", "0", "--force", check=False)
        self.person.raptorctl("deprovision", NAME, "-y")


def ended(process: "subprocess.Popen[str]") -> str:
    """Wait for a command to end well; return what it said."""
    out, error = process.communicate(timeout=PATIENCE + 60)
    assert process.returncode == 0, f"{process.args!r}: {out}{error}"
    return out
