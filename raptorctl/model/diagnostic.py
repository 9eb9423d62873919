"""What is wrong in a file that somebody wrote, and where; one kind for all formats."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from raptorctl.errors import InputError
from raptorctl.model.error_code import Code
from raptorctl.model.text import plain


@dataclass(frozen=True)
class Diagnostic:
    """One thing that is wrong.

    Args:
        file: as it was named.
        line, column: where, counted from 1; 0 where that is not known.
        key: the dotted key, or "".
        problem: what is wrong there.
        hint: what to do, or "".
    """

    file: str
    line: int
    column: int
    key: str
    problem: str
    hint: str = ""

    @property
    def place(self) -> str:
        """`raptor.toml:7:1`, as compilers write it (GNU Coding Standards, 4.4)."""
        numbers = (str(number) for number in (self.line, self.column) if number)
        return ":".join((self.file, *numbers))

    def __str__(self) -> str:
        said = ": ".join(filter(None, (self.place, self.key, self.problem)))
        return plain(f"{said}; {self.hint}" if self.hint else said)


def refuse(file: str, found: Iterable[Diagnostic]) -> None:
    """Refuse a file in which anything is wrong, all of it at once, in the file's order.

    Raises:
        FileError: there is something.
    """
    ordered = sorted(dict.fromkeys(found), key=lambda one: (one.line, one.column, one.key))
    if ordered:
        raise FileError(file, [str(one) for one in ordered], subject=ordered[0].key or file)


def nearest(word: str, known: Iterable[str]) -> str:
    """Say which word was meant, or which there are.

    Args:
        word: what was written.
        known: what could have been.
    """
    words = list(known)
    close = difflib.get_close_matches(word, words, 1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(words) or 'none'}"


class FileError(InputError):
    """A file of machines says something impossible, perhaps more than once.

    Args:
        file: as it was named.
        problems: each with its place, one line each.
        subject: the first key that is wrong.
    """

    code = Code.BAD_FILE
    always_detailed = True

    def __init__(self, file: str, problems: Sequence[str], *, subject: str = "") -> None:
        self.file, self.problems = file, tuple(problems)
        several = len(self.problems) > 1
        super().__init__(
            f"{file} has {len(self.problems)} errors" if several else self.problems[0],
            details="\n".join(self.problems) if several else "",
            subject=subject or file,
        )
