"""Artifacts of a build file, as builds of ours."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from raptorctl.errors import InputError
from raptorctl.model.b9 import Con, Place
from raptorctl.model.build import (
    KEEP,
    ROOT,
    Build,
    BuildDisk,
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
)
from raptorctl.model.build_set import BuildSet, Path
from raptorctl.model.content import Content, FromPath
from raptorctl.model.diagnostic import refuse
from raptorctl.model.names import shown
from raptorctl.model.registry import Text
from raptorctl.model.sizes import Size
from raptorctl.read.b9.content import beside
from raptorctl.read.b9.script import bash
from raptorctl.read.b9.sources import MadeFile, made_by
from raptorctl.read.b9.unfold import Artifact
from raptorctl.read.b9.variables import Expanding

TIMEOUT: Final = 4 * 3600.0
"""Seconds of a whole script: what B9 gives a container (`max_lifetime_seconds`)."""
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)
"""Of a build: its log is called so, and its folder has it in its name."""
LABEL: Final = "cidata"
"""How cloud-init finds a seed (NoCloud)."""
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

Make = Callable[[Content, Mapping[str, str]], bytes]
"""Puts a content together, with the variables where it stands; raises `InputError`."""


def lowered(artifacts: Sequence[Artifact], make: Make, file: str) -> BuildSet:
    """Return the builds that make the artifacts; their paths begin where raptorctl runs.

    Args:
        artifacts: of all files.
        make: puts contents together.
        file: the first one, by which all are named.

    Raises:
        FileError: something in it cannot be; all of it, with places.
        HostError: a server does not give what it should.
    """
    lowering = _Lowering(make)
    builds = [build for one in artifacts for build in lowering.builds(one)]
    lowering.outputs_once(builds)
    if lowering.expanding.wrong:
        refuse(lowering.expanding.wrong[0].file, lowering.expanding.wrong)
    places = {key: at[1:] for key, at in lowering.places.items() if at[0] == file}
    return BuildSet(file, tuple(builds), {one.name: one.name for one in builds}, places, base=".")


@dataclass
class _Lowering:
    make: Make
    expanding: Expanding = field(default_factory=Expanding)
    places: dict[Path, Place] = field(default_factory=dict)
    """What says each build, and each disk of it."""

    def tell(self, at: Place, problem: str, hint: str = "") -> None:
        self.expanding.tell(at, problem, hint)

    def builds(self, artifact: Artifact) -> Iterator[Build]:
        if not NAME.fullmatch(artifact.name):
            problem = f"{shown(artifact.name)} is no name of a build"
            at = (artifact.name.file, artifact.name.line, artifact.name.column)
            self.tell(at, problem, "use letters, digits, and . _ - within")
        made = made_by(artifact.sources, artifact.known, self.expanding)
        match artifact.assembly.name, artifact.assembly.args:
            case "CloudInit", (types, path):
                found = self._seeds(artifact, types, path, made)
            case _, (targets, script, *fixup):
                found = iter([self._images(artifact, targets, script, fixup, made)])
        for build in found:
            self.places["build", build.name] = artifact.assembly.at
            yield build

    def _files(
        self, artifact: Artifact, made: Sequence[MadeFile], below: str
    ) -> Iterator[BuildFile]:
        for one in () if self.expanding.wrong else made:
            to = f"{below}{one.to}"
            if isinstance(one.content, FromPath) and not one.content.expand:
                yield BuildFile(to, copy=one.content.path, mode=one.mode)
                continue
            try:
                data = self.make(one.content, artifact.known)
            except InputError as error:
                self.tell(one.at, error.brief, error.resolution)
            else:
                yield BuildFile(to, content=data, mode=one.mode)

    def _seeds(
        self, artifact: Artifact, types: Sequence[Con], path: Text, made: Sequence[MadeFile]
    ) -> Iterator[Build]:
        """Each image of a seed is one build; a folder is one more output of the first."""
        wanted = [one.name for one in types]
        if not made or not wanted:
            problem = f"the seed {shown(artifact.name)} has no {'type' if made else 'files'}"
            self.tell(artifact.assembly.at, problem)
            return
        target = beside(path)
        folder = (BuildOutput(folder=target),) if "CI_DIR" in wanted else ()
        images = [one for one in dict.fromkeys(wanted) if one != "CI_DIR"]
        files = tuple(self._files(artifact, made, "/"))
        for kind in images or ["CI_ISO"]:
            filesystem = Filesystem.ISO if kind == "CI_ISO" else Filesystem.VFAT
            file = f"{target}.{'iso' if kind == 'CI_ISO' else 'vfat'}"
            written = (BuildOutput(file=file, format=DiskFormat.RAW),) if images else ()
            disk = BuildDisk(Empty(filesystem=filesystem, label=LABEL), outputs=(*written, *folder))
            name = str(artifact.name) if kind == (images or [kind])[0] else f"{artifact.name}-vfat"
            yield Build(name, (disk,), files)
            folder = ()

    def _images(
        self,
        artifact: Artifact,
        targets: Sequence[Con],
        script: Con,
        fixup: Sequence[Con],
        made: Sequence[MadeFile],
    ) -> Build:
        disks = [self._disk(target) for target in targets]
        at, line = artifact.assembly.at, bash(script.args[2]) if script.args else ""
        after = bash(fixup[0]) if fixup else ""
        if not disks:
            self.tell(at, f"the artifact {shown(artifact.name)} has no image")
        if line and not any(disk.mount == ROOT for disk in disks):
            self.tell(at, "no image is mounted at /, where the script is run")
        if after and any(disk.mount == ROOT for disk in disks[1:]):
            hint = "write that image first: the script gets their paths in that order"
            self.tell(at, "the fixup's first image is not the one of /", hint)
        shares = script.args[1] if script.args else ()
        self._place(str(artifact.name), targets, disks)
        return Build(
            name=str(artifact.name),
            disks=_root_first(disks),
            shares=tuple(self._shares(artifact, shares, made)) if line else (),
            steps=(BuildStep(command=_shell(line), dir="/", timeout=TIMEOUT),) if line else (),
            after=(BuildStep(command=_shell(after), timeout=TIMEOUT),) if after else (),
        )

    def _place(self, name: str, targets: Sequence[Con], disks: Sequence[BuildDisk]) -> None:
        """Remember where each disk stands, by its name there."""
        ordered = sorted(zip(disks, targets, strict=True), key=lambda one: one[0].mount != ROOT)
        for (_, target), disk in zip(ordered, _root_first(disks), strict=True):
            path: Path = ("disks", disk.name) if disk.name else ()
            destination, source, _mount = target.args
            self.places["build", name, *path, "from"] = source.at
            self.places["build", name, *path, "size"] = destination.at
            self.places["build", name, *path, "output"] = destination.at

    def _disk(self, target: Con) -> BuildDisk:
        destination, source, mount = target.args
        begun, filesystem, before = self._source(source)
        after, outputs = self._destination(destination)
        both = [one for one in (before, after) if one.name != "KeepSize"]
        if len(both) == 2 and both[0] != both[1]:
            hint = "write KeepSize in one of them"
            self.tell(both[0].at, "source and destination have different sizes", hint)
        resize = self._resize(both[-1], filesystem) if both else KEEP
        return BuildDisk(begun, self._mount(mount), resize, outputs)

    def _source(self, con: Con) -> tuple[FromImage | Empty, Con, Con]:
        """What a disk begins as, what is on it, and what size it gets."""
        match con.name, con.args:
            case "EmptyImage", (label, filesystem, _, size):
                return self._empty(con, label, filesystem, size), filesystem, Con("KeepSize")
            case "SourceImage", (image, partition, resize):
                path, _, filesystem = image.args
                number = self._partition(partition)
                return FromImage(_file(path), number), filesystem, resize
        name, resize = con.args
        return FromImage(str(name)), Con("Ext4"), resize

    def _empty(self, con: Con, label: Text, filesystem: Con, size: Con) -> Empty:
        if filesystem.name not in _FILESYSTEMS:
            hint = "use CloudInit [CI_ISO] for an image of files"
            self.tell(filesystem.at, f"an empty image of {filesystem.name} holds nothing", hint)
        kind = _FILESYSTEMS.get(filesystem.name)
        longest = {Filesystem.EXT4: 16, Filesystem.VFAT: 11}.get(kind) if kind else None
        if longest and len(label.encode()) > longest:
            problem = f"the label {shown(label)} is longer than the {longest} bytes of {kind}"
            self.tell(con.at, problem)
        return Empty(self._size(size), kind, str(label) if kind else "")

    def _partition(self, con: Con) -> int:
        number: int = con.args[0] if con.args else 0
        if con.args and number < 1:
            self.tell(con.at, f"there is no partition {number}", "the first one is 1")
        return number

    def _destination(self, con: Con) -> tuple[Con, tuple[BuildOutput, ...]]:
        match con.name, con.args:
            case "LocalFile", (image, resize):
                path, kind, _ = image.args
                output = BuildOutput(file=beside(path), format=_FORMATS[kind.name])
                return resize, (output,)
            case "Share", (name, kind, resize):
                return resize, (BuildOutput(image=str(name), format=_FORMATS[kind.name]),)
        return Con("KeepSize"), ()

    def _resize(self, con: Con, filesystem: Con) -> Resize:
        fit = _FITS[con.name]
        if fit is not Fit.DISK and filesystem.name != "Ext4":
            hint = "write ResizeImage or KeepSize"
            self.tell(con.at, f"{con.name} is for Ext4, not for {filesystem.name}", hint)
        return Resize(fit, self._size(con.args[0]) if con.args else Size(0))

    def _size(self, con: Con) -> Size:
        count, unit = con.args
        size = max(count, 0) << _UNITS[unit.name]
        if not 0 < size <= _LARGEST:
            self.tell(con.at, f"{count} {unit.name} is no size of an image")
            return Size(0)
        return Size(size)

    def _mount(self, con: Con) -> str:
        path = str(con.args[0]) if con.args else ""
        if con.args and (not path.startswith("/") or ".." in path.split("/") or "\0" in path):
            self.tell(con.at, f"{shown(path)} is no place to mount at", "/, or /srv/data")
        return path

    def _shares(
        self, artifact: Artifact, shares: Sequence[Con], made: Sequence[MadeFile]
    ) -> Iterator[BuildShare]:
        for share in shares:
            at = self._mount(share.args[-1])
            if share.name == "SharedSources" and at:
                yield BuildShare(at, files=tuple(self._files(artifact, made, "")))
            elif at:
                path = beside(share.args[0])
                yield BuildShare(at, path, writable=share.name == "SharedDirectory")

    def outputs_once(self, builds: Sequence[Build]) -> None:
        """Tell of what two images would be written to."""
        seen: set[tuple[str, bool]] = set()
        for build in builds:
            for output in build.outputs:
                known = (output.target, bool(output.image))
                if known in seen:
                    self.tell(
                        self.places["build", build.name],
                        f"{shown(output.target)} would be written twice",
                    )
                seen.add(known)


def _shell(script: str) -> tuple[str, ...]:
    """What runs it, with `$1` and so on for what is added to the command."""
    return ("/bin/bash", "-e", "-c", script, "bash")


def _file(path: Text) -> str:
    """A file's path, which no name of an image can be taken for."""
    found = beside(path)
    return found if found[0] == "/" or found.startswith("../") else f"./{found}"


def _root_first(disks: Sequence[BuildDisk]) -> tuple[BuildDisk, ...]:
    """The disk of / is the one that is entered; the others have names."""
    ordered = sorted(disks, key=lambda disk: disk.mount != ROOT)
    return tuple(
        replace(disk, name=f"disk{number}" if number > 1 else "")
        for number, disk in enumerate(ordered, 1)
    )
