"""Text that is not ours, made fit for one line of a terminal or a log."""

import re
import unicodedata
from typing import Final

SEQUENCE: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI (ECMA-48 5.4)
    r"|\x1b[PX^_\]][^\x07\x1b\n]*(?:\x07|\x1b\\)"  # strings: DCS, SOS, PM, APC, OSC (5.6)
    r"|\x1b[ -/]*[0-~]"  # the other escapes
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
    r"|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"  # order of letters (UAX 9, 2)
)


def plain(text: str) -> str:
    """Replace what would move a cursor or break a line: some names are not ours to choose."""
    return "".join("?" if unicodedata.category(c).startswith("C") else c for c in text)


def harmless(text: str) -> str:
    """Take out what would act on the reader's terminal: a guest must not drive it."""
    return SEQUENCE.sub("", text)


def last_line(text: str) -> str:
    """Return the last line that says something: an exception's, or that of a log, is the reason."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
