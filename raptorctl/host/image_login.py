"""What a registry asks for: from the environment or from a file, never from the command line."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from raptorctl.errors import InputError
from raptorctl.host.image_drivers import Login
from raptorctl.model.names import shown

USER: Final = "RAPTORCTL_REGISTRY_USER"
PASSWORD: Final = "RAPTORCTL_REGISTRY_PASSWORD"  # noqa: S105 - the name of a variable
LARGEST: Final = 65536


def registry_login(path: str | None, environment: Mapping[str, str]) -> Login:
    """Read the login.

    Args:
        path: of a file with one line, `USER:PASSWORD` or a token; it goes before the environment.
        environment: the variables.

    Raises:
        InputError: the file cannot be read, is somebody else's, or others may read it.
    """
    if path is None:
        return Login(environment.get(USER, ""), environment.get(PASSWORD, ""))
    line = _read(path, _trusted(environment)).strip()
    user, colon, password = line.partition(":")
    if not line or "\n" in line:
        raise InputError(f"{shown(path)} should have one line, USER:PASSWORD or a token")
    return Login(user, password) if colon else Login("", line)


def _trusted(environment: Mapping[str, str]) -> set[int]:
    """Whose file it may be: root's, ours, or of him who says sudo (sudo(8), SUDO_UID)."""
    sudo = environment.get("SUDO_UID", "") if os.geteuid() == 0 else ""
    return {0, os.geteuid(), *([int(sudo)] if sudo.isdecimal() else [])}


def _read(path: str, trusted: set[int]) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(descriptor, "rb") as stream:  # noqa: PTH123 - a descriptor
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise InputError(f"{shown(path)} is not a regular file")
            if status.st_uid not in trusted:
                raise InputError(f"{shown(path)} is neither yours nor root's")
            if status.st_mode & 0o077:
                raise InputError(
                    f"{shown(path)} can be read by others", resolution=f"chmod 0600 {Path(path)}"
                )
            return stream.read(LARGEST).decode()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name, or not UTF-8
        why = getattr(error, "strerror", None) or "is not a text file's path"
        raise InputError(f"{shown(path)} cannot be read: {why}") from error
