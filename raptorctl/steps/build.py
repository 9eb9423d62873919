"""Builds of images: disks in a folder, what is put into them and run in them.

All of a build is in a folder of the job's own until it is published, so that undoing a build is
removing that folder, and what was exported beside its place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from raptorctl.drivers.build import Put
from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.model.build import BuildFile, BuildStep, Empty, Resize
from raptorctl.model.build_room import BuildRoom
from raptorctl.model.build_script import title
from raptorctl.model.codec import encode
from raptorctl.model.image import Image
from raptorctl.model.override import override
from raptorctl.steps.step import Observed, Step


@dataclass(frozen=True)
class InFolder(Step):
    """A step of a build, which acts in the build's folder alone.

    Args:
        job: the build's identifier.
        folder: of the build, absolute.
        record: the file in which the build is remembered once all of it is there.
    """

    job: str
    folder: str
    record: str

    needs_lock = False

    def is_done(self, host: Host) -> bool:
        """The build is remembered, and so done; before that only doing it tells.

        What is left of a job then is to remove its folder, and what was in it is gone with it.
        """
        return host.builder.is_built(self.record, self.job)

    def undo(self, host: Host, tick: Tick) -> None:
        """It goes with the folder."""

    @override
    def leftover(self) -> str:
        return self.folder


@dataclass(frozen=True)
class OpenFolder(InFolder):
    """Have a folder for a build.

    Args:
        keep: whether it stays when the build fails.
    """

    keep: bool = False

    kind = "build.open"

    @property
    @override
    def title(self) -> str:
        return f"make the folder {self.folder}"

    def is_done(self, host: Host) -> bool:
        """It is there, and this job's."""
        return super().is_done(host) or host.builder.holds(self.folder, self.job)

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Make it."""
        host.builder.open(self.folder, self.job)
        return {}

    def undo(self, host: Host, tick: Tick) -> None:
        """Remove it with all that is in it, unless somebody wants to look into it."""
        if not self.keep:
            host.builder.discard(self.folder, self.job)


@dataclass(frozen=True)
class CopyImage(InFolder):
    """Have a raw disk that begins as an image.

    Args:
        disk: the disk's raw file.
        image: from the cache.
        partition: the number of the one that becomes the disk; 0 for all.
    """

    disk: str
    image: Image
    partition: int = 0

    kind = "build.copy"

    @property
    @override
    def title(self) -> str:
        part = f"partition {self.partition} of " if self.partition else ""
        size = f", {self.image.size}" if self.image.size else ""  # not known before it is made
        return f"copy {part}image {self.image.name}{size}"

    def is_done(self, host: Host) -> bool:
        """It takes its name once it is whole."""
        return super().is_done(host) or host.builder.there(self.disk)

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Copy it."""
        host.builder.copy(self.image, self.partition, self.disk, tick)
        return {"digest": self.image.digest}


@dataclass(frozen=True)
class MakeDisk(InFolder):
    """Have an empty raw disk.

    Args:
        disk: the disk's raw file.
        empty: how large, and what it is formatted with.
    """

    disk: str
    empty: Empty

    kind = "build.make"

    @property
    @override
    def title(self) -> str:
        form = f" with {self.empty.filesystem}" if self.empty.filesystem else ""
        size = f" of {self.empty.size}" if self.empty.size else ""
        return f"make an empty disk{size}{form}"

    def is_done(self, host: Host) -> bool:
        """It takes its name once it is whole."""
        return super().is_done(host) or host.builder.there(self.disk)

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Make it."""
        host.builder.blank(self.empty, self.disk)
        return {}


@dataclass(frozen=True)
class PutFiles(InFolder):
    """Put files into a disk. What is in them may be secret, so the journal has their places alone.

    Args:
        disk: the disk's raw file.
        paths: where they go, for people.
        partition: of the file system that they go into; 0 for `/`, or the whole disk.
        empty: of a disk that is made for its files.
        files: themselves; none when the step comes from a journal.
        variables: what is put into those that ask for it.
    """

    disk: str
    paths: tuple[str, ...]
    partition: int = 0
    empty: Empty | None = None
    files: tuple[BuildFile, ...] = field(default=(), repr=False, compare=False)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    kind = "build.put"

    @property
    @override
    def title(self) -> str:
        more = f" and {len(self.paths) - 1} more" if len(self.paths) > 1 else ""
        return f"put {self.paths[0]}{more} into the disk" if self.paths else "lay the disk out"

    def encode(self) -> dict[str, Any]:
        """Return the record that the journal keeps: all but what is in the files."""
        bare = replace(self, files=(), variables={})
        record = {"kind": self.kind, **encode(bare)}
        return {key: value for key, value in record.items() if key not in {"files", "variables"}}

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Put them there, and check the file system."""
        put = Put(self.disk, self.partition, self.files, self.variables)
        host.builder.put(put, self.empty)
        return {}


@dataclass(frozen=True)
class FitDisk(InFolder):
    """Give a disk its size, and its last file system with it.

    Args:
        disk: the disk's raw file.
        wanted: the size.
    """

    disk: str
    wanted: Resize

    kind = "build.fit"

    @property
    @override
    def title(self) -> str:
        return f"resize the disk to {self.wanted}"

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Resize it, and check its file system."""
        host.builder.resize(self.disk, self.wanted, tick)
        return {}


@dataclass(frozen=True)
class RunInDisks(InFolder):
    """Run a build's steps in its disks.

    Args:
        way: `boot` or `nspawn`.
        uuid: of the machine, should there be one.
        titles: of the steps, for people.
        room: all of it; None when the step comes from a journal.
    """

    way: str
    uuid: str
    titles: tuple[str, ...]
    room: BuildRoom | None = field(default=None, repr=False, compare=False)

    kind = "build.run"

    @property
    @override
    def title(self) -> str:
        where = "a throw-away machine" if self.way == "boot" else "systemd-nspawn"
        return f"run in {where}: {'; '.join(self.titles)}"

    def encode(self) -> dict[str, Any]:
        """Return the record that the journal keeps: scripts may hold secrets."""
        fields = ("reason", "job", "folder", "record", "way", "uuid")
        record = {name: getattr(self, name) for name in fields}
        return {"kind": self.kind, **record, "titles": list(self.titles)}

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Run them; whatever was started for it has ended afterwards."""
        if self.room is not None:
            host.builder.run(self.room, tick)
        return {"steps": len(self.titles)}

    def undo(self, host: Host, tick: Tick) -> None:
        """End what may run still; all else goes with the folder."""
        host.builder.end(self.way, self.uuid)


@dataclass(frozen=True)
class RunAfter(InFolder):
    """Run a build's after-steps on this host.

    Args:
        disks: the disks' raw files.
        titles: of the steps, for people.
        steps: in order; none when the step comes from a journal: scripts may hold secrets.
    """

    disks: tuple[str, ...]
    titles: tuple[str, ...] = ()
    steps: tuple[BuildStep, ...] = field(default=(), repr=False, compare=False)

    kind = "build.after"

    @property
    @override
    def title(self) -> str:
        return f"run on this host: {'; '.join(self.titles or map(title, self.steps))}"

    @override
    def encode(self) -> dict[str, Any]:
        """Return the record that the journal keeps, in which nothing of a script is."""
        record = super().encode()
        del record["steps"]
        return record

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Run them."""
        host.builder.after(self.steps, self.disks, tick)
        return {"steps": len(self.steps)}
