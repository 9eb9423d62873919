"""Artifacts of a build file, as builds of ours."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from raptorctl.errors import InputError
from raptorctl.model.b9 import Con, Place
from raptorctl.model.build import (
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
    FromImage,
)
from raptorctl.model.build_set import BuildSet, Path
from raptorctl.model.content import Content, FromPath
from raptorctl.model.diagnostic import refuse
from raptorctl.model.names import shown
from raptorctl.model.registry import Text
from raptorctl.read.b9.content import beside
from raptorctl.read.b9.script import bash
from raptorctl.read.b9.sources import MadeFile, made_by
from raptorctl.read.b9.targets import Targets
from raptorctl.read.b9.unfold import Artifact
from raptorctl.read.b9.variables import Expanding

TIMEOUT: Final = 4 * 3600.0
"""Seconds of a whole script: what B9 gives a container (`max_lifetime_seconds`)."""
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)
"""Of a build: its log is called so, and its folder has it in its name."""
LABEL: Final = "cidata"
"""How cloud-init finds a seed (NoCloud)."""
MOST_FILES: Final = 20_000
"""Of all artifacts together."""
MOST_BYTES: Final = 1 << 28
"""In all files that are put together: they are in memory."""

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
    return BuildSet(
        file,
        tuple(builds),
        {one.name: one.name for one in builds},
        {key: at[1:] for key, at in lowering.places.items()},
        base=".",
        files={key: at[0] for key, at in lowering.places.items()},
        may_be_empty=True,
    )


@dataclass
class _Lowering:
    make: Make
    expanding: Expanding = field(default_factory=Expanding)
    places: dict[Path, Place] = field(default_factory=dict)
    """What says each build, and each disk of it."""
    named: set[str] = field(default_factory=set)
    files: int = 0
    bytes: int = 0

    @property
    def targets(self) -> Targets:
        return Targets(self.expanding)

    def tell(self, at: Place, problem: str, hint: str = "") -> None:
        self.expanding.tell(at, problem, hint)

    def builds(self, artifact: Artifact) -> Iterator[Build]:
        if not NAME.fullmatch(artifact.name):
            problem = f"{shown(artifact.name)} is no name of a build"
            at = (artifact.name.file, artifact.name.line, artifact.name.column)
            self.tell(at, problem, "use letters, digits, and . _ - within")
        if self.files > MOST_FILES:
            return
        made = made_by(artifact.sources, artifact.known, self.expanding)
        self.files += len(made)
        if self.files > MOST_FILES:
            self.tell(artifact.assembly.at, f"all artifacts have more than {MOST_FILES} files")
            return
        match artifact.assembly.name, artifact.assembly.args:
            case "CloudInit", (types, path):
                found = self._seeds(artifact, types, path, made)
            case _, (targets, script, *fixup):
                found = iter([self._images(artifact, targets, script, fixup, made)])
        for build in found:
            self._name(build.name, artifact.assembly.at)
            self.places["build", build.name] = artifact.assembly.at
            if any("\0" in path for path in _paths(build)):
                self.tell(artifact.assembly.at, "a path in it has a NUL, which no path can have")
            yield build

    def _name(self, name: str, at: Place) -> None:
        if name in self.named:
            self.tell(at, f"two builds are called {shown(name)}", "a seed's second is NAME-vfat")
        self.named.add(name)

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
                self.bytes += len(data)
                if self.bytes > MOST_BYTES:
                    self.tell(one.at, f"all files are more than {MOST_BYTES >> 20} MiB together")
                    return
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
        disks = [self.targets.disk(target) for target in targets]
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
            destination, source, mount = target.args
            self.places["build", name, *path, "from"] = source.at
            self.places["build", name, *path, "at"] = mount.at
            self.places["build", name, *path, "size"] = destination.at
            self.places["build", name, *path, "output"] = destination.at

    def _shares(
        self, artifact: Artifact, shares: Sequence[Con], made: Sequence[MadeFile]
    ) -> Iterator[BuildShare]:
        mounted = [share for share in shares if share.args[-1].args]
        for number, share in enumerate(mounted):
            self.places["build", str(artifact.name), "shares", number] = share.at
            at = self.targets.mount(share.args[-1])
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


def _paths(build: Build) -> Iterator[str]:
    """All that it names on this side."""
    yield from (one.target for one in build.outputs)
    yield from (disk.source.image for disk in build.disks if isinstance(disk.source, FromImage))
    yield from (share.path for share in build.shares)
    files = (*build.files, *(one for share in build.shares for one in share.files))
    yield from (one.copy for one in files)


def _shell(script: str) -> tuple[str, ...]:
    """What runs it, with `$1` and so on for what is added to the command."""
    return ("/bin/bash", "-e", "-c", script, "bash")


def _root_first(disks: Sequence[BuildDisk]) -> tuple[BuildDisk, ...]:
    """The disk of / is the one that is entered; the others have names."""
    ordered = sorted(disks, key=lambda disk: disk.mount != ROOT)
    return tuple(
        replace(disk, name=f"disk{number}" if number > 1 else "")
        for number, disk in enumerate(ordered, 1)
    )
