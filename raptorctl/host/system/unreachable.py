"""Why libvirt does not answer, and what helps: found out from what is the case on this host.

libvirt starts its session by itself and makes a directory for its sockets: below XDG_RUNTIME_DIR,
or ~/.cache where that is not set (virGetUserRuntimeDirectory). After su or sudo the variable may
name somebody else's.
"""

import errno
import os
import re
import shutil
from pathlib import Path
from typing import Final

from raptorctl.errors import MissingError
from raptorctl.host.system import procfs
from raptorctl.host.system.command import PATH
from raptorctl.model.cause import ANY
from raptorctl.model.reason import why

DAEMONS: Final = ("virtqemud", "libvirtd")
"""The programs that have QEMU's driver: of the modular kind, and the one for all."""
DIRECTORY: Final = re.compile(r"Cannot create user (?:runtime|config|cache|data) directory '(.+?)'")
TOO_LONG: Final = re.compile(r"Path \S+ too long for unix socket")
LOG_IN: Final = "log in with ssh, `su -` or `machinectl shell`"
NO_PROGRAM: Final = {
    "session": "install it (Debian: libvirt-daemon, libvirt-daemon-driver-qemu)",
    "system": "install it (Debian: libvirt-daemon-system)",
}


def unreachable(uri: str, said: str, number: int) -> MissingError:
    """Say that libvirt does not answer, why, and what to do.

    Args:
        uri: whom we asked.
        said: libvirt's message.
        number: errno of the call that failed (virError, int1); 0 where there was none.
    """
    first = said.partition("\n")[0].rstrip(".")
    session = uri.endswith("/session")
    advice = procfs.advice() or (_session(said) if session else _system(said, number))
    brief = f"libvirt does not answer at {uri}: {first}"
    return MissingError(brief, details=said, resolution=advice)


def surroundings(path: str, said: str) -> str:
    """Say what to do about a directory of the caller's own that cannot be made.

    Args:
        path: of the directory.
        said: the kernel's reason, in words.
    """
    # Path.exists raises where it may not look.
    there = next((one for one in Path(path).parents if os.path.lexists(one)), Path("/"))
    if not (wrong := _wrong(there)):
        return why(said, ANY).advice
    return f"{there} {wrong}: set HOME to a directory of yours, or {LOG_IN}"


def _session(said: str) -> str:
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and not Path(runtime).is_absolute():
        return f"XDG_RUNTIME_DIR is {runtime}, which is no absolute path: unset it, or {LOG_IN}"
    if runtime and (wrong := _wrong(Path(runtime))):
        return f"XDG_RUNTIME_DIR is {runtime}, which {wrong}: unset it, or {LOG_IN}"
    if found := DIRECTORY.search(said):
        return surroundings(found[1], said)
    if TOO_LONG.search(said):
        return f"set XDG_RUNTIME_DIR to a shorter path, such as /run/user/{os.getuid()}"
    daemon = _daemon()
    return f"see what `{daemon} --verbose` says" if daemon else NO_PROGRAM["session"]


def _wrong(path: Path) -> str:
    """Why a directory is none for our files, or ""; XDG wants the one for sockets to be ours."""
    try:
        status = path.stat()
    except PermissionError:
        return "is not yours"
    except OSError as error:
        return "is not there" if error.errno == errno.ENOENT else f"is none ({error.strerror})"
    if not path.is_dir():
        return "is no directory"
    if status.st_uid != os.getuid():
        return "is not yours"
    return "" if os.access(path, os.W_OK | os.X_OK) else "cannot be written"


def _system(said: str, number: int) -> str:
    if number == errno.EACCES or "authentication" in said:
        return "run it with sudo"
    if "driver is not built in" in said or "no connection driver available" in said:
        return "install it (Debian: libvirt-daemon-driver-qemu)"
    daemon = _daemon()
    if not daemon:
        return NO_PROGRAM["system"]
    if number in {errno.ENOENT, errno.ECONNREFUSED}:
        return f"start it: systemctl start {daemon}"
    return f"see `journalctl -u {daemon}`; systemctl restart {daemon}"


def _daemon() -> str:
    """The name of the daemon's program, or "" where none is installed."""
    return next((name for name in DAEMONS if shutil.which(name, path=PATH)), "")
