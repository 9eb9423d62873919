"""What a file of machines names: paths beside it, read with the rights of who typed the command."""

import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import Final

from raptorctl.errors import InputError
from raptorctl.model.encoding import decoded
from raptorctl.model.names import shown
from raptorctl.model.ssh_key import LARGEST_FILE, PublicKey, parse_keys

KEY: Final = re.compile(r"(ssh|ecdsa|sk)-\S+ ", re.ASCII)
"""How a key itself begins, which is no file's name (sshd(8), AUTHORIZED_KEYS FILE FORMAT)."""


def at_home(text: str, account: str) -> str:
    """Return a path with an account's home where it begins with `~/`."""
    # Under sudo, HOME is root's.
    if text.startswith("~/"):
        return os.path.expanduser(f"~{account}{text[1:]}")  # noqa: PTH111 - of another account
    return text


def is_file(image: str) -> bool:
    """Whether an image is named by its path, and not by a name, digest or URL."""
    return "://" not in image and ("/" in image or image.startswith("."))


class Beside:
    """The folder that a file's paths begin in.

    Args:
        folder: relative to where the command was typed, or absolute.
        caller: whose home `~/` is.
    """

    def __init__(self, folder: str, caller: str) -> None:
        self._folder, self._caller = folder, caller

    def path(self, text: str) -> str:
        """Return a path of the file's as an absolute one."""
        return os.path.normpath(Path(self._folder, at_home(text, self._caller)).absolute())

    def text(self, path: str, largest: int) -> str:
        """Return what is in a file.

        Raises:
            InputError: it cannot be read, or has more than so many bytes.
        """
        from raptorctl.host.system.caller import read_given

        path = self.path(path)
        data = read_given(path, largest)
        if len(data) > largest:
            raise InputError(f"{shown(path)} is larger than {largest} bytes")
        return decoded(data, shown(path))

    def keys(self, names: Collection[str]) -> tuple[PublicKey, ...]:
        """Return public keys that are given as such, or by their files; each once.

        Raises:
            InputError: a file cannot be read, or something in it is no key.
        """
        texts = (n if KEY.match(n) else self.text(n, LARGEST_FILE) for n in names)
        found = (key for text in texts for key in parse_keys(text))
        return tuple({key.blob: key for key in found}.values())
