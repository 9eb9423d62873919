"""Numbers that are typed: how many CPUs, or which; a slot."""

from raptorctl.errors import InputError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.names import shown


def cpu_words(text: str) -> CpuSet | int:
    """Read how many CPUs a machine is to have, or which.

    Raises:
        InputError: it is neither.
    """
    return count(text) if text.isascii() and text.isdecimal() else CpuSet.parse(text)


def count(text: str) -> int:
    """Read how many virtual CPUs a machine is to have, where none is pinned.

    Raises:
        InputError: it is no such number.
    """
    if not (text.isascii() and text.isdecimal() and 0 < len(text) < 4 and int(text)):
        raise InputError(
            f"{shown(text)} is not a number of CPUs",
            resolution="say how many, e.g. 2",
        )
    return int(text)


def slot_number(text: str) -> int | None:
    """Read a slot's number; `auto` is None."""
    if text == "auto":
        return None
    if not (text.isascii() and text.isdecimal() and 0 < len(text) < 10):
        raise InputError(f"{shown(text)} is not a slot", resolution="write its number, or auto")
    return int(text)
