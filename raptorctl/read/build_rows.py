"""What the tables of a build may say, and how each becomes a noun."""

import base64
import binascii
import enum
import posixpath
import re
from dataclasses import dataclass
from typing import Final, TypeVar

from raptorctl.errors import InputError
from raptorctl.model.build import (
    KEEP,
    STEP_TIMEOUT,
    BuildFile,
    BuildOutput,
    BuildShare,
    BuildStep,
    DiskFormat,
    Empty,
    Filesystem,
    Fit,
    FromImage,
    Resize,
    Verbosity,
)
from raptorctl.model.content import Content, FromPath, FromUrl, Merged, Parsed, Yaml
from raptorctl.model.image import image_name
from raptorctl.model.names import shown
from raptorctl.model.sizes import Size

W = TypeVar("W", bound=enum.StrEnum)

MOST_PARTITIONS: Final = 128
"""Of a GPT as everybody makes it (UEFI specification, 5.3.1)."""
LABELS: Final = {Filesystem.EXT4: 16, Filesystem.VFAT: 11, Filesystem.ISO: 32}
"""Bytes of a label: mke2fs(8), mformat(1), ECMA-119 8.4.7."""
_MODE: Final = re.compile(r"0?[0-7]{3,4}", re.ASCII)
_OWNER: Final = re.compile(r"([0-9]{1,9}):([0-9]{1,9})", re.ASCII)
_TIME: Final = re.compile(r"([0-9]{1,6})([smh])", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}
LONGEST: Final = 7 * 86400
"""Seconds of a step."""


@dataclass(frozen=True)
class SourceRow:
    """`from`, where it is a table."""

    image: str = ""
    partition: int = 0
    empty: Size | None = None
    filesystem: str = ""
    label: str = ""

    def made(self) -> FromImage | Empty:
        """See `FromImage` and `Empty`.

        Raises:
            ValueError: it cannot be; says why.
        """
        if self.image:
            if self.empty is not None or self.filesystem or self.label:
                raise ValueError("an image is not empty: say image, or empty")
            if not 0 <= self.partition <= MOST_PARTITIONS:
                raise ValueError(f"partitions are numbered from 1 to {MOST_PARTITIONS}")
            return FromImage(self.image, self.partition)
        form = word(Filesystem, self.filesystem) if self.filesystem else None
        if self.partition or (self.empty is None and form is None):
            raise ValueError("should say image, or empty and how large")
        if self.empty is None and form is Filesystem.EXT4:
            raise ValueError('should say how large: empty = "10G"')
        if self.empty is not None and form is Filesystem.ISO:
            raise ValueError("an ISO is as large as its files: leave empty out")
        if self.label and form is None:
            raise ValueError("a label is a file system's: say which, filesystem")
        _check_label(self.label, form)
        return Empty(self.empty or Size(0), form, self.label)


@dataclass(frozen=True)
class FileRow:
    """One of `files`."""

    to: str
    copy: str = ""
    content: str | None = None
    base64: str | None = None
    url: str = ""
    sha256: str = ""
    merge: tuple[str, ...] = ()
    glue: bool = False
    mode: str = ""
    owner: str = "0:0"
    expand: bool = False

    def made(self) -> BuildFile:
        """See `BuildFile`.

        Raises:
            ValueError: it cannot be; says why.
        """
        content = self.content.encode() if self.content is not None else _bytes(self.base64)
        given = (self.copy, self.url, self.merge)
        if sum(map(bool, given)) + (self.content is not None) + (self.base64 is not None) != 1:
            raise ValueError("should say one of copy, content, base64, url and merge")
        if self.expand and not (self.copy or self.merge):
            raise ValueError(
                "expand is for copy and merge; content has its variables put in anyway"
            )
        if self.mode and not _MODE.fullmatch(self.mode):
            raise ValueError(f'mode: {shown(self.mode)} is no mode: write e.g. "0644"')
        owner = _OWNER.fullmatch(self.owner)
        if not owner:
            raise ValueError(f"owner: {shown(self.owner)} is not UID:GID, by number")
        mode = int(self.mode, 8) if self.mode else None
        uid, gid = map(int, owner.groups())
        to, copied = absolute(self.to), self.expand and bool(self.copy)
        return BuildFile(to, self.copy, content, mode, (uid, gid), copied, self._source())

    def _source(self) -> Content | None:
        if (self.sha256 and not self.url) or (self.glue and not self.merge):
            raise ValueError("sha256 is for url, and glue for merge")
        if self.merge:
            parts = tuple(Parsed(FromPath(path, self.expand)) for path in self.merge)
            return Yaml(Merged(parts, self.glue), header=None)
        if not self.url:
            return None
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"url: {shown(self.url)} is none of http or https")
        if self.sha256 and not re.fullmatch(r"[0-9a-fA-F]{64}", self.sha256):
            raise ValueError("sha256: should be 64 hexadecimal digits")
        return FromUrl(self.url, self.sha256)


@dataclass(frozen=True)
class ShareRow:
    """One of `shares`."""

    path: str
    at: str
    writable: bool = False

    def made(self) -> BuildShare:
        """See `BuildShare`.

        Raises:
            ValueError: it cannot be; says why.
        """
        if not self.path:
            raise ValueError("path is empty")
        if absolute(self.at) == "/":
            raise ValueError("at: nothing is shared over /")
        return BuildShare(absolute(self.at), self.path, self.writable)


@dataclass(frozen=True)
class StepRow:
    """One of `steps`, or of `after`."""

    run: str = ""
    inline: str = ""
    command: tuple[str, ...] = ()
    dir: str = ""
    user: str = ""
    timeout: str | int | float = STEP_TIMEOUT
    ignore_errors: bool = False
    verbosity: str = Verbosity.ALL.value

    def made(self) -> BuildStep:
        """See `BuildStep`.

        Raises:
            ValueError: it cannot be; says why.
        """
        if sum(map(bool, (self.run, self.inline, self.command))) != 1:
            raise ValueError("should say one of run, inline and command")
        if self.user and not re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}", self.user, re.ASCII):
            raise ValueError(f"user: {shown(self.user)} is no account's name")
        return BuildStep(
            run=self.run,
            inline=self.inline,
            command=self.command,
            dir=absolute(self.dir) if self.dir else "",
            user=self.user,
            timeout=seconds(self.timeout),
            ignore_errors=self.ignore_errors,
            verbosity=word(Verbosity, self.verbosity),
        )


@dataclass(frozen=True)
class OutputRow:
    """One of `output`."""

    image: str = ""
    file: str = ""
    folder: str = ""
    push: str = ""
    format: str = ""

    def made(self) -> BuildOutput:
        """See `BuildOutput`.

        Raises:
            ValueError: it cannot be; says why.
        """
        if sum(map(bool, (self.image, self.file, self.folder, self.push))) != 1:
            raise ValueError("should say one of image, file, folder and push")
        form = word(DiskFormat, self.format) if self.format else None
        if form and self.folder:
            raise ValueError("a folder has no format")
        if self.image:
            try:
                image_name(self.image)
            except InputError as error:
                raise ValueError(str(error)) from error
        return BuildOutput(self.image, self.file, self.folder, self.push, form)


def resize(text: str) -> Resize:
    """Read `8G`, `minimum` or `minimum+1G`.

    Raises:
        ValueError: it is none of these; says why.
    """
    smallest, plus, more = text.partition("+")
    try:
        if smallest == "minimum":
            return Resize(Fit.MINIMUM, Size.parse(more) if plus else Size(0))
        return Resize(Fit.TO, Size.parse(text)) if text else KEEP
    except InputError as error:
        raise ValueError(f"{error}, or minimum, or minimum+1G") from error


def absolute(path: str) -> str:
    """Return a path within a disk, without needless parts.

    Raises:
        ValueError: it is not absolute, leads upwards, or has a control character in it.
    """
    if not path.startswith("/") or ".." in path.split("/"):
        raise ValueError(f"{shown(path)} should be an absolute path, without ..")
    if not path.isprintable():
        raise ValueError(f"{shown(path)} has a character in it that no path here may have")
    return "/" + posixpath.normpath(path).lstrip("/")


def seconds(text: str | float) -> float:
    """Read `90s`, `20m`, `2h`, or a number of seconds.

    Raises:
        ValueError: it is none of these, or nothing, or more than a week.
    """
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if isinstance(text, str) and not match:
        raise ValueError(f'timeout: {shown(text)} is no time: write e.g. "20m"')
    found = float(int(match[1]) * _SECONDS[match[2]]) if match else float(text)
    if not 0 < found <= LONGEST:
        raise ValueError("timeout: should be more than nothing, and at most a week")
    return found


def word(kind: type[W], text: str) -> W:
    """Read one of an enumeration's words.

    Raises:
        ValueError: it is none; says which there are.
    """
    if text not in [one.value for one in kind]:
        raise ValueError(f"{shown(text)} should be one of {', '.join(kind)}")
    return kind(text)


def _check_label(label: str, form: Filesystem | None) -> None:
    if form and (len(label.encode()) > LABELS[form] or not label.isprintable()):
        raise ValueError(f"label: {shown(label)} is more than {form} takes, {LABELS[form]} letters")


def _bytes(text: str | None) -> bytes | None:
    try:
        return None if text is None else base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("base64: is no base64") from error
