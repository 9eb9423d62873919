"""What of this side goes into a build, and where paths lead: so that no build writes over it."""

import os
from collections.abc import Iterable, Iterator

from raptorctl.model.build import Build, FromImage
from raptorctl.plans.build.request import Read


def place(path: str) -> str:
    """Return what a path is the name of, whatever links lead there; what it is itself stays.

    Args:
        path: absolute.
    """
    folder, name = os.path.split(path)
    return os.path.join(_real(folder), name)  # noqa: PTH118 - text


def reads(build: Build) -> tuple[Read, ...]:
    """Return the files and folders of this side that a build names.

    Args:
        build: with absolute paths.
    """
    return tuple(Read(path, what, (place(path), _real(path))) for path, what in _named(build))


def read_from(paths: Iterable[str]) -> tuple[Read, ...]:
    """Return files that builds were read from, first of all their own.

    Args:
        paths: absolute.
    """
    what = "is read by the build"
    return tuple(Read(path, what, (place(path), _real(path))) for path in paths)


def _named(build: Build) -> Iterator[tuple[str, str]]:
    files = (*build.files, *(file for share in build.shares for file in share.files))
    yield from ((file.copy, "is copied into it") for file in files if file.copy)
    yield from ((s.path, "is shared with its steps") for s in build.shares if s.path)
    yield from ((s.run, "is run by it") for s in (*build.steps, *build.after) if s.run)
    for disk in build.disks:
        if isinstance(disk.source, FromImage) and disk.source.image.startswith("/"):
            yield disk.source.image, "is what it begins as"


def _real(path: str) -> str:
    try:
        return os.path.realpath(path)
    except ValueError:  # a NUL, which no path has
        return path
