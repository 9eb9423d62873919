"""The kernel's files below /proc, which a container or a chroot may not have."""

from pathlib import Path
from typing import Final

from raptorctl.errors import MissingError

PROC: Final = Path("/proc")
CPUINFO: Final = Path("/proc/cpuinfo")


def read(path: Path) -> str:
    """Return what a file of the kernel's says.

    Raises:
        MissingError: it cannot be read; says what to do where /proc is not mounted.
    """
    return read_bytes(path).decode(errors="replace")


def read_bytes(path: Path) -> bytes:
    """Return the same as bytes; raises as `read` does."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error


def processes(proc: Path = PROC) -> list[Path]:
    """Return the folders of all processes (proc(5)).

    Raises:
        MissingError: it is not mounted: then nobody knows what runs.
    """
    try:
        found = [path for path in proc.iterdir() if path.name.isdecimal()]
    except OSError as error:
        raise unreadable(proc, error) from error
    if not found:  # we are one ourselves
        raise MissingError(f"{proc} has no process", resolution=advice())
    return found


def unreadable(path: Path, error: OSError) -> MissingError:
    """Say that a file of the kernel's is missing, and how it comes back."""
    return MissingError(f"{path} cannot be read: {error.strerror}", resolution=advice())


def advice() -> str:
    """What to do about /proc; "" where it is mounted."""
    mounted = Path("/proc/self").exists()
    return "" if mounted else "/proc is not mounted: mount -t proc proc /proc"


def virtualizes(cpuinfo: Path = CPUINFO) -> bool:
    """Whether the CPU has vmx or svm; all CPUs of a host say the same, so the first is read.

    Raises:
        MissingError: it cannot be read.
    """
    try:
        with cpuinfo.open() as lines:
            flags = next((line.split() for line in lines if line.startswith("flags")), [])
    except OSError as error:
        raise unreadable(cpuinfo, error) from error
    return not {"vmx", "svm"}.isdisjoint(flags)
