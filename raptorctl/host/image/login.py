"""What a registry asks for: from the environment or from a file, never from the command line."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from raptorctl.drivers.image import RegistryLogin
from raptorctl.errors import InputError
from raptorctl.host.system.caller import caller, open_given, whole
from raptorctl.model.names import shown

USER: Final = "RAPTORCTL_REGISTRY_USER"
PASSWORD: Final = "RAPTORCTL_REGISTRY_PASSWORD"  # noqa: S105 - the name of a variable
LARGEST: Final = 65536


def registry_login(path: str | None, environment: Mapping[str, str]) -> RegistryLogin:
    """Read the login.

    Args:
        path: of a file with one line, `USER:PASSWORD` or a token; it goes before the environment.
        environment: the variables.

    Raises:
        InputError: the file cannot be read, is somebody else's, or others may read it.
    """
    if path is None:
        return RegistryLogin(environment.get(USER, ""), environment.get(PASSWORD, ""))
    line = _read(path).strip()
    user, colon, password = line.partition(":")
    if not line or "\n" in line:
        raise InputError(f"{shown(path)} should have one line, USER:PASSWORD or a token")
    return RegistryLogin(user, password) if colon else RegistryLogin("", line)


def _trusted() -> set[int]:
    """Whose file it may be: root's, ours, or of whoever typed sudo."""
    who = caller()
    return {0, os.geteuid(), *([who.uid] if who else [])}


def _read(path: str) -> str:
    with open_given(path) as stream:
        status = os.fstat(stream.fileno())
        if status.st_uid not in _trusted():
            raise InputError(f"{shown(path)} is neither yours nor root's")
        if status.st_mode & 0o077:
            raise InputError(
                f"{shown(path)} can be read by others", resolution=f"chmod 0600 {Path(path)}"
            )
        data = whole(stream, LARGEST)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{shown(path)} is not UTF-8 text") from error
