"""What a tree of texts, tables and lists should look like, said as data; all is checked at once."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from raptorctl.model.diagnostic import Diagnostic, nearest
from raptorctl.model.merge import REMOVE
from raptorctl.model.registry import Text, Tree
from raptorctl.read.registry_yaml import Place, place_of

VARIABLE: Final = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}", re.ASCII)


@dataclass(frozen=True)
class At:
    """Where a value is looked for.

    Args:
        key: the dotted key.
        place: of what names it.
    """

    key: str
    place: Place

    def below(self, key: str, value: Tree, named_at: Place) -> "At":
        """Go on to what stands there."""
        dotted = f"{self.key}.{key}" if self.key else key
        return At(dotted, place_of(value, named_at))


@dataclass
class Checking:
    """One tree that is checked.

    Args:
        whole: whether all is laid over one another: what is needed has to be there, and no
            variable is left.
        wrong: what is.
    """

    whole: bool
    wrong: list[Diagnostic] = field(default_factory=list)

    def tell(self, at: At, problem: str, hint: str = "") -> None:
        """Say that something is wrong."""
        self.wrong.append(Diagnostic(*at.place, at.key, problem, hint))


Shape = Callable[[Tree, At, Checking], None]


def text(value: Tree, at: At, check: Checking) -> None:
    """Any text."""
    if not isinstance(value, Text):
        check.tell(at, "should be text")


def flag_or_text(value: Tree, at: At, check: Checking) -> None:
    """A text, `true`, `false`, or null, which takes it away."""
    if value is not None:
        text(value, at, check)


def pattern(value: Tree, at: At, check: Checking) -> None:
    """A regular expression as Python has them (docs.python.org/3/library/re.html)."""
    if not isinstance(value, Text):
        check.tell(at, "should be text")
        return
    try:
        re.compile(value)
    except (re.error, RecursionError, OverflowError) as error:
        check.tell(at, f"is no pattern: {error}")


def anything(value: Tree, at: At, check: Checking) -> None:
    """What another program reads."""


def one_of(*known: str) -> Shape:
    """A word of these."""
    return partial(_word, known)


def matching(pattern: str, what: str) -> Shape:
    """A text of a form, once no variable is left in it."""
    return partial(_form, re.compile(pattern, re.ASCII), what)


def any_of(*shapes: tuple[type, Shape], what: str) -> Shape:
    """One shape for each type that it may have."""
    return partial(_by_type, dict(shapes), what)


def list_of(shape: Shape) -> Shape:
    """A list. Where its items have names, no two have the same."""
    return partial(_list, shape)


def map_of(shape: Shape) -> Shape:
    """A table with keys of any name."""
    return partial(_map, shape)


def table(needed: Mapping[str, Shape], optional: Mapping[str, Shape] | None = None) -> Shape:
    """A table with these keys and no others."""
    return partial(_table, needed, optional or {})


def item(needed: Mapping[str, Shape], optional: Mapping[str, Shape] | None = None) -> Shape:
    """A table in a list, which is merged by its name: that is always there."""
    return partial(_item, table(needed, optional))


def _word(known: tuple[str, ...], value: Tree, at: At, check: Checking) -> None:
    if not isinstance(value, Text):
        check.tell(at, f"should be {' or '.join(known)}")
    elif value not in known and (check.whole or not VARIABLE.search(value)):
        check.tell(at, f"{value} is none of its words", nearest(value, known))


def _form(pattern: re.Pattern[str], what: str, value: Tree, at: At, check: Checking) -> None:
    if not isinstance(value, Text):
        check.tell(at, f"should be {what}")
    elif not pattern.fullmatch(value) and (check.whole or not VARIABLE.search(value)):
        check.tell(at, f"{str(value)!a} is not {what}")


def _by_type(shapes: dict[type, Shape], what: str, value: Tree, at: At, check: Checking) -> None:
    for kind, shape in shapes.items():
        if isinstance(value, kind):
            return shape(value, at, check)
    return check.tell(at, f"should be {what}")


def _list(shape: Shape, value: Tree, at: At, check: Checking) -> None:
    if not isinstance(value, list):
        check.tell(at, "should be a list")
        return
    names: set[Text] = set()
    for number, one in enumerate(value):
        name = one.get("name") if isinstance(one, dict) else None
        called = name if isinstance(name, Text) else str(number + 1)
        shape(one, at.below(called, one, at.place), check)
        if isinstance(name, Text):
            if name in names:
                check.tell(At(at.below(called, name, at.place).key, name.place), "is there twice")
            names.add(name)


def _map(shape: Shape, value: Tree, at: At, check: Checking) -> None:
    if not isinstance(value, dict):
        check.tell(at, "should be a table")
        return
    for key, one in value.items():
        shape(one, at.below(key, one, key.place), check)


def _table(
    needed: Mapping[str, Shape], optional: Mapping[str, Shape], value: Tree, at: At, check: Checking
) -> None:
    if not isinstance(value, dict):
        check.tell(at, "should be a table")
        return
    known: dict[str, Any] = {**needed, **optional}
    for key, one in value.items():
        spot = at.below(key, one, key.place)
        if key == REMOVE and one is True and not check.whole:
            continue
        if key not in known:
            check.tell(At(spot.key, key.place), "is not known here", nearest(key, known))
        elif one is not None:
            known[key](one, spot, check)
    for key in needed if check.whole else ():
        if value.get(Text(key)) is None:
            check.tell(at, f"{key} is missing")


def _item(shape: Shape, value: Tree, at: At, check: Checking) -> None:
    shape(value, at, check)
    if not check.whole and isinstance(value, dict) and value.get(Text("name")) is None:
        check.tell(at, "name is missing")
