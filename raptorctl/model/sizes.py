"""Sizes in bytes, as people write and read them: binary units, always named."""

import re
from typing import Final, Self

from raptorctl.errors import InputError
from raptorctl.model.names import shown

UNITS: Final = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
GRAMMAR: Final = re.compile(r"([0-9]{1,15})([KMGT])", re.ASCII)
LARGEST: Final = 1 << 62  # the kernel counts bytes of a device in a signed 64-bit loff_t

LEAST_MEMORY: Final = 64 << 20
"""Bytes of memory; with less, no firmware that a machine has here gets as far as its disk."""
HUGE_PAGES: Final = (2 << 20, 1 << 30)
"""Bytes of the huge pages of an x86_64 CPU, as machines may be given them."""
_NOTHING: Final = re.compile(r"0+ ?([kmgt](i?b)?)?", re.ASCII | re.IGNORECASE)

KIB, MIB, GIB = UNITS["K"], UNITS["M"], UNITS["G"]


class Size(int):
    """A number of bytes that reads and prints as `40G`."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `512M`, `40G`, `2T`: an integer and one of K, M, G, T, in powers of 1024.

        Raises:
            InputError: anything else, with a hint where the meaning can be guessed.
        """
        if _NOTHING.fullmatch(text):
            raise InputError(f"{shown(text)} is nothing", resolution="write e.g. 40G")
        match = GRAMMAR.fullmatch(text)
        if not match:
            raise InputError(f"{shown(text)} is not a size", resolution=_hint(text))
        size = int(match[1]) * UNITS[match[2]]
        if size > LARGEST:
            raise InputError(f"{shown(text)} is not a usable size", resolution="write e.g. 40G")
        return cls(size)

    @classmethod
    def parse_memory(cls, text: str) -> Self:
        """Read a machine's memory.

        Raises:
            InputError: it is no size, or less than any machine needs.
        """
        size = cls(0) if _NOTHING.fullmatch(text) else cls.parse(text)
        if size < LEAST_MEMORY:
            raise InputError(
                f"{shown(text)} is too little memory for any machine",
                resolution=f"give it {cls(LEAST_MEMORY)} or more",
            )
        return size

    @property
    def enough(self) -> str:
        """The least size in whole M or G that holds it, as `parse` reads it: for advice."""
        unit = "M" if self % GIB else "G"
        return f"{-(-self // UNITS[unit])}{unit}"

    def __str__(self) -> str:
        """Return the exact form, else one decimal rounded down, for what is free: `40G`, `1.5G`."""
        for unit, factor in reversed(UNITS.items()):
            if self >= factor:
                whole, rest = divmod(self, factor)
                tenths = rest * 10 // factor
                return f"{whole}{unit}" if rest == 0 else f"{whole}.{tenths}{unit}"
        return f"{int(self)}B"

    def rounded_up(self, step: int) -> "Size":
        """Return the next multiple of `step` bytes."""
        return Size(-(-self // step) * step)


def _hint(text: str) -> str:
    if re.fullmatch(r"[0-9]{1,15}", text, re.ASCII):
        return f"name the unit, e.g. {text}G"
    if match := re.fullmatch(r"([0-9]{1,15}) ?([kmgt])(i?b)?", text, re.ASCII | re.IGNORECASE):
        return f"units are powers of 1024 and one capital letter, e.g. {match[1]}{match[2].upper()}"
    return "write a whole number and K, M, G or T, e.g. 40G"
