"""systemd's journal, by its native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/)."""

import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

SOCKET: Final = "/run/systemd/journal/socket"
NOTICE: Final = 5
"""syslog(3)'s level: normal, but significant."""


def send(message: str, fields: Mapping[str, str], path: str = SOCKET) -> None:
    """Tell the journal something.

    A host without systemd has none, and a full one drops messages: what must not be lost stands in
    the audit log, and the journal's copy is for those who watch it.

    Args:
        message: one line, for people.
        fields: names of capital letters and `_`, with their values.
        path: the journal's socket.
    """
    said = {
        "MESSAGE": message,
        "PRIORITY": str(NOTICE),
        "SYSLOG_IDENTIFIER": "raptorctl",
        **fields,
    }
    datagram = b"".join(_field(name, value) for name, value in said.items())
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.sendto(datagram, path)


def _field(name: str, value: str) -> bytes:
    data = value.encode(errors="backslashreplace")
    if b"\n" in data:
        return name.encode() + b"\n" + len(data).to_bytes(8, "little") + data + b"\n"
    return name.encode() + b"=" + data + b"\n"
