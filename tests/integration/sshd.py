"""A real sshd on loopback: a guest's, with a host key of its own."""

import os
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from raptorctl.drivers.guest import Login
from raptorctl.model.guest import Endpoint
from raptorctl.model.ssh_key import PublicKey, parse_keys

CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized
PidFile {folder}/pid
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
Subsystem sftp internal-sftp
"""


def make_key(path: Path) -> PublicKey:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return parse_keys(path.with_suffix(".pub").read_text())[0]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Sshd:
    """sshd in the foreground, below `folder`.

    Args:
        folder: keys and configuration.
        more: settings that come before the others, as the first value counts (sshd_config(5)).
    """

    folder: Path
    more: str = ""

    def __enter__(self) -> Self:
        self.port = free_port()
        self.key = make_key(self.folder / "host")
        make_key(self.folder / "own")
        (self.folder / "authorized").write_text((self.folder / "own.pub").read_text())
        config = CONFIG.format(port=self.port, folder=self.folder)
        # A Match block lasts until the next one (sshd_config(5)).
        (self.folder / "config").write_text(f"{self.more}\nMatch all\n{config}")
        if os.geteuid() == 0:  # sshd(8): its privileges are dropped into an empty directory
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.start()
        return self

    def start(self) -> None:
        """Start it, anew where it was ended."""
        self.process = subprocess.Popen(
            ["/usr/sbin/sshd", "-D", "-e", "-f", self.folder / "config"],
            stderr=(self.folder / "log").open("wb"),
        )
        self._wait()

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it; who is logged in stays so."""
        self.process.terminate()
        self.process.wait(10)

    def _wait(self) -> None:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except ConnectionRefusedError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError((self.folder / "log").read_text())

    def login(self, key: PublicKey | None = None, identity: Path | None = None) -> Login:
        import getpass

        return Login(
            "alice-dev",
            Endpoint("127.0.0.1", self.port),
            getpass.getuser(),
            (key or self.key,),
            identity or self.folder / "own",
        )
