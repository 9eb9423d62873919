"""`[build.NAME]` of a file to nouns: all that is wrong is told at once, with line and column."""

import itertools
import math
import posixpath
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from raptorctl.model.build import Build
from raptorctl.model.build_set import BuildSet, Path
from raptorctl.model.diagnostic import refuse
from raptorctl.model.names import shown
from raptorctl.read.build_table import BuildTable, Wrong
from raptorctl.read.raptor_file import TABLES
from raptorctl.read.toml_places import Place, places, told
from raptorctl.read.variables import unfit, within

NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}", re.ASCII)
MOST: Final = 1000
"""Builds that one matrix makes."""


@dataclass(frozen=True)
class BuildReader:
    """How a file of builds is to be read.

    Args:
        file: as it was named, for errors.
        variables: what was said beside the file, which counts more than its `[vars]`.
        given: what every build knows: `build_id`, `build_date`, `arg_1` and so on.
    """

    file: str
    variables: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)


def parse_builds(text: str, reader: BuildReader) -> BuildSet:
    """Read the builds of a file.

    Raises:
        FileError: it is not TOML, or something in it cannot be; all of it, with line and column.
    """
    with told(text, reader.file):
        data, found = tomllib.loads(text), places(text)
    return _Reading(data, found, reader).whole()


class _Reading:
    """One file, and what is wrong in it so far."""

    def __init__(
        self, data: Mapping[str, Any], found: Mapping[Path, Place], reader: BuildReader
    ) -> None:
        self._data, self._places, self._reader = data, found, reader
        self._wrong = Wrong(reader.file, found)

    def whole(self) -> BuildSet:
        """Read all builds, then refuse what was wrong in any."""
        self._wrong.known((), self._data, TABLES)
        known = self._variables()
        builds: list[Build] = []
        tables: dict[str, str] = {}
        for table, said in self._wrong.tables(("build",), self._data.get("build", {})):
            for name, values in self._matrix(table, said):
                if name in tables:
                    self._wrong.tell(
                        ("build", table), f"makes {name}, and {tables[name]} does, too"
                    )
                tables[name] = table
                path: Path = ("build", table)
                own = {**self._reader.variables, **self._reader.given, **values, "build": name}
                names = within(known, own)
                builds.append(BuildTable(self._wrong, path, said, names).build(name))
        self._refuse_doubles(builds, tables)
        refuse(self._reader.file, self._wrong.found)
        return BuildSet(self._reader.file, tuple(builds), tables, dict(self._places))

    def _variables(self) -> dict[str, str]:
        said = self._data.get("vars", {})
        if not isinstance(said, Mapping):
            self._wrong.tell(("vars",), "should be a table")
            said = {}
        for name, problem in unfit(said):
            self._wrong.tell(("vars", name), problem)
        texts = {key: value for key, value in said.items() if isinstance(value, str)}
        return {key: text for key, text in texts.items() if key not in self._reader.variables}

    def _matrix(
        self, table: str, said: Mapping[str, Any]
    ) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Each build's name and variables: the product of all lists, the first varies slowest."""
        path: Path = ("build", table)
        if not NAME.fullmatch(table):
            self._wrong.tell(path, "is no build's name: use a-z, 0-9, and . _ - within")
        lists, pairs = said.get("matrix", {}), said.get("zip", False)
        fits = isinstance(lists, Mapping) and all(_is_texts(one) for one in lists.values())
        if not fits or not isinstance(pairs, bool):
            self._wrong.tell(
                (*path, "matrix"), "should be lists of text, none of them empty, by names"
            )
        elif pairs and len({len(one) for one in lists.values()}) != 1:
            told = ", ".join(f"{name} has {len(one)}" for name, one in lists.items())
            self._wrong.tell((*path, "matrix"), f"lists that are paired are of one length; {told}")
        elif not lists:
            yield table, {}
        else:
            for name, problem in unfit(dict.fromkeys(lists, "")):
                self._wrong.tell((*path, "matrix", name), problem)
            yield from self._rows(table, lists, pairs=pairs)

    def _rows(
        self, table: str, lists: Mapping[str, list[str]], *, pairs: bool
    ) -> Iterator[tuple[str, Mapping[str, str]]]:
        sizes = [len(one) for one in lists.values()]
        count = sizes[0] if pairs else math.prod(sizes)
        if count > MOST:
            problem = f"makes {count} builds, and one table may make {MOST}"
            self._wrong.tell(("build", table, "matrix"), problem)
            return
        for row in (
            zip(*lists.values(), strict=True) if pairs else itertools.product(*lists.values())
        ):
            name = "-".join((table, *row))
            if not NAME.fullmatch(name):
                problem = f"makes {shown(name)}, which is no build's name"
                self._wrong.tell(("build", table, "matrix"), problem)
                return
            yield name, dict(zip(lists, row, strict=True))

    def _refuse_doubles(self, builds: Iterable[Build], tables: Mapping[str, str]) -> None:
        """Refuse that two builds, or two disks of one, write the same thing."""
        seen: dict[tuple[str, str, str], str] = {}
        for build in builds:
            for output in build.outputs:
                file = output.path and posixpath.normpath(output.path)
                what = (output.image, output.push, file)
                if what in seen:
                    path: Path = ("build", tables[build.name], "output")
                    self._wrong.tell(
                        path, f"{output.target} is written twice, by {seen[what]} as well"
                    )
                seen[what] = build.name


def _is_texts(said: Any) -> bool:
    return isinstance(said, list) and bool(said) and all(isinstance(one, str) for one in said)
