"""Tables laid over one another, by one rule for profiles and files of machines. Pure."""

from collections.abc import Mapping
from typing import Any, Final

REMOVE: Final = "remove"
"""What an item of a named list says to be taken away: `remove = true`."""


def merge(below: Any, above: Any) -> Any:
    """Lay one value of TOML, YAML or JSON over another; neither is altered.

    Tables are merged key by key. A list of tables that all have a `name` is merged by that: an item
    of a name that is there is merged into it, in its place, and a new one comes last. Everything
    else is replaced: also by null, by a value of another type, and a list by an empty one.

    Args:
        below: what counts where the other says nothing.
        above: what counts.
    """
    if isinstance(below, Mapping) and isinstance(above, Mapping):
        return {
            **below,
            **{key: merge(below.get(key), value) for key, value in above.items()},
        }
    if _is_named(above):
        return _by_name(below if _is_named(below) else [], above)
    return above


def _by_name(below: list[Any], above: list[Any]) -> list[Any]:
    found = {item["name"]: item for item in below}
    for item in above:
        if item.get(REMOVE) is True:
            found.pop(item["name"], None)
        else:
            found[item["name"]] = merge(found.get(item["name"]), item)
    return list(found.values())


def _is_named(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_has_name, value))


def _has_name(item: Any) -> bool:
    return isinstance(item, Mapping) and isinstance(item.get("name"), str)
