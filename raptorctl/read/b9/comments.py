"""Comments of a build file, and how deep it is nested, before it is parsed.

`{- {- -} -}` is nested as deep as one likes, which no regular expression reads; so comments are
blanked here, and everything else stays on its line and in its column.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Final

from raptorctl.model.diagnostic import Diagnostic, refuse

DEEPEST: Final = 64
"""Brackets within brackets: three times as many as anybody's file has."""

STRING: Final = r'"(?>[^"\\]|\\\s+\\|\\[^\s])*+"'
"""With its gaps; lines may end in it, as they may for Haskell's `read`."""
CHARACTER: Final = r"'(?:[^'\\\n]|\\(?:[^\s'][A-Za-z0-9@^_\[\]\\]*|'))'"
_TOKEN: Final = re.compile(
    rf"""(?P<text>{STRING}|(?<![\w']){CHARACTER}) | (?P<open_text>")
      | (?P<line>--+(?![-!#$%&*+./<=>?@\\^|~:])[^\n]*) | (?P<block>\{{-)
      | (?P<open>[(\[{{]) | (?P<close>[)\]}}])""",
    re.VERBOSE,
)
_GAP: Final = re.compile(r"\\\s+\\")
_BLOCK: Final = re.compile(r"\{-|-\}")


@dataclass(frozen=True)
class Comment:
    """One comment.

    Args:
        text: with what begins and ends it.
        line, column: of its first character, from 1.
        alone: whether nothing else is before it on its line.
    """

    text: str
    line: int
    column: int
    alone: bool


@dataclass
class _Scan:
    """A file that is gone through once."""

    text: str
    file: str
    comments: list[Comment] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    depth: int = 0
    lines: list[int] = field(init=False)
    """Where each begins."""

    def __post_init__(self) -> None:
        self.lines = [0, *(match.end() for match in re.finditer("\n", self.text))]

    def fail(self, at: int, problem: str, hint: str = "") -> None:
        refuse(self.file, [Diagnostic(self.file, *self.place(at), "", problem, hint)])

    def place(self, at: int) -> tuple[int, int]:
        line = bisect_right(self.lines, at)
        return line, at - self.lines[line - 1] + 1

    def blank(self, start: int, end: int) -> None:
        said = self.text[start:end]
        line, column = self.place(start)
        alone = not self.text[start - column + 1 : start].strip()
        self.comments.append(Comment(said.rstrip(), line, column, alone))
        self.kept.append(re.sub(r"[^\n]", " ", said))

    def block_end(self, start: int) -> int:
        deep = 0
        for match in _BLOCK.finditer(self.text, start):
            deep += 1 if match[0] == "{-" else -1
            if not deep:
                return match.end()
        self.fail(start, "this comment is not closed", "close it with -}")
        return start  # not reached


def without_comments(text: str, file: str) -> tuple[str, tuple[Comment, ...]]:
    """Return a file with blanks where comments are, and the comments.

    Args:
        text: of the file.
        file: as it was named, for errors.

    Raises:
        FileError: a comment or string has no end, or it is nested too deeply.
    """
    scan, at = _Scan(text, file), 0
    while match := _TOKEN.search(text, at):
        start, end, kind = match.start(), match.end(), match.lastgroup
        scan.kept.append(text[at:start])
        if kind == "open_text":
            hint = runaway(text, start) or 'close it with "'
            scan.fail(start, "this string is not closed", hint)
        if kind == "block":
            end = scan.block_end(start)
        if kind in {"line", "block"}:
            scan.blank(start, end)
        else:
            scan.kept.append(text[start:end])
        scan.depth += (kind == "open") - (kind == "close")
        if scan.depth > DEEPEST:
            scan.fail(start, f"is nested more than {DEEPEST} deep")
        at = end
    scan.kept.append(text[at:])
    return "".join(scan.kept), tuple(scan.comments)


def runaway(text: str, at: int) -> str:
    """Return a hint at a string before a place that goes on over the end of its line; or "".

    Haskell's `read` lets it, but mostly its end was forgotten, and found where another begins.
    """
    for match in _TOKEN.finditer(text, 0, at):
        if match["text"] and "\n" in _GAP.sub("", match["text"]):
            line = text.count("\n", 0, match.start()) + 1
            return f"does the string that begins in line {line} end where it should?"
    return ""
