"""A build file's `ArtifactSource`s, as the files that they make."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Final

from raptorctl.model.b9 import Con, Place
from raptorctl.model.content import Content
from raptorctl.model.names import shown
from raptorctl.model.registry import Text
from raptorctl.read.b9.content import Contents
from raptorctl.read.b9.variables import Expanding

Known = Mapping[str, str]
_WHOSE: Final = ("owner", "group", "all")


@dataclass(frozen=True)
class MadeFile:
    """A file that is made.

    Args:
        to: where, relative to all of them.
        content: what is in it.
        mode: permissions, or None.
        at: what says so.
    """

    to: PurePosixPath
    content: Content
    mode: int | None
    at: Place


@dataclass(frozen=True)
class _Around:
    """What encloses a source."""

    into: tuple[Text, ...] = ()
    folders: tuple[Text, ...] = ()
    mode: int | None = None


def made_by(sources: Sequence[Con], known: Known, expanding: Expanding) -> tuple[MadeFile, ...]:
    """Return the files of sources; of two in one place, the later one.

    Args:
        sources: as they were written.
        known: variables.
        expanding: is told what is wrong.
    """
    making = _Making(Contents(known, expanding))
    made: dict[PurePosixPath, MadeFile] = {}
    for source in sources:
        for one in making.all(source, _Around()):
            made.pop(one.to, None)
            made[one.to] = one
    for path, one in made.items():
        if any(parent in made for parent in path.parents):
            expanding.tell(one.at, f"{shown(str(path))} would be in a file, not in a folder")
    return tuple(made.values())


@dataclass(frozen=True)
class _Making:
    contents: Contents

    def all(self, con: Con, around: _Around) -> Iterator[MadeFile]:
        """Return what a source makes."""
        match con.name, con.args:
            case "IntoDirectory", (folder, within):
                inner = replace(around, into=(*around.into, self._text(folder)))
            case "FromDirectory", (folder, within):
                inner = replace(around, folders=(*around.folders, self._text(folder)))
            case "SetPermissions", (*digits, within):
                inner = replace(around, mode=self._mode(con, digits, around))
            case "FromFile", (to, source):
                folder = str(PurePosixPath(*around.folders))
                yield from self._made(to, self.contents.source_file(source, folder), around)
                return
            case _, (to, content):
                yield from self._made(to, self.contents.content(content), around)
                return
        for one in within:
            yield from self.all(one, inner)

    def _text(self, said: Text) -> Text:
        return self.contents.expanding.text(said, self.contents.known)

    def _tell(self, at: Place, problem: str, hint: str = "") -> None:
        self.contents.expanding.tell(at, problem, hint)

    def _made(self, to: Text, content: Content, around: _Around) -> Iterator[MadeFile]:
        path = PurePosixPath(*around.into, self._text(to))
        at = (to.file, to.line, to.column)
        if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in str(path):
            self._tell(at, f"{shown(str(path))} is no path in a folder", "name/of/the/file")
        else:
            yield MadeFile(path, content, around.mode, at)

    def _mode(self, con: Con, digits: Sequence[int], around: _Around) -> int:
        if around.mode is not None:
            self._tell(con.at, "permissions are set already, by the SetPermissions around it")
        for whose, digit in zip(_WHOSE, digits, strict=True):
            if not 0 <= digit <= 7:
                self._tell(con.at, f"the permission {digit} of {whose} is none: 0 to 7")
        owner, group, others = (digit & 7 for digit in digits)
        return owner << 6 | group << 3 | others
