"""`${name}` in a file's values; `$$` is a dollar, and a lone `$` is one as well."""

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache, partial
from typing import Any, Final

from raptorctl.model.names import shown
from raptorctl.model.raptor_file import Names

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
BUILT_IN: Final = ("tenant", "machine", "fqdn", "ipv4", "ipv6", "mac", "ssh_key")
"""What each machine has by itself, where it has one."""
LARGEST: Final = 1 << 20
"""Characters: a variable twice in another, and that in a third, doubles each time."""
DEEPEST: Final = 50
"""Variables, each in the next."""
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


class UnknownNameError(ValueError):
    """A text has a name that stands for nothing."""


def within(texts: Mapping[str, str], known: Names) -> Names:
    """Let variables have one another in their texts.

    Args:
        texts: what each stands for, with names in it.
        known: what other names stand for, which count more.

    Returns:
        All of them; one that cannot be raises ValueError where it is asked for.
    """
    names: dict[str, Any] = {}
    open_: list[str] = []

    @cache
    def solve(name: str) -> str:
        if name in open_:
            raise ValueError(f"stands for itself: {' -> '.join((*open_, name))}")
        if len(open_) == DEEPEST:
            raise ValueError(f"goes through more than {DEEPEST} others")
        open_.append(name)
        try:
            found = str(expand(texts[name], names))
        finally:
            open_.pop()
        if len(found) > LARGEST:
            raise ValueError(f"becomes longer than {LARGEST >> 10} KiB")
        return found

    names |= {name: partial(solve, name) for name in texts} | dict(known)
    return names


def unused(data: Any, names: Collection[str]) -> frozenset[str]:
    """Say which names nothing in a file has; none, where files that it names may have them."""
    if isinstance(data, str):
        return frozenset(names) - {match["name"] for match in _USE.finditer(data)}
    if isinstance(data, Mapping) and data.get("expand") is True:
        return frozenset()
    inner = data.values() if isinstance(data, Mapping) else data if isinstance(data, list) else ()
    return frozenset(names).intersection(*(unused(one, names) for one in inner))


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
        raise UnknownNameError(
            f"there is no variable {shown(name)}; known: {', '.join(sorted(known))}; "
            "a dollar is written $$"
        )
    found = known[name]
    return found if isinstance(found, str) else found()
