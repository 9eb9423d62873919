"""Text that is not ours, made fit for one line of a terminal or a log."""

import unicodedata


def plain(text: str) -> str:
    """Replace what would move a cursor or break a line: some names are not ours to choose."""
    return "".join("?" if unicodedata.category(c).startswith("C") else c for c in text)


def last_line(text: str) -> str:
    """Return the last line that says something: an exception's, or that of a log, is the reason."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
