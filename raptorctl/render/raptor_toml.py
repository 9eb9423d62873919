"""Tables to the text of `raptor.toml` (toml.io, v1.0.0)."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from raptorctl.model.codec import encode
from raptorctl.model.sizes import UNITS, Size

SCHEMA: Final = "#:schema /usr/share/raptorctl/raptor.schema.json"
"""By which editors find the schema (taplo.tamasfe.dev, directives)."""
WIDTH: Final = 80
INLINE: Final = ("quota", "from")
"""Tables that stand in their line."""
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def table_lines(
    path: Iterable[str], said: Mapping[str, Any], comments: Iterable[str] = ()
) -> list[str]:
    """Lay out a table, whose own tables follow it.

    Args:
        path: its keys.
        said: what it says; a size of no whole KiB cannot be said and becomes a comment.
        comments: a line each.
    """
    keys = tuple(path)
    lines = ["", f"[{'.'.join(map(_key, keys))}]", *(f"# {_line(text)}" for text in comments)]
    if said and len(lines) == 2 and all(map(_is_table, said, said.values())):
        lines = []  # those below say it
    inner = {}
    for key, value in said.items():
        if _is_table(key, value):
            inner[key] = value
        elif isinstance(value, Size) and value % UNITS["K"]:
            lines.append(f"# {_key(key)}: {int(value)} bytes, as its image")
        else:
            lines.append(f"{_key(key)} = {_laid_out(value)}")
    for key, value in inner.items():
        lines += table_lines((*keys, key), value)
    return lines


def _is_table(key: str, value: Any) -> bool:
    return isinstance(value, Mapping) and key not in INLINE


def _laid_out(value: Any) -> str:
    """A value; of a list of tables that fits no line, each has one of its own."""
    written = _value(value)
    if len(written) < WIDTH or not (isinstance(value, list) and isinstance(value[0], Mapping)):
        return written
    return "\n".join(("[", *(f"    {_value(item)}," for item in value), "]"))


def _value(value: Any) -> str:
    if isinstance(value, Size):
        return _text(_exact(value))
    if isinstance(value, Mapping):
        inner = (f"{_key(key)} = {_value(item)}" for key, item in value.items())
        return f"{{ {', '.join(inner)} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    plain = encode(value)
    if isinstance(plain, dict):
        return _value(plain)
    return _text(plain) if isinstance(plain, str) else json.dumps(plain)


def _exact(size: Size) -> str:
    unit = next((u for u in "TGM" if size and size % UNITS[u] == 0), "K")
    return f"{size // UNITS[unit]}{unit}"


def _text(text: str) -> str:
    """A basic string; a dollar would begin a variable."""
    text = text.replace("$", "$$")
    if "\n" not in text:
        return f'"{_escaped(text)}"'
    plain = '"""' not in text and not text.endswith('"')
    lines = [_between_quotes(line) if plain else _escaped(line) for line in text.split("\n")]
    return '"""\n' + "\n".join(lines) + '"""'


def _between_quotes(line: str) -> str:
    return '"'.join(map(_escaped, line.split('"')))


def _escaped(line: str) -> str:
    return json.dumps(line, ensure_ascii=False)[1:-1].replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _line(text: str) -> str:
    return " ".join(text.split())
