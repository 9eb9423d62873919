"""Overlays: files of one's own that are volumes.

A new file holds nothing of anybody's, and a file that is removed gives its blocks back to a
filesystem that hands them out as zeroes. So nothing is zeroed, read back or wiped here, and
nothing says so.
"""

from dataclasses import dataclass

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.errors import ConflictError, HostError
from raptorctl.model.codec import encode
from raptorctl.model.image import Image
from raptorctl.model.override import override
from raptorctl.model.sizes import Size
from raptorctl.model.volume import CLEAN, DIRTY, IMAGE, OVERLAY, Volume, is_overlay
from raptorctl.steps.pause import refuse_running
from raptorctl.steps.step import Observed, Step
from raptorctl.steps.volume_use import made_by, present, refuse_in_use


@dataclass(frozen=True)
class CreateOverlay(Step):
    """Make a file that is a volume, marked as ours from its first moment.

    Args:
        job: the job that makes it.
        name: the volume's.
        size: bytes that its guest sees; the file grows as they are written.
        tags: ownership tags.
        image: what it lies over, from the cache; None for nothing.
    """

    job: str
    name: str
    size: Size
    tags: tuple[str, ...]
    image: Image | None = None

    kind = "overlay.create"

    @property
    @override
    def title(self) -> str:
        over = f", over image {self.image.name}" if self.image else ""
        return f"create file {self.name}{OVERLAY}, {self.size}{over}"

    def is_done(self, host: Host) -> bool:
        """It is there, whole, and this job made it."""
        volume = host.volumes.named(self.name)
        if volume and volume.job != self.job:
            raise ConflictError(f"volume {self.name} exists and is not this job's")
        return volume is not None and volume.clean

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Create it; what a cut left of it is made anew."""
        if half := made_by(host, self.job, self.name):
            host.volumes.remove(half)
        volume = host.volumes.create(self.name, self.size, (*self.tags, DIRTY))
        said: dict[str, object] = {"uuid": volume.uuid, "size": int(volume.size)}
        tags = [CLEAN]
        if self.image:
            said["image"] = encode(host.image_writer.write(self.image, volume, tick))
            tags.append(f"{IMAGE}{self.image.digest}")
        host.volumes.retag(volume, add=tags, remove=[DIRTY], at_boot=False)
        return said

    def undo(self, host: Host, tick: Tick) -> None:
        """Remove it."""
        if volume := made_by(host, self.job, self.name):
            refuse_in_use(host, volume)
            host.volumes.remove(volume)

    @override
    def leftover(self) -> str:
        return f"file {self.name}{OVERLAY} of job {self.job}"


@dataclass(frozen=True)
class CopyOverlay(Step):
    """Copy a file that is a volume, while its machine stands still: a snapshot.

    Args:
        job: the job that makes it.
        uuid: the volume's identifier.
        origin: that volume's name.
        name: the copy's.
        tags: ownership tags.
        domain: libvirt's identifier of the machine.
    """

    job: str
    uuid: str
    origin: str
    name: str
    tags: tuple[str, ...]
    domain: str

    kind = "overlay.copy"

    @property
    @override
    def title(self) -> str:
        return f"copy file {self.origin}{OVERLAY} to {self.name}{OVERLAY}"

    def is_done(self, host: Host) -> bool:
        """It is there, whole, and this job made it."""
        copy = host.volumes.named(self.name)
        if copy and copy.job != self.job:
            raise ConflictError(f"volume {self.name} exists and is not this job's")
        return copy is not None and copy.clean

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Copy it; what a cut left of it is made anew."""
        if half := made_by(host, self.job, self.name):
            host.volumes.remove(half)
        origin, tags = present(host, self.uuid), (*self.tags, DIRTY)
        refuse_running(host, self.domain)
        copy = host.volumes.snapshot(origin, self.name, origin.size, tags, tick)
        refuse_running(host, self.domain)
        host.volumes.retag(copy, add=[CLEAN], remove=[DIRTY], at_boot=False)
        return {"uuid": copy.uuid, "size": int(copy.size)}

    def undo(self, host: Host, tick: Tick) -> None:
        """Remove it."""
        if copy := made_by(host, self.job, self.name):
            host.volumes.remove(copy)

    @override
    def leftover(self) -> str:
        return f"file {self.name}{OVERLAY} of job {self.job}"


@dataclass(frozen=True)
class RemoveOverlay(Step):
    """Remove a file that is a volume. The point of no return of a removal.

    Args:
        uuid: the volume's identifier.
        name: its name.
    """

    uuid: str
    name: str

    kind = "overlay.remove"
    reversible = False

    @property
    @override
    def title(self) -> str:
        return f"remove file {self.name}{OVERLAY}"

    @property
    @override
    def destroys(self) -> str:
        return f"file {self.name}{OVERLAY}"

    def is_done(self, host: Host) -> bool:
        """There is no volume of that identifier."""
        return host.volumes.find(self.uuid) is None

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Remove it."""
        volume = present(host, self.uuid)
        _refuse_block(volume)
        refuse_in_use(host, volume)
        host.volumes.remove(volume)
        return {"uuid": self.uuid}

    def undo(self, host: Host, tick: Tick) -> None:
        """There is no way back."""

    @override
    def leftover(self) -> str:
        return f"file {self.name}{OVERLAY}"


@dataclass(frozen=True)
class GrowOverlay(Step):
    """Enlarge a file that is a volume; what is new in it is read as zeroes.

    Args:
        uuid: the volume's identifier.
        name: its name.
        before, size: bytes that its guest sees, so far and to be.
        domain: libvirt's identifier of the machine, which does the work while it runs; or "".
    """

    uuid: str
    name: str
    before: Size
    size: Size
    domain: str

    kind = "overlay.grow"
    reversible = False

    @property
    @override
    def title(self) -> str:
        return f"grow file {self.name}{OVERLAY} from {self.before} to {self.size}"

    def is_done(self, host: Host) -> bool:
        """It is as large."""
        return present(host, self.uuid).size == self.size

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Grow it: by QEMU where one has it open, else by ourselves."""
        volume = present(host, self.uuid)
        _refuse_block(volume)
        if volume.size > self.size:
            raise ConflictError(
                f"volume {self.name} was resized to {volume.size} by another program"
            )
        domain = host.domains.find(self.domain) if self.domain else None
        if domain and domain.state.active:
            host.domains.block_resize(self.domain, volume.path, self.size)
        else:
            host.volumes.enlarge(volume, self.size)
        if present(host, self.uuid).size != self.size:
            raise HostError(f"file {volume.path} did not grow to {self.size}")
        return {"size": int(self.size)}

    def undo(self, host: Host, tick: Tick) -> None:
        """A guest may have seen it: it stays."""

    @override
    def leftover(self) -> str:
        return f"file {self.name}{OVERLAY}, perhaps {self.size} instead of {self.before}"


def _refuse_block(volume: Volume) -> None:
    """Refuse what is not a file: a volume of LVM has to be wiped first.

    Raises:
        HostError: it is none.
    """
    if not is_overlay(volume.group):
        raise HostError(f"volume {volume.name} is not a file")
