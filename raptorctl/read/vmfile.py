"""`VMFile.kdl`, as vmctl reads it, to the tables of `raptor.toml`, each key with its place.

What vmctl passed over in silence is told here: words that it does not know, text where a number
belongs, both of two that exclude each other.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from raptorctl.errors import InputError
from raptorctl.model.diagnostic import Diagnostic, nearest, refuse
from raptorctl.model.net import Net
from raptorctl.model.raptor_file import RaptorFile
from raptorctl.model.registry import Text
from raptorctl.read.kdl import Reading, arguments, nodes_of, place, properties
from raptorctl.read.raptor_file import Reader, parse_tables
from raptorctl.read.toml_places import Path, Place
from raptorctl.read.variables import literal

if TYPE_CHECKING:
    from kdlquery.types import CSTNode

DEFAULT: Final = "VMFile.kdl"
LARGEST: Final = 1 << 18
"""Bytes: four times as many take the parser longer than anybody waits."""
USER: Final = "vm"
"""Whom vmctl logs in as where `ssh { }` names nobody."""
BRIDGE: Final = "br0"
"""Where vmctl puts `network "tap"` that names none."""
CLOUD_INIT: Final = ("hostname", "ssh-key", "user-data")
SSH: Final = ("user", "private-key")
BLOCKS: Final = {
    **{word: f"{word} ..." for word in ("image", "image-url", "vcpus", "memory", "disk")},
    **{word: f"{word} ..." for word in ("network", "cloud-init", "ssh", "provision")},
    **{word: f"cloud-init {{ {word} ... }}" for word in CLOUD_INIT},
    **{word: f"ssh {{ {word} ... }}" for word in SSH},
}
"""Words of a machine, as they stand in one."""

Table = dict[str, Any]


@dataclass(frozen=True)
class Tree:
    """Tables as tomllib gives them, and where each key stands.

    Args:
        data: of the whole file.
        places: line and column by path.
        left: what raptorctl has nothing for, by machine.
        files: in which file of several a machine stands.
        sha256: what the source of a machine's image must give.
    """

    data: Table
    places: Mapping[Path, Place]
    left: Mapping[str, tuple[Diagnostic, ...]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    sha256: Mapping[str, Text] = field(default_factory=dict)


def vmfile_tree(text: str, file: str, reached: str = "user") -> Tree:
    """Read a VMFile (KDL 2, kdl.dev/spec).

    Args:
        text: of the file.
        file: as it was named, for errors.
        reached: the interface by which a guest on a bridge is logged in to.

    Raises:
        FileError: it is not KDL, or something in it cannot be; all of it, with line and column.
        MissingError: kdlquery is not installed.
    """
    if len(text.encode()) > LARGEST:
        refuse(file, [Diagnostic(file, 0, 0, "", f"is larger than {LARGEST >> 10} KiB")])
    reading = _Reading(file, reached=reached)
    machines = reading.machines(nodes_of(text, file))
    refuse(file, reading.wrong)
    left = {name: tuple(reading.left[name]) for name in machines}
    return Tree({"machine": machines}, reading.places, left)


def parse_vmfile(text: str, reader: Reader) -> RaptorFile:
    """Read a VMFile as if it were a file of ours.

    Raises:
        FileError: as `vmfile_tree`; or it has what raptorctl has nothing for.
        MissingError: kdlquery is not installed.
    """
    tree = vmfile_tree(text, reader.file)
    refuse(reader.file, [one for found in tree.left.values() for one in found])
    return parse_tables(literal(tree.data), tree.places, reader)


@dataclass
class _Reading(Reading):
    """One VMFile.

    Args:
        reached: see `vmfile_tree`.
    """

    reached: str = "user"
    left: dict[str, list[Diagnostic]] = field(default_factory=lambda: defaultdict(list))
    places: dict[Path, Place] = field(default_factory=dict)

    def machines(self, nodes: "list[CSTNode]") -> dict[str, Table]:
        """Read all machines of a file."""
        found: dict[str, Table] = {}
        for node in nodes:
            if (word := node.name.value) != "vm":
                outside = BLOCKS.get(word)
                hint = f'write vm "web" {{ {outside} }}' if outside else nearest(word, ("vm",))
                self.tell(node, "stands outside of vm" if outside else "is not known here", hint)
                continue
            name = self.text(node)
            if name is None or not self.has_body(node):
                continue
            if name in found:
                self.tell(node, f"{name}: is there twice")
            self.places["machine", name] = place(node)
            found[name] = _Machine(self, name).read(node)
        if not nodes:
            self.wrong.append(
                Diagnostic(self.file, 1, 1, "", "has no machine", 'write vm "web" {}')
            )
        return found


class _Machine:
    """One `vm`, and what it is in the tables of `raptor.toml`."""

    def __init__(self, reading: _Reading, name: str) -> None:
        self._reading, self._name = reading, name
        self._bridged = False
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
        if self._bridged and "ssh" in words:
            # vmctl finds the guest's address on the bridge, where another may answer for it.
            self._said["net"].insert(0, self._reading.reached)
        if "provision" in words and "ssh" not in words:
            self._reading.tell(node, "has steps and nobody to log in as", "write ssh { }")
        return self._said

    def _say(self, node: "CSTNode", key: str, value: Any) -> None:
        self._said[key] = value
        self._reading.places["machine", self._name, key] = place(node)

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
        given = {key: value for key, value in properties(node).items() if key != "type"}
        given |= self._reading.texts(node, ("bridge", "name"))
        for key, value in given.items():
            if key not in {"bridge", "name"}:
                self._reading.tell(node, f"{key} is not known", nearest(key, ("bridge", "name")))
            elif not isinstance(value, str):
                self._reading.tell(node, f"{key} should be text")
        if kind == "none":
            self._say(node, "net", ["none"])
        elif kind == "tap":
            self._tap(node, str(given.get("bridge", BRIDGE)))
        elif kind == "vnic":
            hint = 'leave it out, or write network "user"'
            said = self._reading.diagnostic(node, f"{kind} is not supported by raptorctl", hint)
            self._reading.left[self._name].append(said)
        elif kind not in {"user", None}:
            known = ("user", "tap", "vnic", "none")
            self._reading.tell(node, f"{kind} is no network", nearest(str(kind), known))

    def _tap(self, node: "CSTNode", bridge: str) -> None:
        try:
            self._say(node, "net", [str(Net(f"bridge:{bridge}"))])
            self._bridged = True
        except InputError as error:
            self._reading.tell(node, error.brief, error.resolution)

    def _cloud_init(self, node: "CSTNode") -> None:
        said = self._reading.texts(node, CLOUD_INIT)
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
        said = self._reading.texts(node, SSH)
        self._say(node, "account", said.get("user", USER))
        if "private-key" in said:
            # Or the guest would have another key than its steps log in with.
            self._key(node, f"{said['private-key']}.pub")

    def _key(self, node: "CSTNode", file: str) -> None:
        known = self._said.get("keys", [])
        if file not in known:
            self._reading.places["machine", self._name, "keys"] = place(node)
            self._said["keys"] = [*known, file]

    def _provision(self, node: "CSTNode") -> None:
        kind = self._reading.text(node) if arguments(node) else "shell"
        if kind == "shell":
            step = self._shell(node)
        elif kind == "file":
            step = self._file(node)
        else:
            step = None
            self._reading.tell(node, "should be shell or file", nearest(kind or "", _KINDS))
        if step:
            steps = self._said.setdefault("steps", [])
            path = ("machine", self._name, "steps")
            self._reading.places.setdefault(path, place(node))
            self._reading.places[*path, len(steps)] = place(node)
            steps.append(step)

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
