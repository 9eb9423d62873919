"""A program that runs another, and ends all that it has started: `reaper.py RIGHTS ARGV...`.

What a step starts may leave its session and its parents (setsid(2)), so that no signal to its group
reaches it. It becomes our child then (prctl(2), PR_SET_CHILD_SUBREAPER); so when the step has
ended, or whoever runs us has, which closes our standard input, a socket, our children are killed
until there are none. Under sudo we keep root's rights, so that the step cannot end us first.

How the step ended goes to that socket. Nothing of raptorctl is imported, so that we begin at once.
"""

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

PR_SET_CHILD_SUBREAPER: Final = 36
SOCKET: Final = 0
ENDED: Final = "ended"
"""What follows is the exit status, as subprocess has it."""
REFUSED: Final = "refused"
"""It could not be started; an errno(3) follows."""


def main(rights: dict[str, Any], argv: list[str]) -> None:
    """Run a program until it ends, or nobody waits for it any more.

    Args:
        rights: whose it runs as: arguments of subprocess.Popen.
        argv: the program and its arguments.
    """
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        step = subprocess.Popen(argv, stdin=subprocess.DEVNULL, start_new_session=True, **rights)
    except OSError as error:
        _tell(f"{REFUSED} {error.errno}")
        return
    try:
        ended = os.pidfd_open(step.pid)
        select.select([SOCKET, ended], [], [])
        status = step.poll()
    finally:
        _end_children()
    if status is not None:
        _tell(f"{ENDED} {status}")


def _tell(what: str) -> None:
    with suppress(OSError):  # nobody listens any more
        os.write(SOCKET, what.encode())


def _end_children() -> None:
    """Kill children until there are none; what these have started becomes our child by that.

    One that has got rights which we do not have, by sudo for example, is left.
    """
    left: set[int] = set()
    while children := _children() - left:
        for pid in children:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
            except PermissionError:
                left.add(pid)


def _children() -> set[int]:
    names = (path.name for path in Path("/proc").iterdir())
    return {int(name) for name in names if name.isdecimal() and _is_child(name)}


def _is_child(pid: str) -> bool:
    """By proc(5), /proc/PID/stat: the fourth field, behind a name that may have anything in it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
        return int(stat.rpartition(b")")[2].split()[1]) == os.getpid()
    except (OSError, IndexError):  # it is gone
        return False


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), sys.argv[2:])
