"""A file of machines in any format that is read, to the one noun."""

import re
from collections.abc import Sequence
from typing import Final

from raptorctl.model.raptor_file import RaptorFile
from raptorctl.read.raptor_file import Reader, parse_raptor_file
from raptorctl.read.registry_machines import SUFFIXES, parse_registry_machines
from raptorctl.read.vmfile import parse_vmfile

KDL: Final = ".kdl"
_SIGNS: Final = (
    (KDL, re.compile(r"^\s*vm\s+[\"#\w]", re.MULTILINE)),
    (SUFFIXES[0], re.compile(r"^(images|nodes|templates|vms):(\s|$)", re.MULTILINE)),
)
"""How a file of each format gives itself away; no TOML has such a line outside of a text."""


def suffix_of(file: str, text: str) -> str:
    """Tell a file's format: by its name, or if that says nothing, by its text.

    Returns:
        `.kdl`, `.yaml`, or "" for any other.
    """
    for suffix in (KDL, *SUFFIXES):
        if file.endswith(suffix):
            return SUFFIXES[0] if suffix in SUFFIXES else KDL
    if file.endswith(".toml"):
        return ""
    return next((suffix for suffix, sign in _SIGNS if sign.search(text)), "")


def parse_machines(files: Sequence[tuple[str, str]], reader: Reader) -> RaptorFile:
    """Read a file of machines in any format.

    Args:
        files: name and text; a registry may have many.
        reader: how it is to be read.

    Raises:
        FileError: something in it cannot be; all of it, with line and column.
        MissingError: its format needs a library that is not installed.
    """
    text = files[0][1]
    match suffix_of(reader.file, text):
        case ".yaml":
            return parse_registry_machines(files, reader)
        case ".kdl":
            return parse_vmfile(text, reader)
        case _:
            return parse_raptor_file(text, reader)
