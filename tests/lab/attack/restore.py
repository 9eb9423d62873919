"""What a tenant tries: `restore.py KIND VIRSH...` has libvirtd open what blocks, 25 times.

Says how many of 25 `virsh restore` still run after a while, then waits for the end of its input.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time

PATIENCE = 5.0
"""Seconds in which a call that is refused has long been answered."""


def trap(kind: str) -> str:
    """Make the thing, and return the path by which libvirtd is to open it."""
    if kind == "pipe":
        reader, _ = os.pipe()
        return f"/proc/{os.getpid()}/fd/{reader}"
    if kind == "fifo":
        path = tempfile.mkdtemp() + "/trap"
        os.mkfifo(path)
        return f"/proc/{os.getpid()}/root{path}"
    return kind


def terminal(virsh: "list[str]") -> "list[subprocess.Popen[bytes]]":
    """Have libvirtd open our terminal, and type ^C there."""
    ours, theirs = os.openpty()
    path = os.ttyname(theirs)
    os.close(theirs)
    tried = subprocess.Popen(
        [*virsh, "restore", path], stdout=subprocess.DEVNULL, start_new_session=True
    )
    time.sleep(PATIENCE / 2)
    os.write(ours, b"\x03")
    time.sleep(PATIENCE / 2)
    return [tried]


def main() -> None:
    """Attack."""
    kind, *virsh = sys.argv[1:]
    if kind == "terminal":
        tried = terminal(virsh)
    else:
        path = trap(kind)
        tried = [
            subprocess.Popen([*virsh, "restore", path], stdout=subprocess.DEVNULL)
            for _ in range(25)
        ]
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and any(one.poll() is None for one in tried):
            time.sleep(0.1)
    print(sum(one.poll() is None for one in tried), flush=True)
    sys.stdin.read()
    for one in tried:
        if one.poll() is None:
            one.send_signal(signal.SIGKILL)


main()
