"""Builds planned: a folder, disks, what goes into them, what is run, and where they go."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from raptorctl import __version__
from raptorctl.model.build import (
    ROOT,
    BuildDisk,
    BuildFile,
    BuildOutput,
    DiskFormat,
    Empty,
    Fit,
    FromImage,
    Way,
)
from raptorctl.model.build_record import BuildRecord, WrittenFile
from raptorctl.model.build_room import BuildRoom, RoomDisk
from raptorctl.model.build_script import title
from raptorctl.model.facts import Reservation
from raptorctl.model.image_version import Provenance
from raptorctl.model.sizes import Size
from raptorctl.plans.build.request import BuildRequest
from raptorctl.plans.plan import Identity, Plan
from raptorctl.steps.build import (
    CopyImage,
    FitDisk,
    MakeDisk,
    OpenFolder,
    PutFiles,
    RunAfter,
    RunInDisks,
)
from raptorctl.steps.build_output import (
    AddImage,
    ExportDisk,
    FinishBuild,
    Publish,
    PushDisk,
    WriteRecord,
)
from raptorctl.steps.step import Step

WAYS = {
    Way.EDIT: "its disks are edited without being mounted",
    Way.BOOT: "its steps are run in a throw-away machine, which boots the first disk",
    Way.NSPAWN: "its steps are run by systemd-nspawn, with the disks mounted on this host",
}


def plan_build(request: BuildRequest, identity: Identity) -> Plan:
    """Plan a build in which nothing is wrong: see `raptorctl.plans.build.check`."""
    kept = (f"its folder stays: {request.folder}/{identity.job}",) if request.keep else ()
    unknown = (
        f"it begins as {image}, which {maker} makes first: "
        "what is on that is not known yet, and may ask for another way"
        for image, maker in request.awaits.items()
    )
    return Plan(
        verb="build",
        identity=identity,
        reservation=Reservation(identity.job, request.build.name),
        steps=tuple(_Planning(request, identity).steps()),
        summary=f"{request.build.name} is built",
        notes=(WAYS[request.way], *unknown, *kept),
    )


class _Planning:
    """One build that is planned."""

    def __init__(self, request: BuildRequest, identity: Identity) -> None:
        self._request, self._identity = request, identity
        self._build, self._job = request.build, identity.job
        self._folder = f"{request.folder}/{identity.job}"
        self._place = (self._job, self._folder, request.record)
        self._disks = {n: f"{self._folder}/disk{n}.raw" for n in range(len(self._build.disks))}

    def steps(self) -> Iterator[Step]:
        """All of it, in order."""
        reason = "everything is made there, and shown to nobody before it is whole"
        yield OpenFolder(reason, *self._place, self._request.keep)
        for number, disk in enumerate(self._build.disks):
            yield self._begun(number, disk)
            if self._grows(number, disk):
                yield FitDisk("room for what comes", *self._place,
                              self._disks[number], disk.resize)  # fmt: skip
        yield from self._put()
        yield from self._run()
        for number, disk in enumerate(self._build.disks):
            if disk.resize.fit is not Fit.KEEP and not self._grows(number, disk):
                yield FitDisk("as it is asked for", *self._place,
                              self._disks[number], disk.resize)  # fmt: skip
        if self._build.after:
            yield RunAfter("they look at it as it will be", *self._place,
                           tuple(self._disks.values()),
                           tuple(map(title, self._build.after)), self._build.after)  # fmt: skip
        yield from self._exported()

    def _begun(self, number: int, disk: BuildDisk) -> Step:
        image, source = self._request.images[number], disk.source
        if isinstance(source, Empty):
            return MakeDisk("the build has a disk of its own", *self._place,
                            self._disks[number], source)  # fmt: skip
        if image is None:
            raise ValueError(f"no image for {source.image}")
        return CopyImage("the image itself is never written to", *self._place,
                         self._disks[number], image, source.partition)  # fmt: skip

    def _grows(self, number: int, disk: BuildDisk) -> bool:
        size = self._request.size(disk, number)
        return disk.resize.fit is Fit.TO and disk.resize.size > size

    def _put(self) -> Iterator[Step]:
        for number, disk in enumerate(self._build.disks):
            files = self._files(disk)
            empty = disk.source if isinstance(disk.source, Empty) else None
            fitted = empty is not None and not empty.size
            if fitted or (files and self._request.editable(disk, number)):
                yield PutFiles(
                    reason="they are there when anything is run",
                    job=self._job,
                    folder=self._folder,
                    record=self._request.record,
                    disk=self._disks[number],
                    paths=tuple(file.to for file in files),
                    empty=empty if fitted else None,
                    files=files,
                    variables=self._build.variables,
                )

    def _files(self, disk: BuildDisk) -> tuple[BuildFile, ...]:
        """Those that are on a disk, as it sees them itself."""
        found = (file for file in self._build.files if self._build.disk_of(file.to) == disk)
        return tuple(replace(file, to=_inside(file.to, disk.mount)) for file in found)

    def _run(self) -> Iterator[Step]:
        request, build = self._request, self._build
        if request.way is Way.EDIT:
            return
        mounted = [build.disks.index(disk) for disk in build.mounted]
        by_hand = {d.name for n, d in enumerate(build.disks) if not request.editable(d, n)}
        rest = (f for f in build.files if (d := build.disk_of(f.to)) and d.name in by_hand)
        room = BuildRoom(
            folder=self._folder,
            job=self._job,
            way=request.way,
            disks=tuple(RoomDisk(self._disks[n], build.disks[n].mount) for n in mounted),
            files=tuple(rest),
            shares=build.shares,
            steps=build.steps,
            network=build.network,
            uuid=self._identity.uuid,
            variables=build.variables,
        )
        titles = tuple(map(title, build.steps))
        yield RunInDisks(
            "as the build says", *self._place, request.way.value, room.uuid, titles, room
        )

    def _exported(self) -> Iterator[Step]:
        pushed: list[Step] = []
        published: list[Step] = []
        before: list[str] = []
        for number, disk in enumerate(self._build.disks):
            for place, output in enumerate(disk.outputs):
                staged = f"{self._folder}/output{number}.{place}"
                if path := output.path:
                    staged = _beside(path, self._job)
                    before.append(f"{staged}.before")
                    published.append(Publish("it is whole", *self._place, staged, path,
                                             before[-1]))  # fmt: skip
                if output.image:
                    published.append(self._image(output.image, staged))
                if output.push:
                    pushed.append(self._push(disk, output, staged))
                yield self._export(number, output, staged)
        yield from (*pushed, *published)
        record = self._request.record
        # Beside it, like an output: the build's folder may be on another file system.
        written = f"{record}.{self._job}.new"
        before.append(f"{record}.{self._job}")
        yield WriteRecord("so that it is known next time", *self._place, written, self._record())
        yield Publish("all of it is there", *self._place, written, record, before[-1])
        yield FinishBuild("it is done", *self._place, tuple(before), self._request.keep)

    def _export(self, number: int, output: BuildOutput, staged: str) -> Step:
        disk = self._build.disks[number]
        return ExportDisk(
            reason="beside its place, so that it is whole when it gets there",
            job=self._job,
            folder=self._folder,
            record=self._request.record,
            disk=self._disks[number],
            form=None if output.folder else disk.written_as(output),
            staged=staged,
            made=self._request.missing.get(output.path, ()),
            last=output is disk.outputs[-1] and self._gives_away(),
        )

    def _gives_away(self) -> bool:
        """Whether a disk may become an output: one that was lent to others never does."""
        return not self._request.keep and not self._build.after

    def _push(self, disk: BuildDisk, output: BuildOutput, staged: str) -> Step:
        request, form = self._request, disk.written_as(output)
        return PushDisk("others find it there", *self._place, staged, self._build.name,
                        form, request.targets[output.push], self._made(), request.login,
                        iso=disk.is_iso and form is DiskFormat.RAW)  # fmt: skip

    def _image(self, name: str, staged: str) -> Step:
        before = self._request.here.get(name, "")
        return AddImage("machines find it there", *self._place, staged, name,
                        self._made(), before)  # fmt: skip

    def _made(self) -> Provenance:
        source, image = self._build.disks[0].source, self._request.images[0]
        return Provenance(
            source=source.image if isinstance(source, FromImage) else "",
            source_digest=image.digest if image else "",
            steps_digest=self._request.inputs,
            who=self._identity.by,
            when=self._identity.at,
            raptorctl=__version__,
        )

    def _record(self) -> BuildRecord:
        paths = (one.path for one in self._build.outputs)
        return BuildRecord(
            build=self._job,
            inputs=self._request.inputs,
            made=self._made(),
            files=tuple(WrittenFile(path, Size(0), 0) for path in paths if path),
            images=_images(self._build.outputs),
            pushed=tuple(one.push for one in self._build.outputs if one.push),
        )


def _images(outputs: tuple[BuildOutput, ...]) -> Mapping[str, str]:
    return {output.image: "" for output in outputs if output.image}


def _inside(path: str, mount: str) -> str:
    return path if mount == ROOT else f"/{PurePosixPath(path).relative_to(mount)}"


def _beside(path: str, job: str) -> str:
    at = PurePosixPath(path)
    return str(at.with_name(f".{at.name}.{job}"))
