"""A parsed value as one of B9's types: each constructor is known, and has what belongs to it."""

from dataclasses import dataclass, field
from typing import Any, Final

from raptorctl.model.b9 import (
    ANY_NUMBER,
    FIELDS,
    GONE,
    LETTER,
    REFUSED,
    TEXT,
    TYPES,
    WHOLE,
    Con,
    Type,
)
from raptorctl.model.diagnostic import Diagnostic, nearest, refuse
from raptorctl.model.names import shown
from raptorctl.model.registry import Text
from raptorctl.read.b9.literal import (
    Apply,
    Document,
    Fields,
    Literal,
    Number,
    Sequence,
    String,
    parse,
)
from raptorctl.read.b9.strings import quoted

WHOLE_FILE: Final = "ArtifactGenerator"
_SAID: Final = {
    TEXT: "a string", WHOLE: "a whole number", LETTER: "a character", ANY_NUMBER: "a number",
}  # fmt: skip
_OF: Final = {con: name for name, cons in TYPES.items() for con in cons}


@dataclass
class Typing:
    """One file that is read.

    Args:
        file: as it was named.
        wrong: what does not fit.
        refused: what fits, and raptorctl has nothing for.
    """

    file: str
    wrong: list[Diagnostic] = field(default_factory=list)
    refused: list[Diagnostic] = field(default_factory=list)

    def value(self, said: Literal, wanted: Type) -> Any:
        """Read a value of a type; what is wrong is told, and stands for None."""
        if isinstance(wanted, list):
            return self._list(said, wanted[0])
        if isinstance(wanted, tuple):
            return self._tuple(said, wanted)
        if wanted in TYPES:
            return self._constructor(said, wanted)
        return self._plain(said, wanted)

    def _list(self, said: Literal, wanted: Type) -> Any:
        if isinstance(said, Sequence) and said.is_list:
            return tuple(self.value(part, wanted) for part in said.parts)
        hint = "write it in brackets, [...]" if isinstance(said, Apply | String) else ""
        return self._tell(said, f"should be {_article([wanted])}", hint)

    def _tuple(self, said: Literal, wanted: tuple[Any, ...]) -> Any:
        parts = said.parts if isinstance(said, Sequence) and not said.is_list else ()
        if len(parts) == len(wanted):
            return tuple(map(self.value, parts, wanted))
        return self._tell(said, f"should be {_article(wanted)}")

    def _plain(self, said: Literal, wanted: str) -> Any:
        if isinstance(said, String) and said.is_character == (wanted == LETTER):
            if wanted in {TEXT, LETTER}:
                return Text(said.text, (self.file, said.line, said.column))
        elif isinstance(said, Number) and wanted in {WHOLE, ANY_NUMBER}:
            if wanted == ANY_NUMBER:
                return float(said.said)
            if said.value is not None:
                return said.value
        hint = f"write {quoted(said.text)}" if isinstance(said, String) and wanted == TEXT else ""
        return self._tell(said, f"should be {_SAID[wanted]}", hint)

    def _constructor(self, said: Literal, wanted: str) -> Any:
        known = TYPES[wanted]
        if not isinstance(said, Apply | Fields):
            return self._tell(said, f"should be {_article(wanted)}", nearest("", known))
        if said.name not in known:
            return self._unknown(said, wanted)
        if said.name in REFUSED:
            problem = f"{said.name} is not supported by raptorctl"
            self.refused.append(self._diagnostic(said, problem, REFUSED[said.name]))
        parts, shape = self._parts(said), known[said.name]
        if parts is None:
            return None
        if len(parts) != len(shape):
            problem = f"{said.name} has {_counted(len(parts))}, and takes {len(shape)}"
            return self._tell(said, problem, _usage(said.name, shape))
        values = tuple(map(self.value, parts, shape))
        return Con(said.name, values, (self.file, said.line, said.column))

    def _parts(self, said: Apply | Fields) -> tuple[Literal, ...] | None:
        names = FIELDS.get(said.name)
        if isinstance(said, Apply) and names is None:
            return said.parts
        if isinstance(said, Fields) and names == tuple(name for name, _ in said.fields):
            return tuple(value for _, value in said.fields)
        if names:
            written = ", ".join(f"{name} = ..." for name in names)
            self._tell(said, f"{said.name} should have fields", f"write {said.name} {{{written}}}")
        else:
            self._tell(said, f"{said.name} has no fields", _usage(said.name))
        return None

    def _unknown(self, said: Apply | Fields, wanted: str) -> None:
        known = TYPES[wanted]
        if said.name in GONE:
            problem = f"{said.name} is of an earlier version of B9"
            return self._tell(said, problem, f"write {GONE[said.name]}")
        if said.name in _OF:
            problem = f"{said.name} does not belong here: should be {_article(wanted)}"
            return self._tell(said, problem, f"known: {', '.join(known)}")
        problem = f"{shown(said.name)} is not known here"
        return self._tell(said, problem, nearest(said.name, known))

    def _tell(self, said: Literal, problem: str, hint: str = "") -> None:
        self.wrong.append(self._diagnostic(said, problem, hint))

    def _diagnostic(self, said: Literal, problem: str, hint: str) -> Diagnostic:
        return Diagnostic(self.file, said.line, said.column, "", problem, hint)


def checked(text: str, file: str) -> Document:
    """Parse a build file whose constructors are all B9's, be they refused by raptorctl or not.

    Raises:
        FileError: it is none; all that is wrong, with places.
        MissingError: Lark is not installed.
    """
    reading, document = Typing(file), parse(text, file)
    reading.value(document.value, WHOLE_FILE)
    refuse(file, reading.wrong)
    return document


def read_b9(text: str, file: str) -> Con:
    """Read a build file.

    Args:
        text: of the file.
        file: as it was named, for errors.

    Returns:
        An `ArtifactGenerator`.

    Raises:
        FileError: it is none, or it has what raptorctl has nothing for; all of it, with places.
        MissingError: Lark is not installed.
    """
    reading = Typing(file)
    value: Con = reading.value(parse(text, file).value, WHOLE_FILE)
    refuse(file, reading.wrong or reading.refused)
    return value


def _article(wanted: Type) -> str:
    """What a person calls a type."""
    if isinstance(wanted, list):
        return f"a list of {_plural(wanted[0])}"
    if isinstance(wanted, tuple):
        return f"a tuple of {len(wanted)}, {_shape(wanted)}"
    if wanted in _SAID:
        return _SAID[wanted]
    return f"an {wanted}" if wanted[0] in "AEI" else f"a {wanted}"


def _plural(wanted: Type) -> str:
    if isinstance(wanted, str) and wanted in _SAID:
        return f"{_SAID[wanted].removeprefix('a ')}s"
    return _shape(wanted)


def _shape(wanted: Type) -> str:
    """A type as Haskell writes it."""
    if isinstance(wanted, list):
        return f"[{_shape(wanted[0])}]"
    if isinstance(wanted, tuple):
        return f"({', '.join(map(_shape, wanted))})"
    return wanted


def _usage(name: str, shape: tuple[Type, ...] = ()) -> str:
    shape = shape or TYPES[_OF[name]][name]
    return " ".join(("write", name, *map(_shape, shape)))


def _counted(count: int) -> str:
    return f"{count or 'no'} argument{'' if count == 1 else 's'}"
