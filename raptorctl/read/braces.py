"""`{NAME}` in a registry's values; `{{` and `}}` are braces, and that is all."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from raptorctl.model.diagnostic import nearest
from raptorctl.model.registry import Text, Tree

_USE: Final = re.compile(r"\{\{|\}\}|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}|(?P<lone>[{}])", re.ASCII)
LARGEST: Final = 1 << 20
"""Characters: a variable twice in another, and that in a third, doubles each time."""


def put_in(text: str, known: Callable[[str], str]) -> str:
    """Put in what names stand for.

    Args:
        text: with `{NAME}`.
        known: what a name stands for.

    Raises:
        ValueError: a name is not known, a brace belongs to none, or it becomes too long.
    """
    found = _USE.sub(lambda match: _replaced(match, known), text)
    if len(found) > LARGEST:
        raise ValueError(f"becomes longer than {LARGEST >> 10} KiB")
    return found


def _replaced(match: re.Match[str], known: Callable[[str], str]) -> str:
    if match["name"]:
        return known(match["name"])
    if match["lone"]:
        said = match["lone"]
        raise ValueError(f"has a {said} that belongs to no {{NAME}}; write {said * 2} for a brace")
    return match[0][0]


def lookup(table: Mapping[str, str]) -> Callable[[str], str]:
    """Find names in a table.

    Raises:
        ValueError: from what is returned: a name is not there; says which was meant.
    """

    def known(name: str) -> str:
        if name not in table:
            hint = nearest(name, sorted(table))
            raise ValueError(f"there is no variable {name}; {hint}; a brace is written {{{{")
        return table[name]

    return known


def solved(
    variables: Mapping[str, Text], wrong: Callable[[Text, str, str], None]
) -> dict[str, str]:
    """Put variables into one another.

    Args:
        variables: what each stands for.
        wrong: told what cannot be: the text, its name, why.
    """
    done: dict[str, str] = {}

    def solve(name: str, open_: tuple[str, ...]) -> str:
        if name in open_:
            raise ValueError(f"stands for itself: {' -> '.join((*open_, name))}")
        if name not in done:
            lookup(variables)(name)
            done[name] = put_in(variables[name], lambda inner: solve(inner, (*open_, name)))
        return done[name]

    for name, text in variables.items():
        try:
            solve(name, ())
        except (ValueError, RecursionError) as error:
            why = str(error) if isinstance(error, ValueError) else "goes through too many others"
            wrong(text, name, why)
            done[name] = text
    return done


def put_in_all(tree: Tree, known: Callable[[str], str], wrong: Callable[[Text, str], None]) -> Tree:
    """Put variables into every text of a tree; keys stay as they are.

    Args:
        tree: what is not altered.
        known: see `put_in`.
        wrong: told the text, and why it cannot be.
    """
    if isinstance(tree, dict):
        return {key: put_in_all(value, known, wrong) for key, value in tree.items()}
    if isinstance(tree, list):
        return [put_in_all(item, known, wrong) for item in tree]
    if not isinstance(tree, Text) or not ("{" in tree or "}" in tree):
        return tree
    try:
        return Text(put_in(tree, known), tree.place, tree.tag)
    except ValueError as error:
        wrong(tree, str(error))
        return tree
