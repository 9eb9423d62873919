"""What a build names on this side: paths made absolute, looked at, and all of it digested."""

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from raptorctl.api.named_file import at_home
from raptorctl.api.session import Session
from raptorctl.errors import InputError
from raptorctl.model.build import (
    Build,
    BuildDisk,
    BuildFile,
    BuildOutput,
    BuildShare,
    BuildStep,
    FromImage,
)
from raptorctl.model.build_set import BuildSet
from raptorctl.model.codec import encode
from raptorctl.model.diagnostic import Diagnostic
from raptorctl.read.variables import expand

if TYPE_CHECKING:
    from raptorctl.drivers.supply import Supply

CHUNK: Final = 1 << 20


class BuildLowering:
    """One file's builds, and what is wrong with what they name.

    Args:
        session: the host, and who asks.
        found: the builds.
        timeout_factor: what each time limit is multiplied by.
        supply: where what is put together comes from; None leaves it as it is.
    """

    def __init__(
        self,
        session: Session,
        found: BuildSet,
        timeout_factor: float = 1.0,
        supply: "Supply | None" = None,
    ) -> None:
        self.wrong: list[Diagnostic] = []
        self._session, self._set, self._factor = session, found, timeout_factor
        self._supply = supply

    def build(self, build: Build) -> Build:
        """A build with absolute paths; what is not there is told."""
        tell = self._teller(build)
        return replace(
            build,
            disks=tuple(map(self._disk, build.disks)),
            files=tuple(
                self._file(self._made(f, build, f"files[{n}]", tell), f"files[{n}]", tell)
                for n, f in enumerate(build.files)
            ),
            shares=tuple(self._share(s, f"shares[{n}]", tell) for n, s in enumerate(build.shares)),
            steps=tuple(self._step(s, f"steps[{n}]", tell) for n, s in enumerate(build.steps)),
            after=tuple(self._step(s, f"after[{n}]", tell) for n, s in enumerate(build.after)),
        )

    def _teller(self, build: Build) -> Callable[[str, str], None]:
        return lambda key, problem: self.wrong.append(self._set.wrong(build, key, problem))

    def _disk(self, disk: BuildDisk) -> BuildDisk:
        source = disk.source
        if isinstance(source, FromImage) and _is_path(source.image):
            source = replace(source, image=self._beside(source.image))
        return replace(disk, source=source, outputs=tuple(map(self._output, disk.outputs)))

    def _output(self, output: BuildOutput) -> BuildOutput:
        if output.file:
            return replace(output, file=self._beside(output.file))
        return replace(output, folder=self._beside(output.folder)) if output.folder else output

    def _made(
        self, file: BuildFile, build: Build, key: str, tell: Callable[[str, str], None]
    ) -> BuildFile:
        """The file with its bytes, where they have to be put together."""
        if file.source is None or self._supply is None:
            return file
        from raptorctl.render.content import Maker

        def put_in(text: str) -> str:
            try:
                return str(expand(text, build.variables))
            except ValueError as error:
                raise InputError(str(error)) from error

        try:
            content = Maker(_Beside(self._supply, self._beside), put_in).made(file.source)
        except InputError as error:
            tell(key, str(error))
            content = b""
        return replace(file, content=content, source=None)

    def _file(self, file: BuildFile, key: str, tell: Callable[[str, str], None]) -> BuildFile:
        if not file.copy:
            return file
        path = self._beside(file.copy)
        if not os.path.isdir(path):  # noqa: PTH112 - Path.is_dir() raises for a name too long
            self._readable(path, f"{key}.copy", tell)
        elif file.expand:
            tell(f"{key}.expand", f"{file.copy} is a folder: name each file")
        return replace(file, copy=path)

    def _share(self, share: BuildShare, key: str, tell: Callable[[str, str], None]) -> BuildShare:
        if not share.path:
            files = (self._file(f, f"{key}.files[{n}]", tell) for n, f in enumerate(share.files))
            return replace(share, files=tuple(files))
        path = self._beside(share.path)
        if not os.path.isdir(path):  # noqa: PTH112
            tell(f"{key}.path", f"there is no folder {share.path}")
        return replace(share, path=path)

    def _step(self, step: BuildStep, key: str, tell: Callable[[str, str], None]) -> BuildStep:
        if step.run:
            step = replace(step, run=self._beside(step.run))
            self._readable(step.run, f"{key}.run", tell)
        if any("\0" in word for word in step.command):
            tell(f"{key}.command", "has a NUL, which no argument of a program can have")
        return replace(step, timeout=step.timeout * self._factor)

    def _readable(self, path: str, key: str, tell: Callable[[str, str], None]) -> None:
        from raptorctl.host.system.caller import open_given

        try:
            open_given(path).close()
        except InputError as error:
            tell(key, str(error))

    def _beside(self, path: str) -> str:
        path = at_home(path, self._session.caller.name)
        return os.path.normpath(Path(self._set.folder, path).absolute())


class _Beside:
    """A supply whose paths begin where a file's do."""

    def __init__(self, supply: "Supply", beside: Callable[[str], str]) -> None:
        self._supply, self._beside, self.url = supply, beside, supply.url

    def file(self, path: str) -> bytes:
        return self._supply.file(self._beside(path))


def digest(build: Build, images: tuple[str, ...]) -> str:
    """The SHA-256 of all that goes into a build, hexadecimal.

    Args:
        build: with absolute paths, and with what is new each time left as it is written.
        images: digests of what its disks begin as.

    Raises:
        InputError: a file is not there, or not the caller's to read.
    """
    whole = hashlib.sha256()
    bare = build if _expands(build) else replace(build, variables={})
    whole.update(json.dumps([_plain(bare), images], sort_keys=True, default=_hex).encode())
    for path, _ in named(build):
        for piece in _contents(path):
            whole.update(piece)
    return whole.hexdigest()


def _expands(build: Build) -> bool:
    """Whether what a file gets depends on variables: all other values have them put in already."""
    return any(file.expand for file in _files(build))


def _files(build: Build) -> tuple[BuildFile, ...]:
    return (*build.files, *(file for share in build.shares for file in share.files))


def _plain(build: Build) -> Any:
    """As JSON has it. How long a step may take changes nothing of what is built."""
    steps = tuple(replace(step, timeout=0.0) for step in build.steps)
    after = tuple(replace(step, timeout=0.0) for step in build.after)
    return encode(replace(build, steps=steps, after=after))


def _hex(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def named(build: Build) -> Iterator[tuple[str, str]]:
    """Return the paths of this side that go into a build, and what each is to it.

    Args:
        build: with absolute paths.
    """
    yield from ((file.copy, "is copied into it") for file in _files(build) if file.copy)
    yield from ((s.path, "is shared with its steps") for s in build.shares if s.path)
    yield from ((s.run, "is run by it") for s in (*build.steps, *build.after) if s.run)


def _contents(path: str) -> Iterator[bytes]:
    """What is at a path, and in a folder; of each thing first what it is, so that none is lost."""
    state = os.stat(path)  # noqa: PTH116 - text
    if not stat.S_ISDIR(state.st_mode):
        yield from _pieces(path, path)
        return
    from raptorctl.host.system.walk import walk_given

    yield _head(path, state)
    for at, folders, names in walk_given(path):
        folders.sort()
        for name in sorted([*names, *folders]):
            each = os.path.join(at, name)  # noqa: PTH118 - text
            below = os.path.relpath(each, path)
            state = os.lstat(each)
            if stat.S_ISLNK(state.st_mode):
                yield _head(below, state)
                yield os.fsencode(os.readlink(each))  # noqa: PTH115
            elif stat.S_ISDIR(state.st_mode):
                yield _head(below, state)
            else:
                yield from _pieces(each, below)


def _pieces(path: str, name: str) -> Iterator[bytes]:
    from raptorctl.host.system.caller import open_given

    with open_given(path) as stream:
        yield _head(name, os.fstat(stream.fileno()))
        while piece := stream.read(CHUNK):
            yield piece


def _head(name: str, state: os.stat_result) -> bytes:
    """A name, the mode, and how much follows. A folder's size is its file system's affair."""
    size = 0 if stat.S_ISDIR(state.st_mode) else state.st_size
    return f"{name}\0{state.st_mode:o}\0{size}\0".encode(errors="surrogateescape")


def _is_path(image: str) -> bool:
    return "://" not in image and ("/" in image or image.startswith("."))
