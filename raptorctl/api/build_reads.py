"""What of this side goes into a build, and where paths lead: so that no build writes over it."""

import os
from collections.abc import Iterable

from raptorctl.api.build_lowering import named
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
    begins = (one.image for disk in build.disks if isinstance(one := disk.source, FromImage))
    files = ((path, "is what it begins as") for path in begins if path.startswith("/"))
    return tuple(_read(path, what) for path, what in (*named(build), *files))


def read_from(paths: Iterable[str]) -> tuple[Read, ...]:
    """Return files that builds were read from, first of all their own.

    Args:
        paths: absolute.
    """
    return tuple(_read(path, "is read by the build") for path in paths)


def _read(path: str, what: str) -> Read:
    return Read(path, what, (place(path), _real(path)))


def _real(path: str) -> str:
    try:
        return os.path.realpath(path)
    except ValueError:  # a NUL, which no path has
        return path
