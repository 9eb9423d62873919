"""What a person sees of a job: one line per step, and a live bar while a volume is wiped.

Rich could draw the bar. It is not used: importing it takes longer than most steps do, and its
refresh thread would have to be kept from failing a job when the terminal hangs up.
"""

import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol, TextIO

from raptorctl.cli import output
from raptorctl.cli.output import Colour, painted, plain, tell
from raptorctl.model.job import StepState
from raptorctl.model.sizes import Size

REDRAW: Final = 0.1
"""Seconds between two pictures of the bar."""
RETELL: Final = 10.0
"""Seconds between two lines about one step in a pipe."""
WINDOW: Final = 5.0
"""Seconds over which speed is taken: zeroing and reading back differ in it."""
SMALLEST: Final = 4 << 20
"""Below it, a step counts milliseconds of a wait and not bytes: no wait is longer than an hour
(settings), and no volume smaller than LVM's extent."""
BAR: Final = 16
CLEAR: Final = "\r\x1b[K"

SIGNS: Final = {
    StepState.DONE: ("✓", "ok", Colour.GOOD),
    StepState.ALREADY: ("✓", "ok", Colour.GOOD),
    StepState.DEFERRED: ("…", "..", Colour.DOUBT),
    StepState.UNDONE: ("↶", "<-", Colour.DOUBT),
    StepState.UNDO_FAILED: ("✗", "!!", Colour.BAD),
    StepState.MAYBE: ("✗", "!!", Colour.BAD),
    StepState.WAITING: ("·", "  ", Colour.FAINT),
}

Clock = Callable[[], float]


class Line(Protocol):
    """The live line of a terminal, or one of several."""

    def draw(self, text: str) -> None:
        """Have the line say this, however often."""

    def say(self, text: str) -> None:
        """Write a line above it, which stays; the live line is blank then."""


class LastLine:
    """The terminal's last line; implements `Line`.

    Args:
        stream: the terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def draw(self, text: str) -> None:
        """See `Line`."""
        put(self._stream, f"{CLEAR}  {text}")

    def say(self, text: str) -> None:
        """See `Line`."""
        put(self._stream, CLEAR)
        tell(text)


def put(stream: TextIO, text: str) -> None:
    """Write to a terminal, which may have hung up."""
    try:
        stream.write(text)
        stream.flush()
    except OSError:
        output.forget(stream)


def reporter() -> "Live | Plain":
    """Return what fits where standard error goes."""
    if output.is_terminal(sys.stderr):
        return Live(sys.stderr)
    return Plain()


class Meter:
    """Speed and time left, from how far a step has come and when."""

    def __init__(self, now: float) -> None:
        self._seen: deque[tuple[float, int]] = deque([(now, 0)])
        self.done, self.total = 0, 0

    def feed(self, now: float, done: int, total: int) -> None:
        """Take note of `done` of `total` bytes."""
        if done < self.done or not self.done:
            # Another pass begins, or the first: what was before it (opening, waiting) is no speed.
            self._seen.clear()
        self.done, self.total = done, total
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[0][0] > WINDOW:
            self._seen.popleft()

    @property
    def speed(self) -> float:
        """Bytes a second, lately; 0 while unknown."""
        (begun, before), (now, done) = self._seen[0], self._seen[-1]
        return (done - before) / (now - begun) if now > begun else 0.0

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    def __str__(self) -> str:
        """Percent, bytes, speed, time left; of a wait, how long it may still take."""
        if self.total < SMALLEST:
            return f"waiting, at most {_clock((self.total - self.done) / 1000)}"
        speed = self.speed
        left = _clock((self.total - self.done) / speed) if speed else "-:--"
        bytes_done = f"{_rounded(self.done)}/{Size(self.total)}"
        return f"{self.share:4.0%}  {bytes_done}  {_rounded(speed)}/s  ETA {left}"


class Plain:
    """For a pipe: whole lines only.

    Args:
        clock: tells seconds.
        say: writes a line.
    """

    def __init__(self, clock: Clock = time.monotonic, say: Callable[[str], None] = tell) -> None:
        self._clock, self._tell = clock, say
        self._began = self._told = clock()
        self._at = ""
        self._meter = Meter(self._began)

    def started(self, number: int, total: int, title: str, began: float | None = None) -> None:
        """Remember what the next progress is about, and since when, by the same clock."""
        self._at = f"{_place(number, total)}{plain(title)}"
        self._told = self._clock()
        self._began = self._told if began is None else began
        self._meter = Meter(self._began)

    def progress(self, done: int, total: int) -> None:
        """Write a line now and then."""
        now = self._clock()
        if total <= 0:
            return
        self._meter.feed(now, done, total)
        if now - self._told >= RETELL:
            self._told = now
            self._tell(f"{self._at}: {str(self._meter).strip()}")

    def ended(self, number: int, total: int, title: str, state: StepState, problem: str) -> None:
        """Write the step's line."""
        took = _took(self._clock() - self._began)
        at = _place(number, total)
        self._tell(f"{at}{state.value}: {plain(title)}{took}{_because(problem)}")

    def note(self, text: str) -> None:
        """Write a line."""
        self._tell(f"note: {plain(text)}")


class Live:
    """For a terminal: the live line is redrawn until its step ends.

    Args:
        stream: the terminal.
        clock: tells seconds.
        line: of the terminal; None for its last one.
        indent: columns of that line which are taken.
    """

    def __init__(
        self,
        stream: TextIO,
        clock: Clock = time.monotonic,
        line: Line | None = None,
        indent: int = 2,
    ) -> None:
        self._stream, self._clock = stream, clock
        self._line, self._indent = line or LastLine(stream), indent
        self._unicode = output.speaks_unicode(stream)
        self._began = self._drawn = clock()
        self._at = ""
        self._meter = Meter(self._began)

    def started(self, number: int, total: int, title: str, began: float | None = None) -> None:
        """Show what is being done, and since when, by the same clock."""
        self._at = f"{_place(number, total)}{plain(title)}"
        self._began = self._clock() if began is None else began
        self._meter = Meter(self._began)
        self._draw(self._at)

    def progress(self, done: int, total: int) -> None:
        """Redraw the bar, if the eye can tell the difference."""
        now = self._clock()
        if total <= 0:
            return
        self._meter.feed(now, done, total)
        if now - self._drawn >= REDRAW:
            self._draw(self._at, f"{self._bar()} {self._meter}")

    def ended(self, number: int, total: int, title: str, state: StepState, problem: str) -> None:
        """Replace the live line by the step's last word."""
        bright, ascii_sign, colour = SIGNS[state]
        sign = painted(bright if self._unicode else ascii_sign, colour, self._stream)
        said = "" if state is StepState.DONE else f" ({state.value})"
        took, at = _took(self._clock() - self._began), _place(number, total)
        self._line.say(f"{sign} {at}{plain(title)}{said}{took}{_because(problem)}")

    def note(self, text: str) -> None:
        """Write a line above the live one."""
        self._line.say(f"{painted('note:', Colour.DOUBT, self._stream)} {plain(text)}")

    def _bar(self) -> str:
        full = round(BAR * self._meter.share)
        on, off = ("█", "░") if self._unicode else ("#", "-")
        return f"{on * full}{off * (BAR - full)}"

    def _draw(self, text: str, numbers: str = "") -> None:
        columns = (output.width(self._stream) or 80) - 1 - self._indent
        room = columns - (len(numbers) + 2 if numbers else 0)
        short = text if len(text) <= room else f"{text[: max(0, room - 2)]}.."
        self._line.draw(f"{short}{'  ' if numbers else ''}{numbers}"[:columns])
        self._drawn = self._clock()


def _place(number: int, total: int) -> str:
    """Which of how many, where somebody counts."""
    return f"{number}/{total} " if total else ""


def _took(seconds: float) -> str:
    """How long, where it is worth a word."""
    return f" [{seconds:.1f} s]" if seconds >= 1 else ""


def _because(problem: str) -> str:
    return f": {plain(problem)}" if problem else ""


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _rounded(number: float) -> str:
    """Bytes to three figures, always of one width or nearly so: the eye rests."""
    return str(Size(int(number) >> 20 << 20)) if number >= 1 << 20 else str(Size(int(number)))
