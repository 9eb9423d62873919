"""What a person sees of steps in a guest, on standard error: standard output is for the result."""

import codecs
import sys
from contextlib import AbstractContextManager
from typing import Final

from raptorctl.cli.guest import telling
from raptorctl.cli.output import plain, tell
from raptorctl.cli.progress import put
from raptorctl.drivers.tick import Tick
from raptorctl.model.text import harmless

LONGEST: Final = 4096
"""Letters of a line that are held until it is whole."""


class Screen:
    """Shows what steps do, without what would drive the reader's terminal.

    Implements `raptorctl.api.steps.Audience`.
    """

    def __init__(self) -> None:
        self.began("")

    def watched(self, title: str, timeout: float) -> AbstractContextManager[Tick]:
        """See `Audience`."""
        return telling(title, timeout)

    def began(self, title: str) -> None:
        """See `Audience`."""
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._held, self._last = "", "\n"
        if title:
            self.tell(plain(title))

    def note(self, text: str) -> None:
        """See `Audience`."""
        self.tell(f"note: {plain(text)}")

    def heard(self, data: bytes) -> None:
        """Show a piece; a line that has begun an escape sequence is held until it is whole."""
        self._held += self._decode(data)
        whole, newline, rest = self._held.rpartition("\n")
        if "\x1b" in rest and len(rest) < LONGEST:
            self._write(whole + newline)
            self._held = rest
        else:
            self._write(self._held)
            self._held = ""

    def ended(self) -> None:
        """Show what is still held, and end the line."""
        self._write(self._held + self._decode(b"", final=True))
        self._held = ""
        if self._last != "\n":
            self._write("\n")

    def _write(self, text: str) -> None:
        clean = harmless(text)
        if clean:
            self._last = clean[-1]
            self.write(clean)

    def tell(self, text: str) -> None:
        """Write a line."""
        tell(text)

    def write(self, text: str) -> None:
        """Write a piece as it came, without what would drive a terminal."""
        put(sys.stderr, text)
