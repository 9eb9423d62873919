"""Programs that read disks of strangers: each in a room where it finds the build's folder alone.

A file system that somebody else made may be made to break the program that reads it. So e2fsprogs,
mtools and sfdisk see the build's folder, the system's programs, and no network (bwrap(1)). An
account that may not have such a room (sysctl kernel.unprivileged_userns_clone, AppArmor) runs them
as itself, and root never does. They end with us (--die-with-parent), so `recover` waits for none.
"""

import os
from functools import cache
from pathlib import Path
from typing import Final

from raptorctl.errors import CommandError, HostError, MissingError
from raptorctl.host.system.command import find, run
from raptorctl.model.names import shown

WORK: Final = "/work"
TIMEOUT: Final = 3600.0
"""Seconds for one program: a large disk on a slow one takes its time."""
UTF8: Final = "C.UTF-8"
"""mtools reads names as the locale says; all else is said as in C."""
ROOM: Final = (
    "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts",
    "--die-with-parent", "--new-session", "--cap-drop", "ALL",
    "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/sbin", "/sbin",
    "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64",
    "--ro-bind-try", "/etc/mke2fs.conf", "/etc/mke2fs.conf",
    "--setenv", "LC_ALL", UTF8, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp",  # noqa: S108 - of the room alone
)  # fmt: skip


def tool(folder: Path, *argv: str, ok: tuple[int, ...] = (0,), both: bool = False) -> str:
    """Run a program on files of a build's folder, and return what it says.

    Args:
        folder: the build's; paths in `argv` are relative to it.
        argv: the program and its arguments.
        ok: exit statuses that are no failure.
        both: whether standard error is among what it says.

    Raises:
        MissingError: it is not installed, or root has no room for it.
        CommandError: it ended with another status.
    """
    program = (find(argv[0]), *argv[1:])
    words = ("sh", "-c", 'exec "$@" 2>&1', "sh", *program) if both else program
    if _has_room():
        room = (*ROOM, "--bind", str(folder), WORK, "--chdir", WORK)
        try:
            return run("bwrap", *room, *words, timeout=TIMEOUT, ok=ok, awaited=False)
        except CommandError as error:  # not bwrap: it was tried
            raise CommandError(argv, error.exit_status, error.stderr) from error
        finally:
            _refuse_odd(folder, argv[0])
    here = ("env", f"--chdir={folder}", f"LC_ALL={UTF8}")
    return run(*here, *words, timeout=TIMEOUT, ok=ok, awaited=False)


def _refuse_odd(folder: Path, program: str) -> None:
    """What broke a program in its room could leave a link, which we would follow outside of it."""
    for entry in os.scandir(folder):
        if not (entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)):
            raise HostError(f"{program} left {shown(entry.name)}, which is no file, in {folder}")


@cache
def _has_room() -> bool:
    try:
        run("bwrap", *ROOM, "true")
    except (CommandError, MissingError) as error:
        if os.geteuid() == 0:
            raise HostError(
                "bwrap cannot shut programs in on this host, and root reads no stranger's disk",
                details=str(error),
                resolution="apt install bubblewrap, or build on a session host",
            ) from error
        return False
    return True
