"""A build file's `ImageTarget`s, as disks of a build."""

from dataclasses import dataclass
from typing import Final

from raptorctl.errors import InputError
from raptorctl.model.b9 import Con
from raptorctl.model.build import (
    KEEP,
    BuildDisk,
    BuildOutput,
    DiskFormat,
    Empty,
    Filesystem,
    Fit,
    FromImage,
    Resize,
)
from raptorctl.model.image import image_name
from raptorctl.model.names import shown
from raptorctl.model.registry import Text
from raptorctl.model.sizes import Size
from raptorctl.read.b9.content import beside
from raptorctl.read.b9.variables import Expanding
from raptorctl.read.build_rows import absolute

_FORMATS: Final = {
    "Raw": DiskFormat.RAW, "QCow2": DiskFormat.QCOW2, "Vmdk": DiskFormat.VMDK,
}  # fmt: skip
_FILESYSTEMS: Final = {
    "NoFileSystem": None, "Ext4": Filesystem.EXT4, "VFAT": Filesystem.VFAT,
}  # fmt: skip
_UNITS: Final = {"KB": 10, "MB": 20, "GB": 30}
_FITS: Final = {
    "ResizeImage": Fit.DISK, "Resize": Fit.TO, "ShrinkToMinimum": Fit.MINIMUM,
    "ShrinkToMinimumAndIncrease": Fit.MINIMUM,
}  # fmt: skip
_LARGEST: Final = 1 << 50
"""Bytes: a PiB."""


@dataclass(frozen=True)
class Targets:
    """How targets are read.

    Args:
        expanding: is told what is wrong.
    """

    expanding: Expanding

    def disk(self, target: Con) -> BuildDisk:
        """Return one target as a disk."""
        destination, source, mount = target.args
        begun, filesystem, before = self._source(source)
        after, outputs = self._destination(destination)
        both = [one for one in (before, after) if one.name != "KeepSize"]
        if len(both) == 2 and both[0] != both[1]:
            hint = "write KeepSize in one of them"
            self.expanding.tell(both[0].at, "source and destination have different sizes", hint)
        resize = self._resize(both[-1], filesystem) if both else KEEP
        return BuildDisk(begun, self.mount(mount), resize, outputs)

    def _source(self, con: Con) -> tuple[FromImage | Empty, Con, Con]:
        """What a disk begins as, what is on it, and what size it gets."""
        match con.name, con.args:
            case "EmptyImage", (label, filesystem, _, size):
                return self._empty(con, label, filesystem, size), filesystem, Con("KeepSize")
            case "SourceImage", (image, partition, resize):
                path, _, filesystem = image.args
                self._check_file(image, path)
                number = self._partition(partition)
                return FromImage(_file(path), number), filesystem, resize
        name, resize = con.args
        if not name:
            self.expanding.tell(con.at, "From names no image")
        return FromImage(str(name)), Con("Ext4"), resize

    def _empty(self, con: Con, label: Text, filesystem: Con, size: Con) -> Empty:
        if filesystem.name not in _FILESYSTEMS:
            hint = "use CloudInit [CI_ISO] for an image of files"
            self.expanding.tell(
                filesystem.at, f"an empty image of {filesystem.name} holds nothing", hint
            )
        kind = _FILESYSTEMS.get(filesystem.name)
        longest = {Filesystem.EXT4: 16, Filesystem.VFAT: 11}.get(kind) if kind else None
        if longest and len(label.encode()) > longest:
            problem = f"the label {shown(label)} is longer than the {longest} bytes of {kind}"
            self.expanding.tell(con.at, problem)
        return Empty(self._size(size), kind, str(label) if kind else "")

    def _partition(self, con: Con) -> int:
        number: int = con.args[0] if con.args else 0
        if con.args and number < 1:
            self.expanding.tell(con.at, f"there is no partition {number}", "the first one is 1")
        return number

    def _destination(self, con: Con) -> tuple[Con, tuple[BuildOutput, ...]]:
        match con.name, con.args:
            case "LocalFile", (image, resize):
                path, kind, _ = image.args
                self._check_file(image, path)
                output = BuildOutput(file=beside(path), format=_FORMATS[kind.name])
                return resize, (output,)
            case "Share", (name, kind, resize):
                self._check_name(con, name)
                return resize, (BuildOutput(image=str(name), format=_FORMATS[kind.name]),)
        return Con("KeepSize"), ()

    def _check_file(self, image: Con, path: Text) -> None:
        if not path or path.endswith("/"):
            self.expanding.tell(image.at, f"{shown(path)} is no name of a file")

    def _check_name(self, con: Con, name: Text) -> None:
        try:
            image_name(name)
        except InputError as error:
            self.expanding.tell(con.at, error.brief, error.resolution)

    def _resize(self, con: Con, filesystem: Con) -> Resize:
        fit = _FITS[con.name]
        if fit is not Fit.DISK and filesystem.name != "Ext4":
            hint = "write ResizeImage or KeepSize"
            self.expanding.tell(con.at, f"{con.name} is for Ext4, not for {filesystem.name}", hint)
        return Resize(fit, self._size(con.args[0]) if con.args else Size(0))

    def _size(self, con: Con) -> Size:
        count, unit = con.args
        size = max(count, 0) << _UNITS[unit.name]
        if not 0 < size <= _LARGEST:
            self.expanding.tell(con.at, f"{count} {unit.name} is no size of an image")
            return Size(0)
        return Size(size)

    def mount(self, con: Con) -> str:
        """Return where something is mounted, or \"\"."""
        path = str(con.args[0]) if con.args else ""
        try:
            return absolute(path) if con.args else ""
        except ValueError:
            self.expanding.tell(con.at, f"{shown(path)} is no place to mount at", "/, or /srv/data")
            return path


def _file(path: Text) -> str:
    """A file's path, which no name of an image can be taken for."""
    found = beside(path)
    return found if found[0] == "/" or found.startswith("../") else f"./{found}"
