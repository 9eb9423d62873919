"""Where the lab keeps what is slow to make: outside the checkout, named by a digest of its inputs.

Layout below the cache directory:

    ssh/            the key pair that logs in to every lab
    image-<digest>/ root file system, kernel, and the QEMU that came with it   (image.py)
    host-<digest>/  the same after the role ran, with a snapshot to resume from (host.py)
    wheel-<digest>/ raptorctl as built from one state of the checkout           (install.py)
    guest-<digest>/ disks of machines for the tests                            (tests/guest)
    builder-<digest>/, debian-<digest>/ root file systems that build and try   (tests/deb)
    deb-<digest>/   the Debian package as built from one state of the checkout (tests/deb)
    lab-<name>/     one running lab: its disks, sockets, log and state          (qemu.py)

A finished directory is never written again, so a killed lab cannot damage the cache.
"""

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.process import as_root, saying, tool

CHECKOUT = Path(__file__).resolve().parents[2]

IDLE_SECONDS = 2 * 3600
"""How long something that nobody uses stays in the cache."""

LEAVINGS = {"__pycache__", ".ansible"}
"""What Python and ansible-lint leave among the sources; no input of anything."""


def directory() -> Path:
    """Return the cache directory: $RAPTORCTL_LAB_CACHE, or the XDG base directory's place for it."""
    own = os.environ.get("RAPTORCTL_LAB_CACHE")
    xdg = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = Path(own) if own else xdg / "raptorctl-lab"
    path.mkdir(parents=True, exist_ok=True)
    return path.resolve()


def lab_directory() -> Path:
    """Return the directory of this checkout's own lab; of a second one if $RAPTORCTL_LAB names it."""
    path = directory() / f"lab-{digest(str(CHECKOUT), os.environ.get('RAPTORCTL_LAB', ''))}"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def digest(*parts: str | bytes) -> str:
    """Return a short name for exactly these inputs (48 bits: socket paths must stay short)."""
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        whole.update(len(data).to_bytes(8) + data)
    return whole.hexdigest()[:12]


def tree_digest(*roots: Path) -> str:
    """Return the digest of all files below `roots`: their names and their content.

    Pages that describe a folder are left out: nothing is made of them.
    """
    parts: list[str | bytes] = []
    for path in _files(roots):
        parts += [str(path.relative_to(CHECKOUT)), path.read_bytes()]
    return digest(*parts)


def _files(roots: Iterable[Path]) -> list[Path]:
    found = [path for root in roots for path in ([root] if root.is_file() else root.rglob("*"))]
    files = (path for path in found if path.is_file() and not LEAVINGS & {*path.parts})
    return sorted(path for path in files if path in roots or path.suffix != ".md")


def made(kind: str, name: str, title: str, room: int, make: Callable[[Path], None]) -> Path:
    """Return what was made of these inputs, or make it; what nobody uses any more goes.

    Args:
        kind: of thing.
        name: the digest of its inputs.
        title: what is said while it is made.
        room: GiB that making it takes.
        make: makes it in a directory that is there.

    Raises:
        LabError: there is less room.
    """
    target = directory() / f"{kind}-{name}"
    if not target.exists():
        if shutil.disk_usage(directory()).free < room << 30:
            raise LabError(f"{directory()} has less than {room} GiB free")
        with saying(title):
            _once(target, make)
    _prune(kind, name)
    return target


def _once(target: Path, make: Callable[[Path], None]) -> None:
    """Have `target` made unless it is there: into a scratch directory, renamed when all went well.

    Two labs that need the same thing at once make it once: the second one waits for the first.
    """
    with locked(target.with_name(f".{target.name}.lock")):
        if not target.exists():
            scratch = target.with_name(f"{target.name}.part")
            remove(scratch)
            scratch.mkdir()
            make(scratch)
            scratch.rename(target)


def remove(path: Path) -> None:
    """Remove a directory, even one that holds root's files, or on which a killed build left mounts."""
    if path.exists():
        for mount in _mounts(path):
            tool(*as_root("umount", "--lazy", "--", mount), timeout=30)
        tool(*as_root("rm", "-rf", "--one-file-system", "--", path), timeout=120)


def _mounts(path: Path) -> list[str]:
    """Return what is mounted below a directory, the last one first (proc_pid_mountinfo(5))."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [at for line in reversed(lines) if (at := line.split()[4]).startswith(f"{path}/")]


def _prune(kind: str, keep: str) -> None:
    """Mark `keep` as used, and remove what is neither in use by a lab nor was lately.

    Lately, because another checkout may be between having its image made and starting on it.
    """
    os.utime(directory() / f"{kind}-{keep}")
    used = set(_digests_in_use())
    for path in directory().glob(f"{kind}-*"):
        idle = time.time() - path.stat().st_mtime
        if idle > IDLE_SECONDS and path.name.removeprefix(f"{kind}-") not in used:
            remove(path)


def _digests_in_use() -> Iterator[str]:
    for state in directory().glob("lab-*/state.json"):
        content = json.loads(state.read_text())
        yield from (content["image"], content["host"])


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path`: two `up` at once would build the same thing twice."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def copy_sparse(source: Path, target: Path) -> None:
    """Copy a disk image by reference where the file system can, and without its holes elsewhere."""
    tool("cp", "--reflink=auto", "--sparse=always", source, target, timeout=300)
