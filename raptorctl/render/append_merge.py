"""Append-merge: two YAML values become one that has all of both; nothing of either is replaced.

The other merge, where the later one wins, is `raptorctl.model.merge`.
"""

from typing import Any

from raptorctl.errors import InputError
from raptorctl.model.names import shown
from raptorctl.render.yaml_text import PlainText


def appended(first: Any, second: Any, *, glue: bool = False, key: str = "") -> Any:
    """Append one value to another.

    Tables are merged key by key, lists are joined, a scalar is added to a list at its end or
    beginning, and two texts become one, as in B9's YamlObject. Equal scalars stay as they are.

    Args:
        first: dicts, lists, texts and other scalars; None for nothing.
        second: likewise.
        glue: whether other scalars that differ become a list, as in B9.
        key: where they stand, with dots, for errors.

    Raises:
        InputError: two scalars differ that cannot both be.
    """
    if first is None or second is None:
        return second if first is None else first
    if isinstance(first, dict) and isinstance(second, dict):
        both = {
            name: appended(first[name], second[name], glue=glue, key=f"{key}.{name}".lstrip("."))
            for name in first
            if name in second
        }
        return {**first, **second, **both}
    if isinstance(first, list) or isinstance(second, list):
        return [*_listed(first), *_listed(second)]
    if isinstance(first, str) and isinstance(second, str):
        return first + second
    if glue:
        return [first, second]
    if first == second:
        return first
    raise InputError(
        f"{key or 'it'} is {_said(first)} in one part and {_said(second)} in another",
        resolution="say it in one of them",
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return "a table"
    return shown(value.text if isinstance(value, PlainText) else str(value))
