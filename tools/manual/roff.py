"""Text to man(7), in what groff and mandoc both know."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

LITERAL: Final = str.maketrans(
    {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti"}
)
"""What is to be typed as it stands (groff_man_style(7), "Portability")."""

CODE: Final = re.compile(r"`([^`]+)`")
NAME: Final = re.compile(r"(?<![\w-])(--?[a-z][\w-]*)")


def literal(text: str) -> str:
    """Return what a person can copy to their shell."""
    return _guarded(text.translate(LITERAL))


def bold(text: str) -> str:
    """Return something to be typed."""
    return rf"\fB{text.translate(LITERAL)}\fP"


def italic(text: str) -> str:
    """Return a name that stands for something."""
    return rf"\fI{text.translate(LITERAL)}\fP"


def prose(text: str) -> str:
    """Return a paragraph; what is in backquotes, and names of options, are to be typed."""
    parts = CODE.split(" ".join(text.split()))
    said = (bold(part) if odd % 2 else _plain(part) for odd, part in enumerate(parts))
    return _guarded("".join(said))


def _plain(text: str) -> str:
    named = NAME.split(text)
    return "".join(
        bold(part)
        if odd % 2
        else part.replace("\\", r"\e").replace("^", r"\(ha").replace("~", r"\(ti")
        for odd, part in enumerate(named)
    )


def _guarded(line: str) -> str:
    """A line that begins with a dot or an apostrophe would be a request."""
    return rf"\&{line}" if line.startswith((".", "'")) else line


def section(title: str, *lines: str) -> list[str]:
    """Return a section, or nothing where nothing stands in it."""
    return [f".SH {title}", *lines] if lines else []


def entries(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Return a list of what is explained, each name already in its fonts."""
    return [line for name, text in pairs for line in (".TP", name, prose(text))]


def block(lines: Sequence[str]) -> list[str]:
    """Return lines that stand as they are."""
    return [".RS 4", ".EX", *map(literal, lines), ".EE", ".RE"] if lines else []
