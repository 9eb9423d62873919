"""What is where an output is to go, and is no build's to replace."""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Final

LONGEST: Final = 255
"""Bytes of a name (path_resolution(7))."""
LONGEST_PATH: Final = 4095
"""Bytes of a path (PATH_MAX, without its NUL)."""
BESIDE: Final = len(".") + len(".20261120-120000-abcd.before.own")
"""Bytes that are added to a name as long as the build is at work."""


def obstacle(target: Path, *, folder: bool, wrote: Collection[str]) -> str:
    """Say what is in an output's place or on its way; "" for nothing.

    Args:
        target: absolute.
        folder: whether the output is a folder.
        wrote: paths that this build wrote before.
    """
    if not target.name or not _can_be(target):
        return "has no name that a file can have here"
    if os.path.lexists(target):
        return _taken(target, folder=folder, wrote=wrote) or _closed(target.parent)
    return _closed(next(each for each in target.parents if os.path.lexists(each)))


def _can_be(target: Path) -> bool:
    """Whether a file can have such a path, and one beside it what it is called until it is done."""
    *folders, name = map(os.fsencode, target.parts)
    return (
        len(os.fsencode(target)) + BESIDE <= LONGEST_PATH
        and max(map(len, (name + bytes(BESIDE), *folders))) <= LONGEST
        and "\0" not in str(target)
    )


def _taken(target: Path, *, folder: bool, wrote: Collection[str]) -> str:
    if folder and (target.is_symlink() or not target.is_dir()):
        return "is there, and is no folder"
    if folder:
        return "" if str(target) in wrote or not _holds(target) else "holds what no build put there"
    if target.is_symlink() or target.is_file():
        return ""
    return "is a folder" if target.is_dir() else "is no file"


def _holds(folder: Path) -> bool:
    try:
        return any(folder.iterdir())
    except OSError:
        return True


def _closed(folder: Path) -> str:
    if not folder.is_dir():
        return f"cannot be written: {folder} is no folder"
    return (
        ""
        if os.access(folder, os.W_OK | os.X_OK)
        else f"cannot be written: {folder} is closed to you"
    )
