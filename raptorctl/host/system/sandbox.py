"""A program that nobody has to trust: in a room of its own (bwrap(1)), under limits, never as root.

It has the system's programs and no other file, a loopback without anybody on it, no process but its
own, and a small /tmp that goes with it. Standard output and error are files, so that one limit of
the kernel's, RLIMIT_FSIZE, bounds all that it may write (setrlimit(2)). RLIMIT_NPROC is set inside,
where it counts the processes of the room alone (user_namespaces(7)).
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Final

from raptorctl.errors import MissingError, RefusedError
from raptorctl.host.system.command import ENVIRONMENT, find
from raptorctl.model.sizes import MIB

SECONDS: Final = 10
"""Until it is ended: of the clock, and for each process of CPU time."""
PROCESSES: Final = 16
MEMORY: Final = 128 * MIB
"""Bytes of address space, for each process."""
OUTPUT: Final = 2 * MIB
"""Bytes of any file, what it says among them."""
FILE: Final = "/given"
"""Where it finds what it was given."""
SCRATCH: Final = "/tmp"  # noqa: S108 - of the room alone; bash writes long here-documents there
NOBODY: Final = "65534"

ROOM: Final = (
    "--unshare-user", "--disable-userns", "--unshare-ipc", "--unshare-pid", "--unshare-net",
    "--unshare-uts", "--unshare-cgroup-try", "--die-with-parent", "--new-session",
    "--uid", NOBODY, "--gid", NOBODY, "--cap-drop", "ALL", "--clearenv",
    "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/sbin", "/sbin",
    "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64",
    "--ro-bind-try", "/etc/alternatives", "/etc/alternatives",  # Debian's awk
    "--proc", "/proc", "--dev", "/dev", "--size", str(8 * MIB), "--tmpfs", SCRATCH,
    "--ro-bind-data", "0", FILE, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", SCRATCH,
)  # fmt: skip


@dataclass(frozen=True)
class Confined:
    """How a program ended.

    Args:
        status: its exit status; negative for a signal; None if it was out of time.
        out, err: what it wrote; `OUTPUT` bytes of it are not all.
    """

    status: int | None
    out: bytes
    err: bytes


def confined(argv: Sequence[str], given: bytes, environment: Mapping[str, str]) -> Confined:
    """Run a program that may do anything, where it can do nothing.

    Args:
        argv: the program and its arguments.
        given: what it finds in `FILE`.
        environment: all of its environment but PATH, HOME and the locale.

    Raises:
        RefusedError: root asks for it.
        MissingError: bwrap is not installed, or may not do so on this host.
    """
    if os.geteuid() == 0:
        raise RefusedError(
            "what nobody has to trust is not run as root", resolution="leave sudo out"
        )
    _try_room()
    variables = {**ENVIRONMENT, "LC_ALL": "C.UTF-8", "HOME": "/nonexistent", **environment}
    return _run([*_room(variables), *_limits(), *argv], given)


def _try_room() -> None:
    """Tell a host on which no account may have a room from a program that fails in one."""
    tried = _run([*_room(ENVIRONMENT), "true"], b"")
    if tried.status != 0:
        raise MissingError(
            "bwrap cannot shut a program in on this host",
            details=tried.err.decode(errors="replace"),
            resolution="let accounts have user namespaces (sysctl, AppArmor); -v says more",
        )


def _room(variables: Mapping[str, str]) -> list[str]:
    setting = (word for pair in variables.items() for word in ("--setenv", *pair))
    return [find("bwrap"), *ROOM, *setting]


def _limits() -> tuple[str, ...]:
    return (
        "prlimit", f"--nproc={PROCESSES}", f"--as={MEMORY}", f"--fsize={OUTPUT}",
        f"--cpu={SECONDS}", "--nofile=64", "--core=0",
    )  # fmt: skip


def _run(argv: Sequence[str], given: bytes) -> Confined:
    with TemporaryFile() as source, TemporaryFile() as out, TemporaryFile() as err:
        source.write(given)
        source.seek(0)
        try:
            status: int | None = subprocess.run(
                argv, stdin=source, stdout=out, stderr=err, env=ENVIRONMENT, cwd="/",
                start_new_session=True, timeout=SECONDS, check=False,
            ).returncode  # fmt: skip
        except subprocess.TimeoutExpired:  # bwrap is killed, and with it the first process there
            status = None
        return Confined(status, *(os.pread(file.fileno(), OUTPUT, 0) for file in (out, err)))
