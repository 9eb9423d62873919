"""Haskell's strings and characters (Haskell 2010 report, section 2.6), both ways."""

import re
from typing import Final

_ASCII: Final = (
    "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "HT", "LF", "VT", "FF", "CR",
    "SO", "SI", "DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC",
    "FS", "GS", "RS", "US", "SP",
)  # fmt: skip
"""Names of the characters from 0."""
_NAMES: Final = {name: chr(number) for number, name in enumerate(_ASCII)} | {"DEL": "\x7f"}
_LETTERS: Final = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", '"': '"', "'": "'", "&": "",
}  # fmt: skip
_ESCAPE: Final = re.compile(
    r"""\\(?:
        (?P<letter>[abfnrtv\\"'&])
      | \^(?P<control>[@-_])
      | (?P<name>{names})
      | (?P<decimal>[0-9]+) | o(?P<octal>[0-7]+) | x(?P<hexadecimal>[0-9A-Fa-f]+)
      | (?P<gap>\s+\\)
      | (?P<wrong>.?)
    )""".replace("{names}", "|".join(sorted(_NAMES, key=len, reverse=True))),
    re.VERBOSE | re.DOTALL,
)
_BASES: Final = {"decimal": 10, "octal": 8, "hexadecimal": 16}
_SHOWN: Final = {chr(number): name for number, name in enumerate(_ASCII[:-1])} | {
    value: letter for letter, value in _LETTERS.items() if value not in {"", "'"}
}


def unquoted(quoted: str) -> str:
    """Return the text of a string or a character.

    Args:
        quoted: with its quotes.

    Raises:
        ValueError: it has an escape that Haskell does not know, or a character that there is not.
    """
    return _ESCAPE.sub(_replaced, quoted[1:-1])


def _replaced(match: re.Match[str]) -> str:
    kind = str(match.lastgroup)
    said = match[kind]
    if kind == "wrong":
        raise ValueError(f"\\{said} is no escape of Haskell; a backslash is written \\\\")
    if kind == "letter":
        return _LETTERS[said]
    if kind == "name":
        return _NAMES[said]
    if kind == "control":
        return chr(ord(said) - 64)
    return "" if kind == "gap" else _numbered(said, _BASES[kind])


def _numbered(digits: str, base: int) -> str:
    significant = digits.lstrip("0")[:9] or "0"  # more digits are no character anyway
    number = int(significant, base)
    if number > 0x10FFFF or 0xD800 <= number < 0xE000:
        raise ValueError(f"there is no character {digits[:9]} that a file could hold")
    return chr(number)


def quoted(text: str) -> str:
    """Return text as Haskell writes it, in which letters of all languages stay as they are.

    Args:
        text: any.
    """
    written = []
    for place, letter in enumerate(text):
        written.append(_escaped(letter, text[place + 1 : place + 2]))
    return f'"{"".join(written)}"'


def _escaped(letter: str, following: str) -> str:
    """One character; `\\&` keeps it apart from one that would belong to its escape."""
    if letter == "\x7f":
        return "\\DEL"
    if letter in _SHOWN:
        return f"\\{_SHOWN[letter]}" + ("\\&" if letter == "\x0e" and following == "H" else "")
    if letter.isprintable():
        return letter
    return f"\\{ord(letter)}" + ("\\&" if following.isascii() and following.isdigit() else "")
