"""`VMFile.kdl`, as vmctl reads it, to the tables of `raptor.toml`, each key with its place.

What vmctl passed over in silence is told here: words that it does not know, text where a number
belongs, both of two that exclude each other.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from raptorctl.model.diagnostic import Diagnostic, nearest, refuse
from raptorctl.read.toml_places import Path, Place

if TYPE_CHECKING:
    from kdlquery.types import CSTEntry, CSTNode

DEFAULT: Final = "VMFile.kdl"
LARGEST: Final = 1 << 18
"""Bytes: four times as many take the parser longer than anybody waits."""
USER: Final = "vm"
"""Whom vmctl logs in as where `ssh { }` names nobody."""

Table = dict[str, Any]


@dataclass(frozen=True)
class Tree:
    """Tables as tomllib gives them, and where each key stands.

    Args:
        data: of the whole file.
        places: line and column by path.
    """

    data: Table
    places: Mapping[Path, Place]


def vmfile_tree(text: str, file: str) -> Tree:
    """Read a VMFile (KDL 2, kdl.dev/spec).

    Args:
        text: of the file, at most `LARGEST` bytes.
        file: as it was named, for errors.

    Raises:
        FileError: it is not KDL, or something in it cannot be; all of it, with line and column.
        ImportError: kdlquery is not installed.
    """
    reading = _Reading(file)
    machines = reading.machines(_parsed(text, file))
    refuse(file, reading.wrong)
    return Tree({"machine": machines}, reading.places)


def _parsed(text: str, file: str) -> "list[CSTNode]":
    from kdlquery.parser import KDL2CSTParser
    from kdlquery.types import KDLParseError

    try:
        return KDL2CSTParser().parse(text).nodes
    except KDLParseError as error:
        said = Diagnostic(file, error.line, error.col, "", f"is not KDL: {error.msg}", error.hint)
    except (RecursionError, ValueError):  # a number of more digits than Python converts
        said = Diagnostic(file, 0, 0, "", "is nested too deeply, or has too large a number")
    refuse(file, [said])
    return []  # not reached


@dataclass
class _Reading:
    """One file, and what is wrong in it so far."""

    file: str
    wrong: list[Diagnostic] = field(default_factory=list)
    places: dict[Path, Place] = field(default_factory=dict)

    def machines(self, nodes: "list[CSTNode]") -> dict[str, Table]:
        """Read all machines of a file."""
        found: dict[str, Table] = {}
        for node in nodes:
            if node.name.value != "vm":
                self.tell(node, "is not known here", nearest(node.name.value, ("vm",)))
                continue
            name = self.text(node)
            if name is None or not self.has_body(node):
                continue
            if name in found:
                self.tell(node, f"{name}: is there twice")
            self.places["machine", name] = _place(node)
            found[name] = _Machine(self, name).read(node)
        if not nodes:
            self.wrong.append(
                Diagnostic(self.file, 1, 1, "", "has no machine", 'write vm "web" {}')
            )
        return found

    def tell(self, node: "CSTNode", problem: str, hint: str = "") -> None:
        """Say that something is wrong with a node."""
        self.wrong.append(Diagnostic(self.file, *_place(node), node.name.value, problem, hint))

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
        values = _arguments(node)
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


class _Machine:
    """One `vm`, and what it is in the tables of `raptor.toml`."""

    def __init__(self, reading: _Reading, name: str) -> None:
        self._reading, self._name = reading, name
        self._said: Table = {"cpus": 1, "memory": "1G", "seed": False}  # vmctl's own
        self._readers: Mapping[str, Callable[[CSTNode], None]] = {
            "image": self._image,
            "image-url": self._image_url,
            "vcpus": self._vcpus,
            "memory": self._memory,
            "disk": self._disk,
            "network": self._network,
            "cloud-init": self._cloud_init,
            "ssh": self._ssh,
            "provision": self._provision,
        }

    def read(self, node: "CSTNode") -> Table:
        """Read its block."""
        words = [child.name.value for child in node.children]
        if ("image" in words) + ("image-url" in words) != 1:
            self._reading.tell(node, "should have either image or image-url")
        for child in self._reading.children(node, tuple(self._readers)):
            self._readers[child.name.value](child)
        if "provision" in words and "ssh" not in words:
            self._reading.tell(node, "has steps and nobody to log in as", "write ssh { }")
        return self._said

    def _say(self, node: "CSTNode", key: str, value: Any) -> None:
        self._said[key] = literal(value)
        self._reading.places["machine", self._name, key] = _place(node)

    def _image(self, node: "CSTNode") -> None:
        if path := self._reading.text(node):
            # Otherwise it could be a name of the catalogue.
            self._say(node, "image", path if path[0] in "/~." else f"./{path}")

    def _image_url(self, node: "CSTNode") -> None:
        if url := self._reading.text(node):
            self._say(node, "image", url)

    def _vcpus(self, node: "CSTNode") -> None:
        if count := self._reading.number(node):
            self._say(node, "cpus", count)

    def _memory(self, node: "CSTNode") -> None:
        if count := self._reading.number(node):
            self._say(node, "memory", f"{count}M")

    def _disk(self, node: "CSTNode") -> None:
        if count := self._reading.number(node):
            self._say(node, "size", f"{count}G")

    def _network(self, node: "CSTNode") -> None:
        """`bridge` and `name` are properties in vmctl's code, and children in its documents."""
        kind = self._reading.text(node)
        given = {key: value for key, value in _properties(node).items() if key != "type"}
        given |= self._reading.texts(node, ("bridge", "name"))
        for key in given.keys() - {"bridge", "name"}:
            self._reading.tell(node, f"{key} is not known", nearest(key, ("bridge", "name")))
        if kind == "user" or kind is None:
            return
        if kind in {"tap", "vnic", "none"}:
            hint = 'leave it out, or write network "user"'
            self._reading.tell(node, f"{kind} is not supported by raptorctl", hint)
        else:
            known = ("user", "tap", "vnic", "none")
            self._reading.tell(node, f"{kind} is no network", nearest(kind, known))

    def _cloud_init(self, node: "CSTNode") -> None:
        said = self._reading.texts(node, ("hostname", "ssh-key", "user-data"))
        self._say(node, "seed", True)
        if "hostname" in said:
            self._say(node, "hostname", said["hostname"])
        if "ssh-key" in said:
            self._key(node, said["ssh-key"])
        if "user-data" in said:
            self._say(node, "user_data", said["user-data"])

    def _ssh(self, node: "CSTNode") -> None:
        if not self._reading.has_body(node):
            return
        said = self._reading.texts(node, ("user", "private-key"))
        self._say(node, "account", said.get("user", USER))
        if "private-key" in said:
            # Or the guest would have another key than its steps log in with.
            self._key(node, f"{said['private-key']}.pub")

    def _key(self, node: "CSTNode", file: str) -> None:
        known = self._said.get("keys", [])
        if literal(file) not in known:
            self._reading.places["machine", self._name, "keys"] = _place(node)
            self._said["keys"] = [*known, literal(file)]

    def _provision(self, node: "CSTNode") -> None:
        kind = self._reading.text(node) if _arguments(node) else "shell"
        if kind == "shell":
            step = self._shell(node)
        elif kind == "file":
            step = self._file(node)
        else:
            step = None
            self._reading.tell(node, "should be shell or file", nearest(kind or "", _KINDS))
        if step:
            self._reading.places.setdefault(("machine", self._name, "steps"), _place(node))
            self._said.setdefault("steps", []).append(literal(step))

    def _shell(self, node: "CSTNode") -> Table | None:
        scripts = list(self._reading.children(node, ("inline", "script")))
        if len(scripts) != 1:
            self._reading.tell(node, "should have either inline or script")
            return None
        value = self._script(scripts[0])
        return None if value is None else {_WORDS[scripts[0].name.value]: value}

    def _script(self, node: "CSTNode") -> str | None:
        """Text of any number of lines."""
        value = self._reading.only(node)
        if isinstance(value, str) and value:
            return value
        if value is not None:
            self._reading.tell(node, "should be text")
        return None

    def _file(self, node: "CSTNode") -> Table | None:
        said = self._reading.texts(node, ("source", "destination"))
        if len(said) == 2:
            return {"copy": said["source"], "to": said["destination"]}
        self._reading.tell(node, "should have source and destination")
        return None


_KINDS: Final = ("shell", "file")
_WORDS: Final = {"inline": "inline", "script": "run"}


def literal(value: Any) -> Any:
    """Return a value with its dollars doubled: a VMFile has no names that are put in."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, dict):
        return {key: literal(one) for key, one in value.items()}
    return value


def _arguments(node: "CSTNode") -> list[Any]:
    return [entry.value.value for entry in node.entries if _key(entry) is None]


def _properties(node: "CSTNode") -> dict[str, Any]:
    return {key: entry.value.value for entry in node.entries if (key := _key(entry)) is not None}


def _key(entry: "CSTEntry") -> str | None:
    """A property's key; an argument has none."""
    key = getattr(entry, "key", None)
    return None if key is None else str(key.value)


def _place(node: "CSTNode") -> Place:
    return node.span.start.line, node.span.start.column
