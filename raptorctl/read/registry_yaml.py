"""YAML by PyYAML's `compose`: texts as they were written, each with its line and column.

safe_load makes 41135040001 of `52:54:00:00:00:01`, 24.04 of a tag and False of ssh's `no`.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from raptorctl.model.diagnostic import Diagnostic, FileError
from raptorctl.model.merge import REMOVE
from raptorctl.model.names import shown
from raptorctl.model.registry import TAG, Text, Tree

LARGEST: Final = 1 << 20
"""Bytes of one file."""
MOST: Final = 100_000
"""Values of one file: an alias may stand for what has aliases itself."""
LONGEST_NUMBER: Final = 100
"""Letters of a scalar that is looked at as a number: thousands of `1:` take PyYAML very long."""
KNOWN_TAGS: Final = {f"{TAG}{word}" for word in ("str", "bool", "int", "float", "timestamp")}

Place = tuple[str, int, int]


def load_yaml(text: str, file: str) -> tuple[Tree, list[Diagnostic]]:
    """Read one document.

    Args:
        text: of the file.
        file: as it was named, for errors.

    Returns:
        The tree, and what is wrong in it.
    """
    import yaml

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        return None, [_broken(file, error)]
    except yaml.reader.ReaderError as error:
        said = f"has a character that YAML has not: U+{error.character:04X}"
        line = text.count("\n", 0, error.position) + 1
        return None, [Diagnostic(file, line, 0, "", said)]
    except (RecursionError, ValueError):
        return None, [Diagnostic(file, 0, 0, "", "is nested too deeply")]
    reading = _Nodes(file)
    try:
        return (None if node is None else reading.value(node)), reading.wrong
    except RecursionError:
        return None, [Diagnostic(file, 0, 0, "", "is nested too deeply")]


def refuse_all(found: Iterable[Diagnostic]) -> None:
    """Refuse a registry in which anything is wrong, all of it at once, file by file.

    Raises:
        FileError: there is something.
    """
    ordered = sorted(set(found), key=lambda one: (one.file, one.line, one.column, one.key))
    if ordered:
        files = {one.file for one in ordered}
        name = files.pop() if len(files) == 1 else "the registry"
        raise FileError(name, [str(one) for one in ordered], subject=ordered[0].key or name)


def read_otherwise(tree: Tree) -> Iterator[Diagnostic]:
    """Say which scalars are text here, and something else to PyYAML's safe_load, and so to vmp."""
    if isinstance(tree, dict):
        for value in tree.values():
            yield from read_otherwise(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from read_otherwise(value)
    elif isinstance(tree, Text) and tree.truth is None and tree.tag != f"{TAG}str":
        found = _safe(tree)
        if found != tree:
            said = f"{shown(str(tree))} is text here, and {found} to PyYAML's safe_load"
            yield Diagnostic(*tree.place, "", said, "quotes make it text to both")


def _safe(text: Text) -> str:
    """What safe_load makes of a scalar, as text."""
    import yaml

    if len(text) > LONGEST_NUMBER:
        return "a number"
    node = yaml.ScalarNode(text.tag, str(text))
    try:
        return str(yaml.constructor.SafeConstructor().construct_object(node))
    except (ValueError, KeyError, OverflowError):  # of a day that is none, or too many digits
        return "an error"


def _broken(file: str, error: Any) -> Diagnostic:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return Diagnostic(file, line, column, "", f"is not YAML: {error.problem or error.context}")


class _Nodes:
    """The nodes of one document, as trees."""

    def __init__(self, file: str) -> None:
        self.wrong: list[Diagnostic] = []
        self._file, self._left = file, MOST
        self._open: set[int] = set()

    def value(self, node: Any) -> Tree:
        """One node, and all below it."""
        self._left -= 1
        if id(node) in self._open or self._left < 0:
            what = "contains itself" if self._left >= 0 else f"has more than {MOST} values"
            self._tell(node, what)
            return None
        self._open.add(id(node))
        try:
            return self._value(node)
        finally:
            self._open.discard(id(node))

    def _value(self, node: Any) -> Tree:
        if node.id == "sequence":
            return [self.value(item) for item in node.value if self._left >= 0]
        if node.id == "mapping":
            return self._table(node)
        if node.tag == f"{TAG}null":
            return None
        if node.tag not in KNOWN_TAGS:
            self._tell(node, f"{node.tag} is no type of a registry", "leave the tag out")
        return Text(node.value, self._place(node), node.tag)

    def _table(self, node: Any) -> dict[Text, Tree]:
        found: dict[Text, Tree] = {}
        below: dict[Text, Tree] = {}
        for key, value in node.value:
            if key.tag == f"{TAG}merge":
                below |= self._merged(value)
                continue
            name = Text(key.value, self._place(key)) if key.id == "scalar" else None
            if name is None or name in found:
                self._tell(key, "should be a word" if name is None else f"{name} is there twice")
                continue
            found[name] = self.value(value)
        removed = found.get(Text(REMOVE))
        if isinstance(removed, Text) and removed.truth is not None and "name" in found:
            found[Text(REMOVE)] = removed.truth
        return below | found

    def _merged(self, node: Any) -> dict[Text, Tree]:
        """What `<<` names (yaml.org/type/merge): of several, the first counts."""
        found: dict[Text, Tree] = {}
        for one in reversed(node.value) if node.id == "sequence" else (node,):
            value = self.value(one)
            if isinstance(value, dict):
                found |= value
            else:
                self._tell(one, "<< should name a table")
        return found

    def _tell(self, node: Any, problem: str, hint: str = "") -> None:
        self.wrong.append(Diagnostic(*self._place(node), "", problem, hint))

    def _place(self, node: Any) -> Place:
        return self._file, node.start_mark.line + 1, node.start_mark.column + 1


def place_of(value: Tree, otherwise: Place) -> Place:
    """Say where a value stands: a table, where its first key does."""
    return next(_places(value), otherwise)


def _places(value: Tree) -> Iterator[Place]:
    if isinstance(value, Text) and value.line:
        yield value.place
    elif isinstance(value, dict):
        for key in value:
            yield from _places(key)
    elif isinstance(value, list):
        for item in value:
            yield from _places(item)
