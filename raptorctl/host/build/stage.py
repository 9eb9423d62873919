"""Files of this side, copied into a build's folder, with the rights of who named them."""

import os
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from raptorctl.errors import InputError
from raptorctl.host.system.caller import open_given
from raptorctl.host.system.walk import walk_given
from raptorctl.model.build import BuildFile
from raptorctl.model.names import shown
from raptorctl.read.variables import expand

STAGED: Final = "staged"
FILE_MODE: Final = 0o644
FOLDER_MODE: Final = 0o755
MOST: Final = 1_000_000
"""Files and folders of one build."""


@dataclass(frozen=True)
class Staged:
    """One thing that is put into a disk.

    Args:
        path: where, from its root.
        kind: `file`, `folder` or `link`.
        source: a file, in the build's folder; of a link, what it says.
        mode, owner: as they are to be.
    """

    path: str
    kind: str
    source: str = ""
    mode: int = FILE_MODE
    owner: tuple[int, int] = (0, 0)


def staged(
    folder: Path, files: Sequence[BuildFile], variables: Mapping[str, str] | None = None
) -> tuple[Staged, ...]:
    """Copy what is to be put into disks below a build's folder; return what goes where, in order.

    Args:
        folder: the build's.
        files: `copy` is absolute.
        variables: what `expand` puts in.

    Raises:
        InputError: one is not there, not the caller's to read, or both a file and a folder.
    """
    place = folder / STAGED
    place.mkdir(mode=0o700, exist_ok=True)
    found: dict[str, Staged] = {}
    for file in files:
        for entry in _entries(place, file, variables or {}, len(found)):
            found.pop(entry.path, None)  # the later one counts, in its own place
            found[entry.path] = entry
            if len(found) > MOST:
                raise InputError(f"{shown(file.copy)} has more than {MOST} files in it")
    entries = tuple(found.values())
    refuse_through(entries, "file")
    return entries


def refuse_through(entries: Sequence[Staged], kind: str) -> None:
    """Refuse that anything is put below what is no folder itself.

    Args:
        entries: all that is put into a disk.
        kind: `file`, or `link`, which may lead out of the disk.

    Raises:
        InputError: something is.
    """
    kinds = {entry.path: entry.kind for entry in entries}
    for entry in entries:
        for parent in map(str, PurePosixPath(entry.path).parents):
            if kinds.get(parent) == kind:
                raise InputError(
                    f"{shown(entry.path)}: {shown(parent)} is a {kind} of the same build",
                    resolution=f"put it somewhere else, or leave the {kind} out",
                )


def _entries(
    place: Path, file: BuildFile, variables: Mapping[str, str], begin: int
) -> Iterator[Staged]:
    number = begin
    if file.content is not None:
        path = _fresh(place, number)
        with path.open("xb") as stream:
            stream.write(file.content)
        mode = FILE_MODE if file.mode is None else file.mode
        yield Staged(file.to, "file", f"{STAGED}/{path.name}", mode, file.owner)
        return
    if not Path(file.copy).is_dir():
        yield _copied(place, file, file.copy, file.to, variables)
        return
    own = stat.S_IMODE(Path(file.copy).stat().st_mode)
    yield Staged(file.to, "folder", mode=own, owner=file.owner)
    for at, below, names in walk_given(file.copy):
        below.sort()
        inside = "" if at == file.copy.rstrip("/") else os.path.relpath(at, file.copy)
        links = [name for name in below if Path(at, name).is_symlink()]
        for name in sorted([*names, *links]):
            to = _checked(os.path.join(file.to, inside, name))  # noqa: PTH118 - text
            source = os.path.join(at, name)  # noqa: PTH118
            if os.path.islink(source):  # noqa: PTH114
                yield Staged(to, "link", _checked(os.readlink(source)), owner=file.owner)  # noqa: PTH115
            else:
                yield _copied(place, file, source, to, variables)
        for name in below:
            if name not in links:
                to = _checked(os.path.join(file.to, inside, name))  # noqa: PTH118
                mode = stat.S_IMODE(Path(at, name).stat().st_mode)
                yield Staged(to, "folder", mode=mode, owner=file.owner)


def _copied(
    place: Path, file: BuildFile, source: str, to: str, variables: Mapping[str, str]
) -> Staged:
    path = _fresh(place, len(os.listdir(place)))  # noqa: PTH208
    with open_given(source) as stream, path.open("xb") as copy:
        own = stat.S_IMODE(os.fstat(stream.fileno()).st_mode) & 0o777
        if file.expand:
            copy.write(_expanded(stream.read(), source, variables))
        else:
            shutil.copyfileobj(stream, copy, 1 << 20)
    mode = own if file.mode is None else file.mode
    return Staged(to, "file", f"{STAGED}/{path.name}", mode, file.owner)


def _expanded(data: bytes, source: str, variables: Mapping[str, str]) -> bytes:
    try:
        text: str = expand(data.decode(), variables)
    except ValueError as error:
        said = "is no text" if isinstance(error, UnicodeDecodeError) else str(error)
        raise InputError(f"{shown(source)}: {said}") from error
    return text.encode()


def _fresh(place: Path, number: int) -> Path:
    while os.path.lexists(path := place / str(number)):
        number += 1
    return path


def _checked(path: str) -> str:
    if not path.isprintable():
        raise InputError(f"{shown(path)} has a character in its name that no path here may have")
    return path
