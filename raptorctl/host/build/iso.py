"""Files to an ISO 9660 image, nested folders as well: long names by Rock Ridge and Joliet."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from raptorctl.errors import HostError
from raptorctl.host.build.stage import Staged
from raptorctl.model.names import shown

DEEPEST: Final = 7
"""Folders within one another that ISO 9660 has (ECMA-119, 6.8.2.1), less the root."""
LONGEST: Final = 64
"""Letters of a name that Joliet has."""


def write(disk: Path, label: str, entries: Sequence[Staged]) -> None:
    """Write an image with these files.

    Raises:
        HostError: a name or a tree that such an image cannot have.
    """
    import pycdlib
    from pycdlib.pycdlibexception import PyCdlibException

    iso = pycdlib.PyCdlib()
    iso.new(interchange_level=1, vol_ident=label, joliet=3, rock_ridge="1.09")
    try:
        tree = _Tree(iso, disk.parent)
        for entry in entries:
            tree.add(entry)
        iso.write(str(disk))
    except PyCdlibException as error:
        raise HostError(f"an ISO does not take it: {error}") from error
    finally:
        iso.close()


class _Tree:
    """The image's folders so far, by path: what ISO 9660 itself calls each."""

    def __init__(self, iso: object, folder: Path) -> None:
        self._iso, self._folder = iso, folder
        self._short = {PurePosixPath("/"): ""}
        self._count = 0

    def add(self, entry: Staged) -> None:
        path = PurePosixPath(entry.path)
        if len(path.parts) > DEEPEST + 1 or any(len(part) > LONGEST for part in path.parts):
            raise HostError(f"{shown(entry.path)} is too deep, or its name too long, for an ISO")
        parent = self._made(path if entry.kind == "folder" else path.parent)
        if entry.kind == "folder":
            return
        self._count += 1
        short = f"{parent}/F{self._count:07}"
        if entry.kind == "link":
            self._iso.add_symlink(  # type: ignore[attr-defined]
                symlink_path=f"{short}.;1", rr_symlink_name=path.name, rr_path=entry.source
            )
            return
        self._iso.add_file(  # type: ignore[attr-defined]
            str(self._folder / entry.source),
            f"{short}.;1",
            rr_name=path.name,
            joliet_path=str(path),
            file_mode=0o100000 | entry.mode,
        )

    def _made(self, path: PurePosixPath) -> str:
        if path not in self._short:
            parent = self._made(path.parent)
            self._count += 1
            short = f"{parent}/D{self._count:07}"
            self._iso.add_directory(  # type: ignore[attr-defined]
                short, rr_name=path.name, joliet_path=str(path)
            )
            self._short[path] = short
        return self._short[path]
