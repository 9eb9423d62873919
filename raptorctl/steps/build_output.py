"""Where a build goes: files and folders, and images of the cache.

What is exported is written beside its place, whole and durably, before anything is put into its
place; and only when everything is there is what was there before removed.
"""

from dataclasses import dataclass, field
from typing import Any

from raptorctl.drivers.host import Host
from raptorctl.drivers.image import Offer, RegistryLogin
from raptorctl.drivers.tick import Tick
from raptorctl.model.build import DiskFormat
from raptorctl.model.build_record import BuildRecord
from raptorctl.model.codec import encode
from raptorctl.model.image_target import Target, called_at
from raptorctl.model.image_version import Paper, Provenance, Statement
from raptorctl.model.override import override
from raptorctl.read.image_statement import serial_of
from raptorctl.render.image_statement import statement_text
from raptorctl.steps.build import InFolder
from raptorctl.steps.step import Observed


@dataclass(frozen=True)
class ExportDisk(InFolder):
    """Write a disk beside the place where it goes.

    Args:
        disk: the disk's raw file.
        form: that it is written in; None for a folder of the files that it was made for.
        staged: the path that it is written to.
        made: folders that are made for it, innermost first.
        last: whether nobody wants the disk afterwards, nor may still write to it.
    """

    disk: str
    form: DiskFormat | None
    staged: str
    made: tuple[str, ...] = ()
    last: bool = False

    kind = "build.export"
    later = ("last",)

    @property
    @override
    def title(self) -> str:
        return f"write it as {self.form}" if self.form else "write its files"

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Write it."""
        if self.form:
            host.builder.export(self.disk, self.form, self.staged, tick, last=self.last)
        else:
            host.builder.export_folder(self.disk, self.staged)
        return {"path": self.staged}

    def undo(self, host: Host, tick: Tick) -> None:
        """Remove it."""
        host.builder.unexport(self.staged, self.made)

    @override
    def leftover(self) -> str:
        return self.staged


@dataclass(frozen=True)
class Publish(InFolder):
    """Put what was exported into its place, at once.

    Args:
        staged: where it was written to.
        target: where it goes.
        before: where what is there now is kept until the build is done.
    """

    staged: str
    target: str
    before: str

    kind = "build.publish"

    @property
    @override
    def title(self) -> str:
        return "keep that" if self.target == self.record else f"put it at {self.target}"

    def is_done(self, host: Host) -> bool:
        """It is there, and no longer beside it."""
        return super().is_done(host) or host.builder.published(self.staged, self.target)

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Put it there."""
        host.builder.publish(self.staged, self.target, self.before)
        return {"path": self.target}

    def undo(self, host: Host, tick: Tick) -> None:
        """Take it away again, and bring back what was there."""
        host.builder.withdraw(self.staged, self.target, self.before)

    @override
    def leftover(self) -> str:
        return self.target


class Ticking:
    """Passes on how far it is; implements `raptorctl.drivers.image.Watch`."""

    def __init__(self, tick: Tick) -> None:
        self._tick = tick

    def begin(self, title: str) -> None:
        """Say nothing: the step has a title."""

    def tick(self, done: int, total: int) -> None:
        """Pass it on."""
        self._tick(done, total)

    def note(self, text: str) -> None:
        """Say nothing: what the name stood for is kept, and `image list` tells."""


@dataclass(frozen=True)
class AddImage(InFolder):
    """Put what was exported into the cache of images.

    Args:
        staged: where it was written to.
        name: the image's.
        made: of what, by whom and when.
        before: digest of the image that has the name now; "" for none.
    """

    staged: str
    name: str
    made: Provenance
    before: str = ""

    kind = "build.add-image"

    @property
    @override
    def title(self) -> str:
        return f"put it into the cache as image {self.name}"

    def is_done(self, host: Host) -> bool:
        """The image is there, and this build's."""
        return super().is_done(host) or host.images.has_built(self.name, self.made)

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Put it there."""
        pulled = host.images.keep_built(self.staged, self.name, self.made, Ticking(tick))
        return {"image": encode(pulled.image)}

    def undo(self, host: Host, tick: Tick) -> None:
        """Take it out again, and give its name back to what had it."""
        host.images.take_back(self.name, self.made, self.before)

    @override
    def leftover(self) -> str:
        return f"image {self.name}"


@dataclass(frozen=True)
class PushDisk(InFolder):
    """Share what was exported. It is pushed before anything is in its place: it may fail for hours.

    Args:
        staged: where it was written to.
        name: what it is called, where the target does not say.
        form: that it was written in.
        target: where it goes.
        made: of what, by whom and when.
        login: for a registry; in no journal.
        iso: whether what was written raw is an ISO, a format of its own where images are shared.
    """

    staged: str
    name: str
    form: DiskFormat
    target: Target
    made: Provenance
    login: RegistryLogin = field(default=RegistryLogin(), repr=False, compare=False)
    iso: bool = False

    kind = "build.push"
    later = ("iso",)

    @property
    @override
    def title(self) -> str:
        return f"push it to {self.target.text}"

    @override
    def encode(self) -> dict[str, Any]:
        record = super().encode()
        del record["login"]
        return record

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Push it."""
        watch, when = Ticking(tick), self.made.when
        digest, size = host.images.digest(self.staged, watch), host.files.size(self.staged) or 0
        name, form = called_at(self.target, self.name), "iso" if self.iso else self.form.value
        said = Statement(name, digest, size, form, when, serial_of(when), built=self.made)
        offer = Offer(self.staged, said, Paper(statement_text(said)))
        host.images.push(offer, self.target, self.login, watch)
        return {"target": self.target.text, "digest": digest}

    def undo(self, host: Host, tick: Tick) -> None:
        """What others may have by now stays with them: it is whole, and a version of its own."""


@dataclass(frozen=True)
class WriteRecord(InFolder):
    """Write down what was built, for `--if-changed`.

    Args:
        staged: where it is written, before it is published like an output.
        built: what was built; what it says of files is looked up then.
    """

    staged: str
    built: BuildRecord

    kind = "build.record"

    @property
    @override
    def title(self) -> str:
        return "write down what was built"

    @override
    def encode(self) -> dict[str, Any]:
        """Return the record that the journal keeps: older ones do not know of trees."""
        record = super().encode()
        for file in record["built"]["files"]:
            if not file["tree"]:
                del file["tree"]
        return record

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Write it."""
        host.builder.keep_record(self.staged, self.built)
        return {"inputs": self.built.inputs}

    def undo(self, host: Host, tick: Tick) -> None:
        """Remove it."""
        host.builder.unexport(self.staged, ())


@dataclass(frozen=True)
class FinishBuild(InFolder):
    """Remove all that is no longer needed, for good.

    Args:
        before: what stood where outputs are now.
        keep: whether the folder stays.
    """

    before: tuple[str, ...] = ()
    keep: bool = False

    kind = "build.finish"
    reversible = False

    @property
    @override
    def title(self) -> str:
        return "remove what was there before" if self.keep else f"remove the folder {self.folder}"

    @override
    def is_done(self, host: Host) -> bool:
        return False

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Remove what was there before, and the folder."""
        for before in self.before:
            host.builder.settle(before)
        if not self.keep:
            host.builder.discard(self.folder, self.job)
        return {}
