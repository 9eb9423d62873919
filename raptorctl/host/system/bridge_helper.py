"""QEMU's bridge helper, as this host has it."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from raptorctl.model.bridge_helper import CONFIG, BridgeHelper, read_rules

PROGRAMS: Final = ("/usr/lib/qemu/qemu-bridge-helper", "/usr/libexec/qemu-bridge-helper")
"""Where Debian and where Fedora and Arch have it."""
DEEP: Final = 8  # files that include each other


def bridge_helper() -> BridgeHelper:
    """Look for it, for its rights and its rules."""
    path = next((path for path in PROGRAMS if os.access(path, os.X_OK)), "")
    if not path:
        return BridgeHelper()
    hidden: list[str] = []
    rules = tuple(_rules(CONFIG, hidden, DEEP))
    return BridgeHelper(path, _may(path), rules, next(iter(hidden), ""))


def _may(path: str) -> bool:
    status = Path(path).stat()
    if status.st_mode & stat.S_ISUID and status.st_uid == 0:
        return True
    with suppress(OSError):
        return bool(os.getxattr(path, "security.capability"))
    return False


def _rules(path: str, hidden: list[str], deep: int) -> Iterator[tuple[str, str]]:
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    except PermissionError:
        hidden.append(path)
        return
    except OSError:
        return
    for verb, name in read_rules(text):
        if verb != "include":
            yield verb, name
        elif deep:
            yield from _rules(name, hidden, deep - 1)
