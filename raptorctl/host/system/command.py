"""The one door to other programs.

Every program runs with nothing of the caller's surroundings: a fixed PATH, the C locale (so that
messages and numbers read the same everywhere), no terminal, no input, no open files but its own
three, its own session (so that ^C on the terminal does not reach an lvcreate half way through its
metadata), and a time limit.
"""

import io
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from threading import Event
from typing import Any, Final

from raptorctl.errors import CommandError, InputError, MissingError
from raptorctl.host.system import procfs
from raptorctl.host.system.lean_sh import lean_sh
from raptorctl.host.system.orphans import nothing_to_read
from raptorctl.model.names import shown

PATH: Final = "/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT: Final = {"PATH": PATH, "LC_ALL": "C"}
TIMEOUT: Final = 60.0
"""Seconds for a program that should end at once: a bound, not an expectation."""

BEAT: Final = 0.2
"""Seconds between two looks at a program that takes long."""

MANNERS: Final[dict[str, Any]] = {
    "_tty_out": False,
    "_out_bufsize": 1 << 16,
    "_env": ENVIRONMENT,
    "_cwd": "/",
    "_new_session": True,
    "_close_fds": True,
    "_bg": True,  # so that we wait, with our own time limit
    "_bg_exc": False,
}
"""How sh starts every program (sh, "Special Keyword Arguments")."""

PACKAGES: Final = {
    **dict.fromkeys(["lvs", "vgs", "lvcreate", "lvchange", "lvrename", "lvremove"], "lvm2"),
    "bsdtar": "libarchive-tools",
    "bwrap": "bubblewrap",
    "zstd": "zstd",
    **dict.fromkeys(["ssh", "ssh-keygen"], "openssh-client"),
    **dict.fromkeys(["debugfs", "e2fsck", "mke2fs", "resize2fs", "dumpe2fs"], "e2fsprogs"),
    **dict.fromkeys(["mcopy", "mdir", "mmd"], "mtools"),
    **dict.fromkeys(["mkfs.vfat", "fsck.vfat"], "dosfstools"),
    "sfdisk": "fdisk",
    "systemd-nspawn": "systemd-container",
    "pasta": "passt",
    "qemu-img": "qemu-utils",
    "nft": "nftables",
    "virsh": "libvirt-clients",
    "virt-xml-validate": "libvirt-clients",
}
"""Which Debian package brings a program."""


def run(
    program: str,
    *args: str,
    timeout: float = TIMEOUT,
    ok: tuple[int, ...] = (0,),
    awaited: bool = True,
    given: bytes = b"",
) -> str:
    """Run a program to its end and return what it wrote to standard output.

    Args:
        program: its name, looked up in PATH only; or an absolute path.
        args: one by one, as on a command line; no shell ever sees them. Never a secret: any
            account of the host can read them (proc_pid_cmdline(5)).
        timeout: seconds after which it is killed.
        ok: exit statuses that are no failure.
        awaited: whether `recover` waits for it, should we be killed; see
            `raptorctl.host.system.orphans`.
        given: what it reads from standard input; with any, `recover` does not wait for it.

    Raises:
        InputError: an argument that no program can be given.
        MissingError: there is no such program.
        CommandError: it ended with another status, by a signal, or past its time limit.
    """
    argv = (program, *args)
    errors = io.BytesIO()
    expired = threading.Event()
    reads = {"_in": given} if given else {}
    process = _started(argv, awaited=awaited, _err=errors, _ok_code=ok, **reads)
    # Not sh's _timeout, which makes every program last for a whole number of tenths of a second.
    limit = threading.Timer(timeout, _kill, (process, expired))
    limit.start()
    try:
        _await(process, argv, errors, expired)
    finally:
        limit.cancel()
    return _text(process.stdout)


def watch(
    program: str,
    *args: str,
    timeout: float,
    beat: Callable[[str], None],
    awaited: bool = True,
) -> None:
    """Run a program that takes long, and follow what it says.

    Args:
        program: as of `run`.
        args: likewise.
        timeout: seconds after which it is killed.
        beat: called several times a second with what it wrote last, or ""; what it raises ends
            the program.
        awaited: as of `run`.

    Raises:
        InputError, MissingError, CommandError: as of `run`.
    """
    argv = (program, *args)
    errors, said = io.BytesIO(), [""]
    expired, ended = threading.Event(), threading.Event()
    process = _started(
        argv,
        awaited=awaited,
        _err=errors,
        _out=lambda piece: said.__setitem__(0, piece),
        _out_bufsize=0,
        _done=lambda *_: ended.set(),
    )
    limit = threading.Timer(timeout, _kill, (process, expired))
    limit.start()
    try:
        while not ended.wait(BEAT):
            beat(said[0])
    except BaseException:
        _kill(process, expired)
        ended.wait(BEAT)
        raise
    finally:
        limit.cancel()
    _await(process, argv, errors, expired)


def _started(argv: tuple[str, ...], *, awaited: bool, **options: Any) -> Any:
    _refuse_unfit(argv)
    program = find(argv[0])
    with nothing_to_read(awaited=awaited) as nothing:
        try:
            return lean_sh().Command(program)(*argv[1:], **{**MANNERS, "_in": nothing, **options})
        except lean_sh().ForkException as error:  # sh closes what /proc/self/fd names
            said = error.args[0].strip().rpartition("\n")[2]
            raise MissingError(
                f"{argv[0]} could not be started: {said}", resolution=procfs.advice()
            ) from error


def _await(process: Any, argv: tuple[str, ...], errors: io.BytesIO, expired: Event) -> None:
    try:
        process.wait()
    except lean_sh().ErrorReturnCode as error:
        status = None if expired.is_set() else error.exit_code
        raise CommandError(argv, status, _text(errors.getvalue())) from error


def find(program: str) -> str:
    """Return the absolute path of a program.

    Raises:
        MissingError: it is not installed.
    """
    path = shutil.which(program, path=PATH)
    if path is None:
        package = PACKAGES.get(program)
        hint = f"apt install {package}" if package else f"looked in {PATH}"
        raise MissingError(f"the program {program} is not installed", resolution=hint)
    return path


def _refuse_unfit(argv: tuple[str, ...]) -> None:
    """Refuse a NUL, which ends an argument (execve(2)), and what is not UTF-8."""
    for word in argv:
        if "\0" in word or any("\ud800" <= char <= "\udfff" for char in word):
            raise InputError(f"{shown(word)} cannot be passed to a program")


def _kill(process: Any, expired: threading.Event) -> None:
    expired.set()
    with suppress(ProcessLookupError):  # it ended in this very moment
        process.kill_group()


def _text(output: bytes) -> str:
    return output.decode(errors="replace")
