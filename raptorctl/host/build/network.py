"""A network of the steps' own, by pasta(1): what they send is sent by a process without rights.

They reach what this host reaches, but none of what listens on its loopback, and nobody reaches
them. The namespace belongs to a user namespace of an account without rights, as pasta has to be
able to enter it (user_namespaces(7)).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Never

from raptorctl.errors import HostError
from raptorctl.host.build.holder import held
from raptorctl.host.system.command import find
from raptorctl.model.text import plain

NOBODY: Final = (
    "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs",
)  # fmt: skip
APART: Final = ("unshare", "--pid", "--fork", "--kill-child=KILL")
"""In a namespace of processes pasta ends with the shell, and that with us (pid_namespaces(7))."""
OPTIONS: Final = (
    "--config-net", "--no-map-gw", "--quiet",
    "--tcp-ports=none", "--udp-ports=none", "--tcp-ns=none", "--udp-ns=none",
)  # fmt: skip
"""No port of either side is the other's, and the gateway's address is not this host's loopback."""
SYSLOG: Final = "to syslog"
"""What pasta says of each line for which there is no journal."""
RESOLVED: Final = Path("/run/systemd/resolve/resolv.conf")
"""The name servers behind systemd-resolved, which itself listens on loopback."""


@contextmanager
def made() -> Iterator[tuple[str, ...]]:
    """Have a network for as long as the block lasts; yields how nsenter(1) is told to enter it.

    Raises:
        MissingError: pasta is not installed.
        HostError: this host has no route to anywhere, or lets nobody have a network.
    """
    pasta = find("pasta")
    alone = (*NOBODY, "unshare", "--user", "--map-root-user", "--net", "sh", "-c", _until("true"))
    with held(alone, _refuse) as holder:
        spaces = f"/proc/{holder}/ns"
        join = f"{pasta} {' '.join(OPTIONS)} --userns {spaces}/user --netns {spaces}/net"
        joined = (*APART, *NOBODY, "sh", "-c", _until(join))
        with held(joined, _refuse):
            yield (f"--net={spaces}/net",)


def resolver() -> str:
    """Return the option of systemd-nspawn(1) that lets steps ask this host's name servers."""
    return f"--resolv-conf=bind-{'uplink' if RESOLVED.exists() else 'host'}"


def _until(first: str) -> str:
    """Do something, say so, and wait until our end of the pipe is closed."""
    return f"{first} && echo ready && cat >/dev/null"


def _refuse(errors: bytes) -> Never:
    lines = [line for line in errors.decode(errors="replace").splitlines() if SYSLOG not in line]
    raise HostError(f"no network can be made: {plain(lines[-1] if lines else 'no word why')}")
