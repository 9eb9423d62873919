"""Where each key of a TOML text stands: tomllib tells of values, not of lines (toml.io, v1.0.0).

The text is known to be TOML, so that this reads no more grammar than it takes to find the keys.
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Final

from raptorctl.model.diagnostic import Diagnostic, refuse

Path = tuple[str | int, ...]
"""Keys, and numbers of items in lists: `("machine", "web", "steps", 0)`."""
Place = tuple[int, int]
"""Line and column, counted from 1."""

_TOKEN: Final = re.compile(
    r"""(?P<blank>[ \t\r]+|\#[^\n]*)
      | (?P<line>\n)
      | (?P<text>\"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5} | "(?:\\.|[^"\\])*" | '[^']*')
      | (?P<mark>[\[\]{}=,.])
      | (?P<word>[^\s\[\]{}=,.\#"']+)""",
    re.DOTALL | re.VERBOSE,
)
_WORD: Final = re.compile(r"\[[0-9]{1,6}\]|[^.\s\[\]]+", re.ASCII)
_DEEPEST: Final = 100
"""Parts of a key, `a.b.c`: what tomllib and we take for them grows by their square."""
_AT: Final = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: Place


def places(text: str) -> Mapping[Path, Place]:
    """Return where each key, and each item of a list of tables, stands.

    Args:
        text: TOML that tomllib reads.
    """
    return _Places(text).found


def place_of(path: Path, found: Mapping[Path, Place]) -> Place:
    """Return where a key stands: it, else the first of what is in it, else what it is in."""
    inner = (at for other, at in found.items() if other[: len(path)] == path)
    outer = (found[path[:end]] for end in range(len(path) - 1, 0, -1) if path[:end] in found)
    return found.get(path) or next(chain(inner, outer), (0, 0))


def deepest(path: Path, problem: str, found: Mapping[Path, Place]) -> Path:
    """Return what a problem begins with, `data.size: ...` or `[1].run: ...`, if further down.

    Args:
        path: the key that it is told of.
        problem: what is wrong with it.
        found: where each key stands.
    """
    line, inner = place_of(path, found)[0], path
    for word in _WORD.findall(problem.partition(": ")[0]):
        inner = (*inner, int(word[1:-1]) if word[0] == "[" else word)
        if not any(known[: len(inner)] == inner for known in found):
            break
        if place_of(inner, found)[0] != line:
            path = inner
    return path


def key_places(found: Mapping[Path, Place]) -> dict[tuple[str, str], Place]:
    """Return where each key of a table stands, by both: `machine.web` and `disks.data.size`."""
    whole: dict[Path, Place] = {}
    for path, place in found.items():
        for end in range(2, len(path)):  # of what has no place itself, the first thing in it
            whole.setdefault(path[:end], place)
    return {_table_and_key(path): at for path, at in {**whole, **found}.items() if len(path) > 1}


def _table_and_key(path: Path) -> tuple[str, str]:
    words = tuple(map(str, path))
    end = 1 if words[0] == "defaults" or len(words) == 2 else 2
    return ".".join(words[:end]), ".".join(words[end:])


@contextmanager
def told(text: str, file: str) -> Iterator[None]:
    """Have what keeps a text from being read told with line and column.

    Args:
        text: what the block reads.
        file: as it was named.

    Raises:
        FileError: it is not TOML, or nested more deeply than Python follows.
    """
    try:
        _refuse_deep(text)
        yield
    except tomllib.TOMLDecodeError as error:
        problem, place = error_place(error, text)
        refuse(file, [Diagnostic(file, *place, "", f"is not TOML: {problem}")])
        raise  # not reached
    except RecursionError:
        refuse(file, [Diagnostic(file, 0, 0, "", "is nested too deeply")])
        raise  # not reached
    except ValueError:  # of int(), which tomllib passes on
        refuse(file, [Diagnostic(file, 0, 0, "", "has a number of too many digits")])
        raise  # not reached


def _refuse_deep(text: str) -> None:
    dots = 0
    for token in _tokens(text):
        dots = dots + 1 if token.text == "." else dots * (token.kind in {"word", "text"})
        if dots >= _DEEPEST:
            raise RecursionError


def error_place(error: tomllib.TOMLDecodeError, text: str) -> tuple[str, Place]:
    """Split what tomllib says into the problem and where it is."""
    said = str(error)
    match = _AT.search(said)
    if match is None:
        return said, (0, 0)
    at = (int(match[1]), int(match[2])) if match[1] else (text.count("\n") + 1, 0)
    return said[: match.start()], at


class _Places:
    """One reading, from the first token to the last."""

    def __init__(self, text: str) -> None:
        self.found: dict[Path, Place] = {}
        self._counts: dict[Path, int] = {}
        self._tokens = list(_tokens(text))
        self._next = 0
        table: Path = ()
        while token := self._peek():
            if token.kind == "line":
                self._take()
            elif token.text == "[":
                table = self._header()
            else:
                self._pair(table)

    def _peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _take(self) -> _Token:
        self._next += 1
        return self._tokens[self._next - 1]

    def _skip(self, *texts: str) -> None:
        """Pass over line breaks and these marks."""
        while (token := self._peek()) and (token.kind == "line" or token.text in texts):
            self._take()

    def _header(self) -> Path:
        """`[a.b]`, or `[[a.b]]`, which is an item more of a list."""
        at, first = self._take().at, self._peek()
        listed = first is not None and first.text == "["
        self._skip("[")
        path: Path = ()
        for key, _ in self._keys("]"):
            path = self._into(path, key)
        if listed:
            bare = path[:-1] if path and isinstance(path[-1], int) else path
            self._counts[bare] = self._counts.get(bare, -1) + 1
            path = (*bare, self._counts[bare])
        self._skip("]")
        self._note(path, at)
        return path

    def _into(self, path: Path, key: str) -> Path:
        """A list of tables is entered at its last item."""
        inner = (*path, key)
        return (*inner, self._counts[inner]) if inner in self._counts else inner

    def _pair(self, table: Path) -> None:
        path = table
        for key, at in self._keys("="):
            path = (*path, key)
            self._note(path, at)
        self._take()
        self._value(path)

    def _keys(self, end: str) -> Iterator[tuple[str, Place]]:
        while (token := self._peek()) and token.text != end:
            self._take()
            if token.text != ".":
                yield _key(token), token.at

    def _value(self, path: Path) -> None:
        token = self._peek()
        if token is not None and token.text == "[":
            self._items(path)
        elif token is not None and token.text == "{":
            self._take()
            while self._more("}"):
                self._pair(path)
            self._take()
        else:
            while (token := self._peek()) and token.kind != "line" and token.text not in ",]}":
                self._take()

    def _items(self, path: Path) -> None:
        self._take()
        number = 0
        while self._more("]"):
            self._note((*path, number), self._tokens[self._next].at)
            self._value((*path, number))
            number += 1
        self._take()

    def _more(self, end: str) -> bool:
        self._skip(",")
        token = self._peek()
        return token is not None and token.text != end

    def _note(self, path: Path, at: Place) -> None:
        self.found.setdefault(path, at)


def _tokens(text: str) -> Iterator[_Token]:
    starts = [0, *(found.end() for found in re.finditer("\n", text))]
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind != "blank":
            line = bisect_right(starts, match.start())
            yield _Token(kind, match[0], (line, match.start() - starts[line - 1] + 1))


def _key(token: _Token) -> str:
    if token.kind != "text":
        return token.text
    return next(iter(tomllib.loads(f"{token.text} = 0")))
