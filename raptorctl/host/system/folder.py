"""Several files at once, in folders of a person's own: all of them, or none."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from raptorctl.errors import InputError
from raptorctl.host.system.durable import unfinished, write_whole


def write_files(files: Mapping[Path, tuple[bytes, int]]) -> None:
    """Write files beside their places, and only then put all of them there.

    Args:
        files: content and mode of each; folders are made where there are none.

    Raises:
        InputError: one cannot be written; none has changed, unless a folder is in one's place.
    """
    done: list[Path] = []
    try:
        for path, (content, mode) in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise IsADirectoryError(0, "is a folder", str(path))
            _write(unfinished(path), content, mode)
            done.append(path)
        for path in files:
            unfinished(path).replace(path)
    except OSError as error:
        for path in done:
            with suppress(OSError):
                unfinished(path).unlink()
        where = error.filename or "a file"
        raise InputError(f"{where} cannot be written: {error.strerror or error}") from error


def remove_files(root: Path, names: tuple[str, ...]) -> list[Path]:
    """Remove files of a folder, and the folders that are empty then.

    Args:
        root: the folder.
        names: paths below it; one that leads out of it, or over a link, is passed over.

    Returns:
        What is gone.

    Raises:
        InputError: one cannot be removed.
    """
    removed: list[Path] = []
    for name in names:
        path = root / name
        inside = not Path(name).is_absolute() and ".." not in Path(name).parts
        if not inside or path.parent.resolve() != root.resolve() / Path(name).parent:
            continue
        try:
            path.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise InputError(f"{path} cannot be removed: {error.strerror}") from error
        removed.append(path)
        _prune(path.parent, root)
    return removed


def _prune(folder: Path, root: Path) -> None:
    with suppress(OSError):  # it is not empty
        while folder != root.parent:
            folder.rmdir()
            folder = folder.parent


def _write(path: Path, content: bytes, mode: int) -> None:
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        write_whole(descriptor, content)
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)
