"""Commands in the lab, over one multiplexed ssh connection per account."""

import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.lab import cache
from tests.lab.image import Image, key_pair

ALIAS = "raptor-lab"
"""The name the host key is pinned to, whatever port the lab listens on today."""


@dataclass(frozen=True)
class Ssh:
    """How to reach the lab of this checkout."""

    port: int
    directory: Path

    def options(self) -> list[str]:
        """Return ssh's options; the user's own configuration stays out of it."""
        pairs = {
            "BatchMode": "yes",
            "IdentitiesOnly": "yes",
            "IdentityFile": str(key_pair()),
            "HostKeyAlias": ALIAS,
            "UserKnownHostsFile": str(self.directory / "known_hosts"),
            "StrictHostKeyChecking": "yes",
            "KexAlgorithms": "curve25519-sha256",  # the cheapest handshake under emulation
            "ControlMaster": "auto",
            "ControlPath": f"{self.directory}/%r.ssh",
            "ControlPersist": "3600",
            "ConnectTimeout": "20",
            "ServerAliveInterval": "15",
            "ServerAliveCountMax": "8",
            "LogLevel": "ERROR",
        }
        return ["-F", "/dev/null", *(f"-o{name}={value}" for name, value in pairs.items())]

    def argv(self, *command: str, user: str | None = None, tty: bool = False) -> list[str]:
        """Return the local command line that runs `command`, word for word, in the lab."""
        terminal = ["-tt"] if tty else ["-T"]
        login = f"{user or 'root'}@127.0.0.1"
        remote = [shlex.join(command)] if command else []
        return ["ssh", *self.options(), *terminal, "-p", str(self.port), login, "--", *remote]

    def pin(self, image: Image) -> None:
        """Trust the host key that the image was built with, and no other."""
        key = " ".join(image.host_key.split()[:2])
        (self.directory / "known_hosts").write_text(f"{ALIAS} {key}\n")

    def forget(self) -> None:
        """End the shared connections: after a jump in the lab's time they lead nowhere."""
        for control in self.directory.glob("*.ssh"):
            command = [
                "ssh",
                "-F",
                "/dev/null",
                "-o",
                f"ControlPath={control}",
                "-O",
                "exit",
                "lab",
            ]
            subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
            control.unlink(missing_ok=True)

    def copy(self, source: str, target: str) -> list[str]:
        """Return the command line that copies a file or folder; `lab:` marks the lab's side."""
        sides = [side.replace("lab:", "root@127.0.0.1:", 1) for side in (source, target)]
        return ["scp", *self.options(), "-q", "-r", "-P", str(self.port), *sides]


def here(port: int) -> Ssh:
    """Return the way to this checkout's lab."""
    return Ssh(port, cache.lab_directory())
