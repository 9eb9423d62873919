"""Who looks on while machines of a file are worked on: one at a time, several, or a program."""

import os
import sys
from contextlib import AbstractContextManager
from threading import RLock
from typing import Final, Protocol, TextIO

from raptorctl.api.brought import Brought, Show
from raptorctl.cli import output
from raptorctl.cli.guest import telling
from raptorctl.cli.output import say, tell
from raptorctl.cli.progress import LastLine, Live, Plain, put
from raptorctl.cli.screen import LONGEST, Screen
from raptorctl.drivers.tick import Tick
from raptorctl.model.file_plan import FilePlan

ERASE: Final = "\r\x1b[J"
"""To the line's beginning, and away with all from there (ECMA-48 8.3.39)."""


class Onlooker(Protocol):
    """Told what happens, and what came of it."""

    def show(self, subject: str) -> Show:
        """Say whom the work on one machine is shown to, as it begins."""

    def came(self, brought: Brought, lines: list[str]) -> None:
        """Work on one has ended, with these lines of the result."""

    def over(self) -> None:
        """All has ended, however: also what was broken off."""


def onlooker(plan: FilePlan) -> Onlooker:
    """Return who fits what is to be done, and where standard error goes."""
    several = len({row.subject for row in plan.rows}) > 1
    return Board(sys.stderr) if several else Alone()


class Alone:
    """Sees one machine, as a command that is about one shows it."""

    def show(self, subject: str) -> Show:
        """See `Onlooker`."""
        heading = Heading(subject, sys.stderr)
        lives = output.is_terminal(sys.stderr)
        tells = Live(sys.stderr, line=heading) if lives else Plain(say=heading.say)
        return Show(tells, HeadedScreen(heading, tells))

    def came(self, brought: Brought, lines: list[str]) -> None:
        """See `Onlooker`."""
        _ = brought
        _say_all(lines)

    def over(self) -> None:
        """See `Onlooker`."""


class Heading:
    """A machine's name above what is shown of it, if anything is; implements `Line`.

    Args:
        subject: the name.
        stream: where it is shown; in a pipe, no line lives.
    """

    def __init__(self, subject: str, stream: TextIO) -> None:
        self._subject = subject
        self._line = LastLine(stream) if output.is_terminal(stream) else None

    def begin(self) -> None:
        """Write the name, once."""
        if self._subject:
            tell(f"{self._subject}:")
            self._subject = ""

    def draw(self, text: str) -> None:
        """See `Line`."""
        self.begin()
        if self._line:
            self._line.draw(text)

    def say(self, text: str) -> None:
        """See `Line`."""
        self.begin()
        (self._line.say if self._line else tell)(text)


class HeadedScreen(Screen):
    """Shows what steps say, below the machine's name."""

    def __init__(self, heading: Heading, tells: Live | Plain) -> None:
        self._heading, self._tells = heading, tells
        super().__init__()

    def watched(self, title: str, timeout: float) -> AbstractContextManager[Tick]:
        """See `Audience`."""
        return telling(title, timeout, self._tells, self._heading.say)

    def tell(self, text: str) -> None:
        """Write a line."""
        self._heading.begin()
        super().tell(text)

    def write(self, text: str) -> None:
        """Write a piece as it came."""
        self._heading.begin()
        super().write(text)


class Board:
    """Sees several at once: a line each that lives, and above them, by name, what is done.

    Args:
        stream: where that is shown; in a pipe, no line lives.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._lives = stream, output.is_terminal(stream)
        self._lock = RLock()
        self._lines: dict[str, str] = {}
        self._drawn = 0

    def show(self, subject: str) -> Show:
        """See `Onlooker`."""
        lane = Lane(self, subject)
        indent = len(subject) + 2
        tells = Live(self._stream, line=lane, indent=indent) if self._lives else Plain(say=lane.say)
        return Show(tells, LaneScreen(lane, tells))

    def came(self, brought: Brought, lines: list[str]) -> None:
        """See `Onlooker`."""
        with self._lock:
            self._erase()
            self._lines.pop(brought.subject, None)
            _say_all(lines)
            self._draw()

    def over(self) -> None:
        """See `Onlooker`."""
        with self._lock:
            self._erase()
            self._lines.clear()

    def live(self, subject: str, text: str) -> None:
        """Have a machine's live line say this."""
        with self._lock:
            self._erase()
            self._lines[subject] = text
            self._draw()

    def above(self, subject: str, text: str) -> None:
        """Write a line of a machine's that stays, above all that live; its own is blank then."""
        with self._lock:
            self._erase()
            tell(f"{subject}: {text}")
            if subject in self._lines:
                self._lines[subject] = ""
            self._draw()

    def _erase(self) -> None:
        if self._drawn:
            up = f"\x1b[{self._drawn - 1}A" if self._drawn > 1 else ""
            put(self._stream, f"{up}{ERASE}")
        self._drawn = 0

    def _draw(self) -> None:
        if not self._lives or not self._lines:
            return
        rows = max(1, _rows(self._stream) - 1)  # a line that scrolls away cannot be erased
        lines = [f"{subject}: {text}".rstrip() for subject, text in self._lines.items()]
        put(self._stream, "\n".join(lines[:rows]))
        self._drawn = min(rows, len(lines))


class Lane:
    """A machine's part of the board; implements `raptorctl.cli.progress.Line`."""

    def __init__(self, board: Board, subject: str) -> None:
        self._board, self._subject = board, subject

    def draw(self, text: str) -> None:
        """See `Line`."""
        self._board.live(self._subject, text)

    def say(self, text: str) -> None:
        """See `Line`."""
        self._board.above(self._subject, text)


class LaneScreen(Screen):
    """Shows whole lines of what steps say, each with its machine's name."""

    def __init__(self, lane: Lane, tells: Live | Plain) -> None:
        self._lane, self._tells, self._part = lane, tells, ""
        super().__init__()

    def watched(self, title: str, timeout: float) -> AbstractContextManager[Tick]:
        """See `Audience`."""
        return telling(title, timeout, self._tells, self._lane.say)

    def tell(self, text: str) -> None:
        """Write a line."""
        self._lane.say(text)

    def write(self, text: str) -> None:
        """Write the lines that are whole, or long enough."""
        *whole, self._part = f"{self._part}{text}".split("\n")
        if len(self._part) > LONGEST:
            whole, self._part = [*whole, self._part], ""
        for line in whole:
            self.tell(line)


def _say_all(lines: list[str]) -> None:
    if lines:
        say("\n".join(lines))


def _rows(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).lines
    except (OSError, ValueError):
        return 24
