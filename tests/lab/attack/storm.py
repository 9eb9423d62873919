"""What a tenant tries: `storm.py SOCKET SECONDS` connects as fast as six processes can."""

import os
import socket
import sys
import time
from contextlib import suppress


def storm(path: str, seconds: float) -> None:
    """Connect and hang up, again and again."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with socket.socket(socket.AF_UNIX) as client:
            client.setblocking(False)
            with suppress(OSError):
                client.connect(path)


def main() -> None:
    """Attack."""
    path, seconds = sys.argv[1], float(sys.argv[2])
    for _ in range(5):
        if os.fork() == 0:
            break
    storm(path, seconds)


main()
