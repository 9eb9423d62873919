"""Whose the other end of a loopback connection is: over TCP, SO_PEERCRED says nothing."""

import socket
from pathlib import Path
from typing import Final

TABLE: Final = Path("/proc/net/tcp")
ESTABLISHED: Final = "01"
"""Of any other state the kernel says 0 for the account (net/ipv4/tcp_ipv4.c, get_tcp4_sock)."""


def owner(address: tuple[str, int], table: Path = TABLE) -> int | None:
    """Return the account's number that has a socket (proc_net_tcp, kernel documentation).

    Args:
        address: of that end, IPv4.
        table: what the kernel says of all sockets.

    Returns:
        None if it has been closed, or the kernel does not say.
    """
    name, port = address
    wanted = f"{int.from_bytes(socket.inet_aton(name), 'little'):08X}:{port:04X}"
    try:
        with table.open() as lines:
            for line in lines:
                fields = line.split()
                if fields[1] == wanted and fields[3] == ESTABLISHED:
                    return int(fields[7])
    except (OSError, IndexError, ValueError):
        return None
    return None
