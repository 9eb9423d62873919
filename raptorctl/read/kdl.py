"""KDL 2 (kdl.dev/spec) by kdlquery: its nodes, and what is wrong with them, each in its place."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from raptorctl.errors import MissingError
from raptorctl.model.diagnostic import Diagnostic, nearest, refuse
from raptorctl.model.names import shown
from raptorctl.read.toml_places import Place

if TYPE_CHECKING:
    from kdlquery.types import CSTEntry, CSTNode


def nodes_of(text: str, file: str) -> "list[CSTNode]":
    """Return a document's nodes.

    Args:
        text: of the file.
        file: as it was named, for errors.

    Raises:
        FileError: it is not KDL; says where.
        MissingError: kdlquery is not installed.
    """
    try:
        from kdlquery.parser import KDL2CSTParser
        from kdlquery.types import KDLParseError
    except ImportError as error:
        raise MissingError(
            f"{shown(file)} is KDL, and kdlquery is not installed",
            resolution="pip install 'raptorctl[kdl]'",
        ) from error
    try:
        return KDL2CSTParser().parse(text).nodes
    except KDLParseError as error:
        said = Diagnostic(file, error.line, error.col, "", f"is not KDL: {error.msg}", error.hint)
    except (RecursionError, ValueError):  # a number of more digits than Python converts
        said = Diagnostic(file, 0, 0, "", "is nested too deeply, or has too large a number")
    refuse(file, [said])
    return []  # not reached


@dataclass
class Reading:
    """One file, and what is wrong in it so far."""

    file: str
    wrong: list[Diagnostic] = field(default_factory=list)

    def tell(self, node: "CSTNode", problem: str, hint: str = "") -> None:
        """Say that something is wrong with a node."""
        self.wrong.append(self.diagnostic(node, problem, hint))

    def diagnostic(self, node: "CSTNode", problem: str, hint: str = "") -> Diagnostic:
        """Make one of a node."""
        return Diagnostic(self.file, *place(node), node.name.value, problem, hint)

    def text(self, node: "CSTNode") -> str | None:
        """Return a node's one argument, which is text."""
        value = self.only(node)
        if isinstance(value, str) and value and value.isprintable():
            return value
        if value is not None:
            self.tell(node, "should be text, e.g. " + f'{node.name.value} "web"')
        return None

    def number(self, node: "CSTNode") -> int | None:
        """Return a node's one argument, which is a whole number from 1."""
        value = self.only(node)
        if type(value) is int and value > 0:
            return value
        if value is not None:
            self.tell(node, "should be a whole number, 1 or more, without quotes")
        return None

    def only(self, node: "CSTNode") -> Any:
        """Return a node's one argument."""
        values = arguments(node)
        if len(values) == 1 and values[0] is not None:
            return values[0]
        self.tell(node, f"should have one value, and has {len(values)}")
        return None

    def has_body(self, node: "CSTNode") -> bool:
        """Tell whether a node has a block, be it empty."""
        if not node.has_children_block:
            self.tell(node, "should have a block", f"write {node.name.value} {{ }}")
        return node.has_children_block

    def children(self, node: "CSTNode", known: tuple[str, ...]) -> Iterator["CSTNode"]:
        """Return a node's children, each word once; one that is not known is told."""
        seen: set[str] = set()
        for child in node.children:
            word = child.name.value
            if word not in known:
                self.tell(child, f"is not known in {node.name.value}", nearest(word, known))
            elif word in seen and word != "provision":
                self.tell(child, f"is there twice in {node.name.value}")
            else:
                seen.add(word)
                yield child

    def texts(self, node: "CSTNode", known: tuple[str, ...]) -> Mapping[str, str]:
        """Return a node's children, all of which are text, by name."""
        found = ((child.name.value, self.text(child)) for child in self.children(node, known))
        return {word: value for word, value in found if value is not None}


def arguments(node: "CSTNode") -> list[Any]:
    """Return the values of a node that have no key."""
    return [entry.value.value for entry in node.entries if _key(entry) is None]


def properties(node: "CSTNode") -> dict[str, Any]:
    """Return the values of a node that have one."""
    return {key: entry.value.value for entry in node.entries if (key := _key(entry)) is not None}


def _key(entry: "CSTEntry") -> str | None:
    """A property's key; an argument has none."""
    key = getattr(entry, "key", None)
    return None if key is None else str(key.value)


def place(node: "CSTNode") -> Place:
    """Return where a node begins."""
    return node.span.start.line, node.span.start.column
