"""A registry of vmp's: its files are found, read, and laid over one another."""

import glob
import os
from collections.abc import Iterator

from raptorctl.errors import InputError
from raptorctl.model.encoding import decoded
from raptorctl.model.names import shown
from raptorctl.read.registry import VmRegistry, parse_registry
from raptorctl.read.registry_yaml import LARGEST

STDIN = "-"


def read_registry(path: str, given: str = "") -> VmRegistry:
    """Read a registry.

    Args:
        path: of a file; or a pattern as glob(7) has it, in which ** is any number of folders; or
            `-`.
        given: the text, for `-`.

    Raises:
        InputError: nothing has such a name; or a file cannot be read.
        FileError: all that is wrong in the files, with line and column.
    """
    if path == STDIN:
        return parse_registry([(STDIN, given)])
    return parse_registry(registry_texts(path))


def registry_texts(path: str) -> Iterator[tuple[str, str]]:
    """Read the files of a registry: name and text of each, by their names.

    Args:
        path: as of `read_registry`.

    Raises:
        InputError: as of `read_registry`.
    """
    return ((file, _text(file)) for file in _files(path))


def _files(pattern: str) -> list[str]:
    found = [pattern] if os.path.isfile(pattern) else glob.glob(pattern, recursive=True)  # noqa: PTH113, PTH207 - Path.glob takes no absolute pattern
    files = sorted(file for file in found if not os.path.isdir(file))  # noqa: PTH112 - a text
    if not files:
        raise InputError(
            f"no file of a registry is called {shown(pattern)}",
            resolution="name a file or a pattern, e.g. 'registry/**/*.yaml'",
            subject=pattern,
        )
    return files


def _text(file: str) -> str:
    from raptorctl.host.system.caller import read_given

    data = read_given(file, LARGEST)
    if len(data) > LARGEST:
        raise InputError(f"{shown(file)} is larger than {LARGEST >> 20} MiB", subject=file)
    return decoded(data, shown(file))
