"""Chroots of Debian 13: made once for a list of packages, and copied for whoever changes one's files."""

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.lab import cache
from tests.lab.errors import LabError
from tests.lab.image import SUITE, mirror
from tests.lab.process import as_root, tail, tool

TIMEOUT: Final = 600
"""Seconds for a command in a chroot: a bound, not an expectation."""

OPTIONS: Final = ("--variant=minbase", "--mode=root", '--customize-hook=mkdir "$1/build"')

ENVIRONMENT: Final = (
    "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/tmp",
    "LC_ALL=C.UTF-8",
    "DEBIAN_FRONTEND=noninteractive",
)

APART: Final = ("unshare", "--mount", "--pid", "--net", "--fork", "--kill-child")
"""No network, no process of this machine's, and mounts that end with the command (unshare(1))."""

INSIDE: Final = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
READ_ONLY: Final = (
    'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && '
    'mount -t tmpfs tmpfs "$0/tmp" && mount --bind "$1" "$0/build" && shift && '
)
"""Before INSIDE: only /tmp and /build can be written; the latter is the first argument."""


def ensure(kind: str, packages: Iterable[str]) -> Path:
    """Return a root file system with these packages, made if it is not there; never change it.

    Args:
        kind: of its name in the cache, where others of the kind go when nobody uses them.
        packages: of Debian's, beside what every system has.
    """
    command = ("mmdebstrap", *OPTIONS, f"--include={','.join(sorted(packages))}", SUITE)

    def make(scratch: Path) -> None:
        tool(*as_root(*command, scratch / "root", *mirror()), timeout=1800)

    title = f"building a chroot of Debian {SUITE}"
    return cache.made(kind, cache.digest(*command), title, 2, make) / "root"


def copy(root: Path, target: Path) -> None:
    """Copy a root file system, by reference where the file system can."""
    tool(*as_root("cp", "--archive", "--reflink=auto", root, target), timeout=TIMEOUT)


def run(
    root: Path, *words: str, cwd: str = "/", build: Path | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a command in a chroot as root, with nothing of this machine's surroundings.

    Args:
        root: of the file system.
        words: the command.
        cwd: where, as it is called in the chroot.
        build: what the chroot sees as /build; nothing else of it changes then.
        check: whether any other exit status than 0 is an error.

    Raises:
        LabError: it ended with another status.
        subprocess.TimeoutExpired: it lasted longer than `TIMEOUT`.
    """
    clean = ("env", "--ignore-environment", f"--chdir={cwd}", *ENVIRONMENT)
    script, shown = (READ_ONLY + INSIDE, [build]) if build else (INSIDE, [])
    done = subprocess.run(
        as_root(*APART, "sh", "-c", script, root, *shown, *clean, *words),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    if check and done.returncode:
        said = tail(done.stdout + done.stderr)
        raise LabError(f"{words[0]} ended with {done.returncode} in the chroot:\n{said}")
    return done
