"""A value in Haskell's syntax, as `read` takes what `show` printed (Haskell 2010 report, 11.4).

Constructors, records, strings, characters, numbers, tuples and lists; no operators, and no names
that stand for something else.
"""

from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from raptorctl.errors import MissingError
from raptorctl.model.diagnostic import Diagnostic, refuse
from raptorctl.model.names import shown
from raptorctl.read.b9.comments import CHARACTER, STRING, Comment, runaway, without_comments
from raptorctl.read.b9.strings import unquoted

if TYPE_CHECKING:
    from lark import Lark, Token

LARGEST: Final = 1 << 18
"""Bytes: what the parser reads in two seconds."""
_DIGITS: Final = 18
"""Of a number: one that has no more fits a Haskell Int."""

GRAMMAR: Final = r"""
    ?start: value
    ?value: CONSTRUCTOR part+ -> apply
          | "-" NUMBER -> number
          | part
    ?part: CONSTRUCTOR -> apply
         | CONSTRUCTOR "{" [field ("," field)*] "}" -> record
         | STRING -> string
         | CHARACTER -> character
         | NUMBER -> number
         | "[" [value ("," value)*] "]" -> list
         | "(" ")" -> tuple
         | "(" value ")" -> group
         | "(" value ("," value)+ ")" -> tuple
    field: FIELD "=" value

    CONSTRUCTOR: /[A-Z][A-Za-z0-9_']*/
    FIELD: /[a-z_][A-Za-z0-9_']*/
    NUMBER: /0[xX][0-9A-Fa-f]+|0[oO][0-7]+|0[bB][01]+|[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?/
    STRING: /{string}/s
    CHARACTER: /{character}/s
    %ignore /\s+/
""".replace("{string}", STRING).replace("{character}", CHARACTER)
_CALLED: Final = {
    "CONSTRUCTOR": "a constructor", "FIELD": "a field's name", "NUMBER": "a number",
    "STRING": "a string", "CHARACTER": "a character", "COMMA": "','", "LSQB": "'['",
    "RSQB": "']'", "LPAR": "'('", "RPAR": "')'", "LBRACE": "'{'", "RBRACE": "'}'",
    "EQUAL": "'='", "MINUS": "'-'", "$END": "the end of the file",
}  # fmt: skip


@dataclass(frozen=True)
class Literal:
    """Any value, and where it stands.

    Args:
        line, column: of its first character, from 1; parentheses around it are not its own.
        last, until: line and column behind its last character.
    """

    line: int
    column: int
    last: int
    until: int

    @property
    def start(self) -> tuple[int, int]:
        """Line and column of its first character."""
        return self.line, self.column

    @property
    def end(self) -> tuple[int, int]:
        """Line and column behind its last one."""
        return self.last, self.until


@dataclass(frozen=True)
class Apply(Literal):
    """A constructor and its arguments, perhaps none."""

    name: str
    parts: tuple[Literal, ...]


@dataclass(frozen=True)
class Fields(Literal):
    """A constructor whose arguments have names."""

    name: str
    fields: tuple[tuple[str, Literal], ...]


@dataclass(frozen=True)
class Sequence(Literal):
    """A list, or a tuple: in parentheses, with none or two or more."""

    parts: tuple[Literal, ...]
    is_list: bool


@dataclass(frozen=True)
class String(Literal):
    """A string, or one character."""

    text: str
    is_character: bool = False


@dataclass(frozen=True)
class Number(Literal):
    """A number, as it was written; `value` is None if it is no whole one."""

    said: str
    value: int | None


@dataclass(frozen=True)
class Document:
    """A whole file."""

    value: Literal
    comments: tuple[Comment, ...]


def parse(text: str, file: str) -> Document:
    """Parse a build file.

    Args:
        text: of the file.
        file: as it was named, for errors.

    Raises:
        FileError: it is no value; says where, and what was expected.
        MissingError: Lark is not installed.
    """
    if len(text.encode(errors="surrogatepass")) > LARGEST:
        refuse(file, [Diagnostic(file, 0, 0, "", f"is larger than {LARGEST >> 10} KiB")])
    parser = _parser(file)
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken, VisitError

    blanked, comments = without_comments(text, file)
    try:
        return Document(parser.parse(blanked), comments)  # type: ignore[arg-type]
    except UnexpectedToken as error:
        said = _unexpected(error.token, set(error.accepts or error.expected), file, blanked)
    except UnexpectedCharacters as error:
        problem = f"did not expect {shown(error.char)}; expected {_words(error.allowed or set())}"
        hint = runaway(blanked, error.pos_in_stream or 0)
        said = Diagnostic(file, error.line, error.column, "", problem, hint)
    except VisitError as error:
        raise error.orig_exc from error
    except _WrongTokenError as error:
        line, column = error.place
        said = Diagnostic(file, line, column, "", str(error))
    refuse(file, [said])
    raise AssertionError("not reached")


class _WrongTokenError(Exception):
    """A string or number that has a form and no value."""

    def __init__(self, token: "Token", problem: str) -> None:
        super().__init__(problem)
        self.place = (token.line or 0, token.column or 0)


def _unexpected(token: "Token", expected: set[str], file: str, text: str) -> Diagnostic:
    """What stands where it cannot, and what could."""
    if token.type == "$END":
        stripped = text.rstrip()
        line, column = stripped.count("\n") + 1, len(stripped) - stripped.rfind("\n")
        problem = f"the file ends too early; expected {_words(expected)}"
        return Diagnostic(file, line, column, "", problem)
    problem = f"did not expect {shown(str(token))}; expected {_words(expected)}"
    hint = runaway(text, token.start_pos or 0)
    return Diagnostic(file, token.line or 0, token.column or 0, "", problem, hint)


def _words(names: set[str]) -> str:
    """What the grammar's terminals are called, in the order of `_CALLED`."""
    words = [said for name, said in _CALLED.items() if name in names]
    *most, last = words or ["nothing"]
    return f"{', '.join(most)} or {last}" if most else last


def _parser(file: str) -> "Lark":
    try:
        import lark  # noqa: F401
    except ImportError as error:
        raise MissingError(
            f"{shown(file)} is a B9 build file, and lark is not installed",
            resolution="install python3-lark, or pip install 'raptorctl[b9]'",
        ) from error
    return _made()


@cache
def _made() -> "Lark":
    """The parser, whose values are made as it goes: nothing walks a tree of any depth."""
    from lark import Lark

    rules: Any = SimpleNamespace(
        apply=lambda found: Apply(*_span(found), str(found[0]), tuple(found[1:])),
        record=_record,
        field=lambda found: (str(found[0]), found[2]),
        list=lambda found: Sequence(*_span(found), _enclosed(found), is_list=True),
        tuple=lambda found: Sequence(*_span(found), _enclosed(found), is_list=False),
        group=lambda found: _enclosed(found)[0],
        string=lambda found: String(*_span(found), _text(found[0])),
        character=_character,
        number=_number,
    )
    return Lark(
        GRAMMAR, parser="lalr", lexer="contextual", transformer=rules, keep_all_tokens=True,
        maybe_placeholders=False,
    )  # fmt: skip


def _record(found: list[Any]) -> Literal:
    fields = tuple(one for one in found if isinstance(one, tuple))
    return Fields(*_span(found), str(found[0]), fields)


def _character(found: list[Any]) -> Literal:
    token = found[0]
    if len(letter := _text(token)) != 1:
        raise _WrongTokenError(token, f"{shown(str(token))} is not one character")
    return String(*_span(found), letter, is_character=True)


def _number(found: list[Any]) -> Literal:
    whole = _whole(found[-1])
    below = len(found) > 1
    value = -whole if below and whole is not None else whole
    return Number(*_span(found), "".join(found), value)


def _enclosed(found: list[Any]) -> tuple[Literal, ...]:
    return tuple(one for one in found if isinstance(one, Literal))


def _span(found: list[Any]) -> tuple[int, int, int, int]:
    """Where the first begins and the last ends, of tokens and values."""
    first, last = found[0], found[-1]
    end = last.end if isinstance(last, Literal) else (last.end_line, last.end_column)
    return first.line, first.column, *end


def _text(token: "Token") -> str:
    try:
        return unquoted(str(token))
    except ValueError as error:
        raise _WrongTokenError(token, str(error)) from error


def _whole(token: "Token") -> int | None:
    if len(token) > _DIGITS:
        raise _WrongTokenError(token, f"has more than {_DIGITS} digits")
    try:
        return int(token, 10 if token.isdigit() else 0)
    except ValueError:
        return None
