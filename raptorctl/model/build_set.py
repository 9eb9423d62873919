"""The builds of a file, as they were read: which there are, and where in the file they stand."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from raptorctl.errors import InputError
from raptorctl.model.build import Build
from raptorctl.model.diagnostic import Diagnostic, nearest
from raptorctl.model.raptor_file import STDIN

Path = tuple[str | int, ...]
"""Keys, and numbers of items in lists, as `raptorctl.read.toml_places` has them."""
_ITEM: Final = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True)
class BuildSet:
    """All builds of a file.

    Args:
        file: as it was named.
        builds: in its order; those of a matrix one after the other.
        tables: for each build's name, what the file calls the table that it is from.
        places: line and column of what stands in the file, by keys.
        base: where relative paths begin; "" for beside the file.
        files: which file a place is in, by its keys, where several are read as one.
        may_be_empty: whether a file that makes nothing is none the worse for it.
        sources: further files that its builds were read from, as they were named.
    """

    file: str
    builds: tuple[Build, ...] = ()
    tables: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[Path, tuple[int, int]] = field(default_factory=dict)
    base: str = ""
    files: Mapping[Path, str] = field(default_factory=dict)
    may_be_empty: bool = False
    sources: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """Where relative paths begin."""
        if self.base:
            return self.base
        return "." if self.file == STDIN else str(PurePosixPath(self.file).parent)

    def picked(self, only: Collection[str] = ()) -> tuple[Build, ...]:
        """Its builds, in its order.

        Args:
            only: names of builds, or of tables, for all that a matrix makes of one.

        Raises:
            InputError: one of them is not in the file, or the file has none at all.
        """
        known = dict.fromkeys([*self.tables.values(), *(one.name for one in self.builds)])
        for name in only:
            if name not in known:
                raise InputError(
                    f"{self.file} has no build {name}", resolution=nearest(name, known)
                )
        if not self.builds and not self.may_be_empty:
            raise InputError(
                f"{self.file} has no build", resolution="a build is a table, [build.NAME]"
            )
        return tuple(
            one for one in self.builds if not only or {one.name, self.tables[one.name]} & set(only)
        )

    def wrong(self, build: Build, key: str, problem: str, hint: str = "") -> Diagnostic:
        """Say what is wrong with a key of a build.

        Args:
            build: the build.
            key: below its table: `files[0].copy`.
            problem: what is wrong.
            hint: what to do.
        """
        table = self.tables.get(build.name, build.name)
        path: Path = ("build", table, *keys(key))
        ends = (path[:end] for end in range(len(path), 0, -1))
        stands = next((end for end in ends if end in self.places), ())
        file, place = self.files.get(stands, self.file), self.places.get(stands, (0, 0))
        return Diagnostic(file, *place, f"build.{build.name}.{key}", problem, hint)


def keys(dotted: str) -> Path:
    """Return `files[0].copy` as `("files", 0, "copy")`."""
    parts = _ITEM.sub(r".\1", dotted).split(".")
    return tuple(int(part) if part.isdecimal() else part for part in parts if part)
