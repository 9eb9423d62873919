"""`${name}` in a file's values; `$$` is a dollar, and a lone `$` is one as well."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from raptorctl.model.names import shown
from raptorctl.model.raptor_file import Names

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_USE: Final = re.compile(r"\$(?:\$|\{(?P<name>[^}]*)\}|(?P<open>\{))")


def expand(value: Any, known: Names) -> Any:
    """Put in what names stand for, in every text of a value; keys stay as they are.

    Args:
        value: a text, or lists and tables of them.
        known: what each name stands for.

    Raises:
        ValueError: a name is not known, and says which are; or it stands for nothing yet.
    """
    if isinstance(value, str):
        return _USE.sub(lambda match: _replaced(match, known), value)
    if isinstance(value, list):
        return [expand(item, known) for item in value]
    if isinstance(value, Mapping):
        return {key: expand(item, known) for key, item in value.items()}
    return value


def literal(value: Any) -> Any:
    """Double the dollars of a value: another tool's file has no names that are put in.

    Args:
        value: a text, or lists and tables of them.
    """
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, Mapping):
        return {key: literal(one) for key, one in value.items()}
    return [literal(one) for one in value] if isinstance(value, list) else value


def unfit(names: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Say of each variable that cannot be one, why."""
    for name, value in names.items():
        if not NAME.fullmatch(name):
            yield name, "is not a variable's name: use letters, digits and _"
        elif not isinstance(value, str):
            yield name, "should be text"


def _replaced(match: re.Match[str], known: Names) -> str:
    if match[0] == "$$":
        return "$"
    if match["open"]:
        raise ValueError("${ has no }; a dollar is written $$")
    name = match["name"]
    if name not in known:
        raise ValueError(
            f"there is no variable {shown(name)}; known: {', '.join(sorted(known))}; "
            "a dollar is written $$"
        )
    found = known[name]
    return found if isinstance(found, str) else found()
