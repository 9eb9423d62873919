"""raptorctl, with a line written for each question to libvirt.

Usage: web_counted.py FILE WORD...
"""

import os
import sys
from typing import Any

import libvirt

LOCAL = {"ID", "UUID", "UUIDString", "c_pointer", "connect", "isAlive", "name"}
"""What libvirt's client answers by itself."""

log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def count(kind: Any, name: str) -> None:
    """Have each call of a method written down."""
    real = getattr(kind, name)

    def counted(*args: Any, **more: Any) -> Any:
        os.write(log, f"{name}\n".encode())
        return real(*args, **more)

    setattr(kind, name, counted)


for kind in (libvirt.virConnect, libvirt.virDomain):
    for name, found in vars(kind).items():
        if callable(found) and name not in LOCAL and not name.startswith("_"):
            count(kind, name)

sys.argv = ["raptorctl", *sys.argv[2:]]

from raptorctl.__main__ import main  # noqa: E402 - what is loaded before is counted

sys.exit(main())
