"""Which format a file is of: by what was said, by its name, by its text."""

import enum
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from raptorctl.model.diagnostic import Diagnostic, FileError, refuse
from raptorctl.model.file_format import BuildsFormat, FileFormat, ImportFormat, MachinesFormat

_NAMES: Final = {
    FileFormat.RAPTOR: r".*\.toml",
    FileFormat.VMFILE: r".*\.kdl",
    FileFormat.REGISTRY: r".*\.ya?ml",
    FileFormat.SHELL: r".*\.sh",
    FileFormat.B9: r".*\.b9",
    FileFormat.B9_CONF: r".*\.conf(\.[0-9]+)*",
}
"""What files of each are called."""
_SIGNS: Final = {
    FileFormat.VMFILE: re.compile(r"^[ \t]*vm[ \t]+[\"#\w]", re.MULTILINE),
    FileFormat.REGISTRY: re.compile(r"^(images|nodes|templates|vms):(\s|$)", re.MULTILINE),
    FileFormat.B9: re.compile(
        r"^[ \t\[(]*(Artifact[ \t]+\(IID|(Sources|LetX?|EachT?)[ \t]+\[)", re.MULTILINE
    ),
    FileFormat.SHELL: re.compile(r"^[ \t]*generate_user_data[ \t]*\(", re.MULTILINE),
    FileFormat.RAPTOR: re.compile(
        r"^[ \t]*\[\[?[ \t]*(vars|defaults|(tenant|machine|build)[ \t]*\.)", re.MULTILINE
    ),
}  # fmt: skip
"""How a file of each gives itself away. One may hold a text of another's: the first counts."""
_ELSEWHERE: Final = {
    FileFormat.SHELL: "`raptorctl import --format shell --trust` makes a raptor.toml of it",
    FileFormat.B9: "it is for `raptorctl build`",
    FileFormat.RAPTOR: "it is for `raptorctl up` as it is",
    FileFormat.VMFILE: "it is for `raptorctl up`",
    FileFormat.REGISTRY: "it is for `raptorctl up`",
}
"""What is done with a file that a command does not take."""

Formats = type[MachinesFormat] | type[BuildsFormat] | type[ImportFormat]


def by_name(file: str) -> FileFormat | None:
    """Tell a file's format by its name; None where that says nothing.

    Args:
        file: as it was named.
    """
    found = (one for one, name in _NAMES.items() if re.fullmatch(name, file, re.DOTALL))
    return next(found, None)


def format_of(file: str, text: str, formats: Formats) -> FileFormat | None:
    """Tell a file's format: by its name, or if that says nothing, by its text.

    Args:
        file: as it was named.
        text: what stands in it.
        formats: what it can be.

    Returns:
        One of these, or None: it is ours by its name, or nothing says what it is.
    """
    named, known = by_name(file), _values(formats)
    if named in known or named is FileFormat.RAPTOR:
        return named if named in known else None
    return next((one for one in _seen(text) if one in known), None)


@contextmanager
def read_as(form: FileFormat, file: str, text: str, formats: Formats) -> Iterator[None]:
    """Have what cannot be read, and is of another format, refused as such: one line, its place.

    Args:
        form: as what it is read within.
        file: as it was named.
        text: what stands in it.
        formats: what could have been said.

    Raises:
        FileError: it is of another format; or as it was raised.
    """
    try:
        yield
    except FileError:
        if next(iter(_seen(text)), form) is not form:
            refuse(file, [_other(file, text, form, formats)])
        raise


def _other(file: str, text: str, form: FileFormat, formats: Formats) -> Diagnostic:
    other, at = next(iter(_seen(text).items()))
    line, start = text.count("\n", 0, at) + 1, text.rfind("\n", 0, at) + 1
    way = f"say --format {other}" if other in _values(formats) else _ELSEWHERE[other]
    problem = f"is a line of a {other.noun}, and was read as a {form.noun}"
    return Diagnostic(file, line, at - start + 1, "", problem, way)


def _seen(text: str) -> dict[FileFormat, int]:
    """The formats that a text has a sign of, and where each begins, the first one first."""
    found = {one: match for one, sign in _SIGNS.items() if (match := sign.search(text))}
    places = {one: match.end() - len(match[0].lstrip()) for one, match in found.items()}
    return dict(sorted(places.items(), key=lambda item: item[1]))


def _values(formats: type[enum.StrEnum]) -> tuple[FileFormat, ...]:
    return tuple(FileFormat(one.value) for one in formats)
