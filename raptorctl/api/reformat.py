"""B9 build files, laid out anew."""

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from raptorctl.errors import InputError, RefusedError
from raptorctl.model.names import shown


@dataclass(frozen=True)
class Reformatted:
    """A build file, and how it is laid out.

    Args:
        before: as it is.
        after: as it should be.
    """

    before: str
    after: str

    @property
    def changed(self) -> bool:
        """Whether it is laid out otherwise."""
        return self.before != self.after


def reformat(text: str, file: str) -> Reformatted:
    """Lay out a build file; its value and its comments stay as they are.

    Args:
        text: of the file.
        file: as it was named, for errors.

    Raises:
        FileError: it is no B9 build file; all that is wrong, with places.
        MissingError: Lark is not installed.
    """
    from raptorctl.read.b9.typed import checked
    from raptorctl.render.b9 import reformatted

    return Reformatted(text, reformatted(checked(text, file)))


def write(files: Mapping[str, Reformatted]) -> None:
    """Put what has changed in the files' places: all of them, or none.

    Args:
        files: by path.

    Raises:
        InputError: one cannot be written.
        RefusedError: root would write for somebody else.
    """
    from raptorctl.host.system.caller import caller
    from raptorctl.host.system.folder import write_files

    if caller():
        raise RefusedError("root would write a file of yours", resolution="leave sudo out")
    changed = {Path(path): one.after.encode() for path, one in files.items() if one.changed}
    write_files({path: (content, _mode(path)) for path, content in changed.items()})


def _mode(path: Path) -> int:
    try:
        return stat.S_IMODE(path.lstat().st_mode)
    except OSError as error:
        raise InputError(f"{shown(str(path))} is gone: {error.strerror}") from error
