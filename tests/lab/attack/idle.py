"""Holds many connections to libvirt's socket and says nothing on them (security.md 1.5, item 4).

Arguments: how many, and the socket. Says how many it got, then holds them until its input ends.
"""

import socket
import sys


def main() -> None:
    count, path = int(sys.argv[1]), sys.argv[2]
    held = []
    for _ in range(count):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(5)
        try:
            connection.connect(path)
        except OSError:
            break
        held.append(connection)
    print(len(held), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
