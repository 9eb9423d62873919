"""One table, `[build.NAME]`, with what its variables stand for."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields
from typing import Any, Final, TypeVar

from raptorctl.model.build import (
    KEEP,
    ROOT,
    Build,
    BuildDisk,
    BuildFile,
    BuildOutput,
    BuildShare,
    BuildStep,
    Empty,
    FromImage,
    Resize,
    Way,
)
from raptorctl.model.build_set import Path, keys
from raptorctl.model.codec import ShapeError, decode
from raptorctl.model.diagnostic import Diagnostic, nearest
from raptorctl.model.raptor_file import Names
from raptorctl.read.build_rows import (
    FileRow,
    OutputRow,
    ShareRow,
    SourceRow,
    StepRow,
    absolute,
    resize,
    word,
)
from raptorctl.read.toml_places import Place, place_of
from raptorctl.read.variables import expand

T = TypeVar("T")

DISK_KEYS: Final = ("from", "size", "output")
KEYS: Final = (
    *DISK_KEYS, "files", "shares", "steps", "after", "disks", "way", "network", "matrix", "zip",
)  # fmt: skip


class Wrong:
    """What is wrong in a file so far.

    Args:
        file: as it was named.
        found: where each key stands.
    """

    def __init__(self, file: str, found: Mapping[Path, Place]) -> None:
        self._file, self._places = file, found
        self.found: list[Diagnostic] = []

    def tables(self, path: Path, table: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Return the tables of a table; what else stands there is told."""
        if not isinstance(table, Mapping):
            self.tell(path, "should be a table of tables")
            return
        for name, said in table.items():
            if isinstance(said, Mapping):
                yield name, said
            else:
                self.tell((*path, name), "should be a table")

    def known(self, path: Path, table: Mapping[str, Any], known: Iterable[str]) -> None:
        """Tell which keys of a table nobody knows."""
        for key in table:
            if key not in known:
                self.tell((*path, key), "is not known here", nearest(key, known))

    def tell(self, path: Path, problem: str, hint: str = "") -> None:
        """Say that something is wrong, and where."""
        at = place_of(path, self._places)
        key = ".".join(map(str, path))
        self.found.append(Diagnostic(self._file, *at, key, problem, hint))


class BuildTable:
    """One build's table, with what its variables stand for."""

    def __init__(self, whole: Wrong, path: Path, said: Mapping[str, Any], names: Names) -> None:
        self._whole, self._path, self._names = whole, path, names
        whole.known(path, said, KEYS)
        self._said = {key: self._expanded(key, value) for key, value in said.items()}

    def build(self, name: str) -> Build:
        """The build."""
        root = self._disk((), self._said, "", ROOT)
        further = self._whole.tables((*self._path, "disks"), self._said.get("disks", {}))
        disks = [root, *(self._further(key, table) for key, table in further)]
        build = Build(
            name=name,
            disks=tuple(disks),
            files=self._rows("files", FileRow, BuildFile),
            shares=self._rows("shares", ShareRow, BuildShare),
            steps=self._rows("steps", StepRow, BuildStep),
            after=self._rows("after", StepRow, BuildStep),
            way=self._word("way"),
            network=self._flag("network"),
            variables=dict(self._variables()),
        )
        if not build.outputs:
            self._tell(("output",), "is missing", "say where it goes: output = [{ image = ... }]")
        return build

    def _further(self, name: str, said: Mapping[str, Any]) -> BuildDisk:
        path: Path = ("disks", name)
        self._whole.known((*self._path, *path), said, (*DISK_KEYS, "at"))
        mount = said.get("at", "")
        try:
            if not isinstance(mount, str) or (mount and absolute(mount) == ROOT):
                raise ValueError("should be a path below /")  # noqa: TRY301
            mount = absolute(mount) if mount else ""
        except ValueError as error:
            self._tell((*path, "at"), str(error))
            mount = ""
        return self._disk(path, said, name, mount)

    def _disk(self, path: Path, said: Mapping[str, Any], name: str, mount: str) -> BuildDisk:
        return BuildDisk(
            source=self._source((*path, "from"), said.get("from")),
            mount=mount,
            resize=self._size((*path, "size"), said.get("size", "")),
            outputs=self._made((*path, "output"), said.get("output", []), OutputRow, BuildOutput),
            name=name,
        )

    def _source(self, path: Path, said: Any) -> FromImage | Empty:
        if isinstance(said, str) and said:
            return FromImage(said)
        if said is None:
            self._tell(path, "is missing", 'say what it begins as: from = "debian:13"')
        elif not isinstance(said, Mapping):
            self._tell(path, "should be an image, or a table")
        elif said.get("partition") == 0:
            self._tell((*path, "partition"), "partitions are numbered from 1")
        elif found := self._row(path, SourceRow, said):
            try:
                return found.made()
            except ValueError as error:
                self._tell(path, str(error))
        return Empty()

    def _size(self, path: Path, said: Any) -> Resize:
        try:
            return resize(said) if isinstance(said, str) else self._unlike(path)
        except ValueError as error:
            self._tell(path, str(error))
            return KEEP

    def _unlike(self, path: Path) -> Resize:
        self._tell(path, 'should be text, e.g. "8G"')
        return KEEP

    def _rows(self, key: str, row: type[Any], _noun: type[T]) -> tuple[T, ...]:
        return self._made((key,), self._said.get(key, []), row, _noun)

    def _made(self, path: Path, said: Any, row: type[Any], _noun: type[T]) -> tuple[T, ...]:
        """Nouns of a list of tables; what cannot be is told and left out."""
        if not isinstance(said, list):
            self._tell(path, "should be a list of tables")
            return ()
        found: list[T] = []
        for number, item in enumerate(said):
            at: Path = (*path, number)
            if (one := self._row(at, row, item)) is not None:
                try:
                    found.append(one.made())
                except ValueError as error:
                    self._tell(at, str(error))
        return tuple(found)

    def _row(self, path: Path, row: type[T], said: Any) -> T | None:
        try:
            return decode(row, said)
        except ShapeError as error:
            key = error.key.rpartition(".")[2]
            if error.problem.startswith("is not known here"):
                known = [one.name for one in fields(row)]  # type: ignore[arg-type]
                self._tell((*path, key), "is not known here", nearest(key, known))
            else:
                self._tell((*path, *keys(error.key)), error.problem)
            return None

    def _word(self, key: str) -> Way | None:
        said = self._said.get(key, "")
        try:
            return word(Way, said if isinstance(said, str) else "") if said else None
        except ValueError as error:
            self._tell((key,), str(error))
            return None

    def _flag(self, key: str) -> bool:
        said = self._said.get(key, True)
        if not isinstance(said, bool):
            self._tell((key,), "should be true or false")
        return bool(said)

    def _variables(self) -> Iterator[tuple[str, str]]:
        for name in self._names:
            with suppress(ValueError):  # told where it is used
                yield name, expand(f"${{{name}}}", self._names)

    def _expanded(self, key: str, value: Any) -> Any:
        try:
            return value if key in {"matrix", "zip"} else expand(value, self._names)
        except ValueError as error:
            self._tell((key,), str(error))
            return value

    def _tell(self, path: Path, problem: str, hint: str = "") -> None:
        self._whole.tell((*self._path, *path), problem, hint)
