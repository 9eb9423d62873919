"""Everything that leaves the program as text: tables, JSON, colour.

Results go to standard output, what happens meanwhile to standard error. A reader that has gone
away (`raptorctl list | head -1`) ends no job: writing to it becomes writing to nowhere.
"""

import enum
import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, TextIO

from raptorctl.model import text as texts

plain: Final = texts.plain


class Format(enum.StrEnum):
    """What `-o` takes."""

    TEXT = "text"
    JSON = "json"


class Colour(enum.Enum):
    """SGR parameters (ECMA-48 8.3.117)."""

    GOOD = "32"
    DOUBT = "33"
    BAD = "31"
    FAINT = "2"
    STRONG = "1"


def say(text: str = "") -> None:
    """Write a line of the result."""
    _write(sys.stdout, text)


def say_text(text: str) -> None:
    """Write a result that ends its last line itself; nothing at all of nothing."""
    if text:
        say(text.removesuffix("\n"))


def tell(text: str) -> None:
    """Write a line about what happens."""
    _write(sys.stderr, text)


def say_json(shape: Mapping[str, Any]) -> None:
    """Write a result as JSON, in the shape its command documents."""
    say(json.dumps(shape, indent=2))


def painted(text: str, colour: Colour, stream: TextIO | None = None) -> str:
    """Colour a text if its stream (standard output) shows colour."""
    if not shows_colour(stream or sys.stdout):
        return text
    return f"\x1b[{colour.value}m{text}\x1b[0m"


def shows_colour(stream: TextIO) -> bool:
    """A terminal that is not dumb, and nobody said NO_COLOR (no-color.org: set and not empty)."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") == "dumb"
    return is_terminal(stream) and not plain


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person sees the stream; one that is closed is seen by nobody."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def speaks_unicode(stream: TextIO) -> bool:
    """Whether ✓ and █ arrive as such."""
    encoding = (getattr(stream, "encoding", "") or "").lower().replace("-", "")
    return encoding == "utf8"


def width(stream: TextIO) -> int | None:
    """Columns of the terminal; None in a pipe, where nothing is shortened."""
    return shutil.get_terminal_size().columns if is_terminal(stream) else None


def width_of_output() -> int | None:
    """Columns that a result may take."""
    return width(sys.stdout)


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Iterable[str] = (),
    columns: int | None = None,
) -> list[str]:
    """Lay out a table, two spaces between columns.

    Args:
        head: the columns' names.
        rows: one text per column.
        right: names of columns that hold numbers.
        columns: shorten the widest column until a line fits; None never shortens.
    """
    lines = [list(head), *([plain(cell) for cell in row] for row in rows)]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    _squeeze(widths, columns)
    aligned = [str.rjust if name in set(right) else str.ljust for name in head]
    return [
        "  ".join(
            align(_short(cell, wide), wide)
            for align, cell, wide in zip(aligned, line, widths, strict=True)
        ).rstrip()
        for line in lines
    ]


def _squeeze(widths: list[int], columns: int | None) -> None:
    gaps = 2 * (len(widths) - 1)
    surplus = sum(widths) + gaps - columns if columns else 0
    if surplus > 0:
        widest = widths.index(max(widths))
        widths[widest] = max(8, widths[widest] - surplus)


def _short(text: str, wide: int) -> str:
    return text if len(text) <= wide else f"{text[: wide - 2]}.."


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:
        return
    try:
        stream.write(f"{text}\n")
        stream.flush()
    except BrokenPipeError:
        forget(stream)
    except OSError:
        # A terminal that hung up (EIO) or a full disk behind standard error ends no job. For a
        # result the loss is told at the end, see `lost`.
        forget(stream)
        lost.append(stream.name)


lost: Final[list[str]] = []
"""Streams that could not be written for another reason than a reader that left."""


def forget(stream: TextIO) -> None:
    """Let everything still to come for a stream vanish (docs.python.org, note on SIGPIPE)."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError):  # no descriptor beneath: nothing to send elsewhere
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
