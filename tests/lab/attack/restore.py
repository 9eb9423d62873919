"""What a tenant tries: `restore.py KIND SECONDS VIRSH...` has libvirtd open what blocks, 25 times.

Says how many of 25 `virsh restore` still run after so long, at once if none does, then waits for the
end of its input.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time

PAUSE = 2.5
"""Seconds that libvirtd has for what it does with a terminal."""


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
    time.sleep(PAUSE)
    os.write(ours, b"\x03")
    time.sleep(PAUSE)
    return [tried]


def main() -> None:
    """Attack."""
    kind, seconds, *virsh = sys.argv[1:]
    if kind == "terminal":
        tried = terminal(virsh)
    else:
        path = trap(kind)
        tried = [
            subprocess.Popen([*virsh, "restore", path], stdout=subprocess.DEVNULL)
            for _ in range(25)
        ]
        until = time.monotonic() + float(seconds)
        while time.monotonic() < until and any(one.poll() is None for one in tried):
            time.sleep(0.1)
    print(sum(one.poll() is None for one in tried), flush=True)
    sys.stdin.read()
    for one in tried:
        if one.poll() is None:
            one.send_signal(signal.SIGKILL)


main()
