"""Builds: images that are made of an image, files and steps, and what is to become of them.

A build never touches what it begins as; it works on copies, and exports them whole or not at all.
Everything here is as it will be done: variables are expanded, sizes are bytes.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from raptorctl.model.content import Content
from raptorctl.model.sizes import Size

ROOT: Final = "/"
STEP_TIMEOUT: Final = 3600.0
"""Seconds for one step, unless the build says otherwise."""


class Filesystem(enum.StrEnum):
    """What an empty disk is formatted with."""

    EXT4 = "ext4"
    VFAT = "vfat"
    ISO = "iso9660"


class DiskFormat(enum.StrEnum):
    """What a disk is written as: qemu-img's words. A qcow2 is of compat 1.1."""

    RAW = "raw"
    QCOW2 = "qcow2"
    VMDK = "vmdk"


class Way(enum.StrEnum):
    """How a build's files and steps get into its disks."""

    EDIT = "edit"
    """Files are written without mounting anything: no root, no guest; ext4 and VFAT only."""
    BOOT = "boot"
    """A throw-away machine is booted, and entered by ssh: any file system, no root."""
    NSPAWN = "nspawn"
    """systemd-nspawn on loop devices: root's, and only for images that are trusted."""


class Verbosity(enum.StrEnum):
    """What of a step's output is shown; the log has all of it."""

    TRACE = "trace"
    """Everything, and each command of a shell before it is run (`set -x`)."""
    ALL = "all"
    ERRORS = "errors"
    """Standard error alone."""
    NOTHING = "nothing"


class Fit(enum.StrEnum):
    """What a size of a disk means."""

    KEEP = "keep"
    """As it is."""
    TO = "to"
    """The disk gets that size, and its last partition and file system grow into it."""
    DISK = "disk"
    """The disk alone gets that size; what is on it stays as it is."""
    MINIMUM = "minimum"
    """The file system shrinks to what it needs, and that much more; then partition and disk."""


@dataclass(frozen=True)
class Resize:
    """What size a disk gets, after the steps and before it is exported.

    Args:
        fit: what the size means.
        size: bytes; for `MINIMUM`, beside what the file system needs.
    """

    fit: Fit = Fit.KEEP
    size: Size = Size(0)

    def __str__(self) -> str:
        if self.fit is Fit.MINIMUM:
            return f"minimum+{self.size}" if self.size else "minimum"
        return "as it is" if self.fit is Fit.KEEP else str(self.size)


KEEP: Final = Resize()


@dataclass(frozen=True)
class FromImage:
    """A disk begins as a copy of an image.

    Args:
        image: by a name of the cache or catalogue, a digest, a URL, an `oci://` reference, or a
            file's path, as `image pull` takes it.
        partition: the number of the partition that becomes the whole disk, from 1; 0 for all.
    """

    image: str
    partition: int = 0


@dataclass(frozen=True)
class Empty:
    """A disk begins with nothing on it.

    Args:
        size: bytes; 0 for what its files need, which is for VFAT and ISO 9660 alone.
        filesystem: what it is formatted with, whole, without partitions; None for zeroes.
        label: the file system's, or "".
        uuid: the file system's, or "" for one by chance.
    """

    size: Size = Size(0)
    filesystem: Filesystem | None = None
    label: str = ""
    uuid: str = ""


@dataclass(frozen=True)
class BuildFile:
    """A file, or a folder with all that is in it, that is put into a disk.

    Args:
        to: where, absolute.
        copy: a file or folder on this side; "" where `content` says it.
        content: what is in it; None where `copy` names it.
        mode: permissions; None for those of `copy`, or 0644.
        owner: user and group in the image, by number.
        expand: whether variables of the build are put into the text of `copy`, a file.
        source: what `content` is put together of, until it is; or None.
    """

    to: str
    copy: str = ""
    content: bytes | None = field(default=None, repr=False)
    mode: int | None = None
    owner: tuple[int, int] = (0, 0)
    expand: bool = False
    source: Content | None = None


@dataclass(frozen=True)
class BuildShare:
    """A folder of this side that steps see.

    Args:
        at: where they see it, absolute.
        path: the folder; "" where `files` are in it.
        writable: whether what steps write there comes back.
        files: what is in it, if it is no folder of this side; `to` begins at the share.
    """

    at: str
    path: str = ""
    writable: bool = False
    files: tuple[BuildFile, ...] = ()


@dataclass(frozen=True)
class BuildStep:
    """Something that is run. It says one of `run`, `inline` and `command`.

    Args:
        run: a script's file on this side.
        inline: lines of a shell.
        command: a program where the step is run, and its arguments, each taken as it is.
        dir: where it is run; "" for the account's home, or the build's folder for `after`.
        user: whose account it is run as; "" for root, or for the caller for `after`.
        timeout: seconds.
        ignore_errors: whether the build goes on when it fails.
        verbosity: what of its output is shown.
    """

    run: str = ""
    inline: str = ""
    command: tuple[str, ...] = ()
    dir: str = ""
    user: str = ""
    timeout: float = STEP_TIMEOUT
    ignore_errors: bool = False
    verbosity: Verbosity = Verbosity.ALL


@dataclass(frozen=True)
class BuildOutput:
    """Where a disk goes. It says one of `image`, `file`, `folder` and `push`.

    Args:
        image: a name in the cache of images, where machines find it.
        file: a path.
        folder: a path; the disk's files themselves, and nothing else stays in it.
        push: where images are shared: `oci://registry/name`, as `image push` takes it.
        format: of the disk; None for what a file's name ends with, else qcow2.
    """

    image: str = ""
    file: str = ""
    folder: str = ""
    push: str = ""
    format: DiskFormat | None = None

    @property
    def target(self) -> str:
        """What is written, as a person names it."""
        return self.image or self.file or self.folder or self.push

    @property
    def path(self) -> str:
        """The path that is written, where it is one."""
        return self.file or self.folder

    @property
    def written_as(self) -> DiskFormat:
        """The format that it is written as, unless the disk is an ISO: see `BuildDisk`."""
        if self.format:
            return self.format
        ending = PurePosixPath(self.file).suffix.lstrip(".").lower()
        if ending in {"img", "iso", "vfat"}:
            return DiskFormat.RAW
        return next((one for one in DiskFormat if one.value == ending), DiskFormat.QCOW2)


@dataclass(frozen=True)
class BuildDisk:
    """One disk of a build: what it begins as, and what becomes of it.

    Args:
        source: what it begins as.
        mount: where steps and files find it, absolute; "" for nowhere. The first disk's is "/".
        resize: what size it gets.
        outputs: where it goes; none for a disk that is thrown away.
        name: what the build calls it; "" for the first.
    """

    source: FromImage | Empty
    mount: str = ROOT
    resize: Resize = KEEP
    outputs: tuple[BuildOutput, ...] = ()
    name: str = ""

    @property
    def is_iso(self) -> bool:
        """Whether an ISO is made of its files."""
        return isinstance(self.source, Empty) and self.source.filesystem is Filesystem.ISO

    def written_as(self, output: BuildOutput) -> DiskFormat:
        """The format that one of its outputs is written as; an ISO as it is, if none is said."""
        said = output.format or PurePosixPath(output.file).suffix.lower() in {".qcow2", ".vmdk"}
        return DiskFormat.RAW if self.is_iso and not said else output.written_as


@dataclass(frozen=True)
class Build:
    """One build: disks, what is put into them, what is run in them, and where they go.

    Args:
        name: as the file calls it; one of several that a matrix makes of it has the values in it.
        disks: the first is the one that is booted; at least one.
        files: what is put into the disks, in order, before the steps.
        shares: folders that steps see.
        steps: what is run in the disks, in order; one that fails ends the build.
        after: what is run on this host after the resize, with the disks' raw files as its
            arguments; one that fails ends the build, and nothing is exported.
        way: how, where the file says so; None leaves it to what is asked for.
        network: whether steps may use a network.
        variables: what `expand` puts in.
    """

    name: str
    disks: tuple[BuildDisk, ...]
    files: tuple[BuildFile, ...] = ()
    shares: tuple[BuildShare, ...] = ()
    steps: tuple[BuildStep, ...] = ()
    after: tuple[BuildStep, ...] = ()
    way: Way | None = None
    network: bool = True
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def outputs(self) -> tuple[BuildOutput, ...]:
        """All that it exports, in order."""
        return tuple(output for disk in self.disks for output in disk.outputs)

    @property
    def mounted(self) -> tuple[BuildDisk, ...]:
        """The disks that steps and files find, in the order of mounting: outer ones first."""
        found = (disk for disk in self.disks if disk.mount)
        return tuple(sorted(found, key=lambda disk: len(PurePosixPath(disk.mount).parts)))

    def disk_of(self, path: str) -> BuildDisk | None:
        """The disk that an absolute path in the build is on, or None."""
        over = (d for d in reversed(self.mounted) if PurePosixPath(path).is_relative_to(d.mount))
        return next(over, None)
