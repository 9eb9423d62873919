"""Folders that somebody named, with all that is in them, as far as they themselves may look."""

import os
from collections.abc import Iterator
from typing import Never

from raptorctl.errors import InputError
from raptorctl.host.system.caller import caller, open_as
from raptorctl.model.names import shown


def walk_given(path: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """Walk a folder as os.walk() does, with the rights of who named it; no link is followed.

    Raises:
        InputError: a folder is not theirs to read. os.walk() would leave it out.
    """
    who = caller()
    for at, folders, names in os.walk(path, onerror=_refuse):
        if who:
            try:
                os.close(open_as(who, at, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
            except OSError as error:
                error.filename = at
                _refuse(error)
        yield at, folders, names


def list_given(path: str) -> list[str]:
    """List a folder with the rights of who named it, in the order of names.

    Raises:
        InputError: it is missing, no folder, or not theirs to read.
    """
    who, flags = caller(), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    try:
        descriptor = open_as(who, path, flags) if who else os.open(path, flags)
    except OSError as error:
        error.filename = path
        _refuse(error)
    except ValueError as error:  # a NUL in the name, or no text
        raise InputError(f"{shown(path)} cannot be read: {error}") from error
    try:
        return sorted(os.listdir(descriptor))  # noqa: PTH208 - no path has it
    finally:
        os.close(descriptor)


def _refuse(error: OSError) -> Never:
    raise InputError(f"{shown(str(error.filename))} cannot be read: {error.strerror}") from error
