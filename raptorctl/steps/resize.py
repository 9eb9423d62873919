"""Volumes that grow: by extents that were zeroed and read back before.

A volume that is enlarged is larger at once for whoever opens it next, and its tenant may start its
machine at any moment without asking us. So what it grows by is made as a volume of its own first,
zeroed and read back; then the volume takes over those very extents. Its guest never has a byte
before it that was not seen to be zero, whatever is cut off when.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.errors import ConflictError, HostError
from raptorctl.model.codec import encode
from raptorctl.model.job import RECEIPT
from raptorctl.model.override import override
from raptorctl.model.sizes import Size
from raptorctl.model.volume import CLEAN, DIRTY, GROWING, GROWN, Volume
from raptorctl.steps.step import Observed, Step
from raptorctl.steps.volume_use import made_by, present, with_device


@dataclass(frozen=True)
class ReserveGrowth(Step):
    """Make what a volume is to grow by as a volume of its own, zero it and read it back.

    Args:
        job: the job that makes it.
        uuid: LVM's identifier of the volume that is to grow.
        target: what that volume's size is to be, bytes.
        name: of the volume that is made.
        size: its own, bytes, a multiple of the group's extent.
        tags: ownership tags.
    """

    job: str
    uuid: str
    target: Size
    name: str
    size: Size
    tags: tuple[str, ...]

    kind = "volume.reserve-growth"

    @property
    @override
    def title(self) -> str:
        return f"make {self.name}, {self.size}, zero it, read it back"

    def is_done(self, host: Host) -> bool:
        """It is there and clean, or has been taken over."""
        if present(host, self.uuid).size == self.target:
            return True
        reserve = host.volumes.named(self.name)
        if reserve and reserve.job != self.job:
            raise ConflictError(f"volume {self.name} exists and is not this job's")
        return reserve is not None and reserve.clean

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Create it dirty, zero, read back, then tag."""
        reserve = made_by(host, self.job, self.name)
        if reserve is None:
            reserve = host.volumes.create(self.name, self.size, (*self.tags, DIRTY))
        report = host.wiper.wipe(with_device(host, reserve), tick)
        host.volumes.retag(reserve, add=[CLEAN], remove=[DIRTY], at_boot=False)
        return {RECEIPT: encode(report)}

    def undo(self, host: Host, tick: Tick) -> None:
        """Remove it: nobody has ever used it."""
        reserve = made_by(host, self.job, self.name)
        if reserve and reserve.name == self.name:
            host.volumes.remove(reserve)

    @override
    def leftover(self) -> str:
        return f"volume {self.name} of job {self.job}"


@dataclass(frozen=True)
class GrowVolume(Step):
    """Have a volume take over the extents that were made clean for it.

    Between giving them up there and taking them here, a cut leaves them free and zeroed.

    Args:
        job: the job.
        uuid: LVM's identifier.
        name: the volume's.
        before: its size so far, bytes.
        size: its size to be, bytes.
        domain: libvirt's identifier of the machine; "" of a disk that none has.
    """

    job: str
    uuid: str
    name: str
    before: Size
    size: Size
    domain: str

    kind = "volume.grow"

    @property
    @override
    def title(self) -> str:
        return f"grow volume {self.name} from {self.before} to {self.size}"

    def is_done(self, host: Host) -> bool:
        """It is as large, and this job made it so."""
        volume = present(host, self.uuid)
        grown = volume.size == self.size and self.job in {volume.growing, volume.grown}
        if not grown and volume.size != self.before:
            raise ConflictError(
                f"volume {self.name} was resized to {volume.size} by another program"
            )
        return grown

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Mark it, then move the extents."""
        volume, reserve = present(host, self.uuid), made_by(host, self.job, "")
        if reserve is None or not self._fits(reserve):
            raise HostError(f"what volume {self.name} is to grow by is not clean")
        host.volumes.retag(volume, add=[GROWING + self.job], remove=[], at_boot=True)
        extents = host.volumes.extents(reserve)
        host.volumes.remove(reserve, discard=False)
        host.volumes.extend(volume, extents)
        return {"extents": list(extents.ranges)}

    def undo(self, host: Host, tick: Tick) -> None:
        """Take back what this job added, unless the guest has had it: then it keeps it."""
        volume = host.volumes.find(self.uuid)
        if volume is None or volume.growing != self.job:
            return
        kept = volume.size > self.before and self._was_seen(host, volume, tick)
        if not kept:
            host.volumes.shrink(volume, self.before)
        host.volumes.retag(
            volume,
            add=[GROWN + self.job] if kept else [],
            remove=[GROWING + self.job],
            at_boot=True,
        )

    def _fits(self, reserve: Volume) -> bool:
        """Whether it was made for this: what a machine has is never given to another one."""
        return reserve.clean and reserve.slot is None and reserve.size == self.size - self.before

    @override
    def leftover(self) -> str:
        return f"volume {self.name}, perhaps {self.size} instead of {self.before}"

    def _was_seen(self, host: Host, volume: Volume, tick: Tick) -> bool:
        """Whether the machine was started meanwhile: it has the new size, or has written there."""
        if self._runs(host):
            return host.domains.block_size(self.domain, volume.path) != self.before
        if not host.wiper.is_zero(with_device(host, volume), self.before, tick):
            return True
        # Reading it takes minutes, and its tenant may have started it meanwhile.
        return self._runs(host) and host.domains.block_size(self.domain, volume.path) != self.before

    def _runs(self, host: Host) -> bool:
        domain = host.domains.find(self.domain) if self.domain else None
        return domain is not None and domain.state.active


@dataclass(frozen=True)
class GiveDisk(Step):
    """Show a running guest its larger disk; from then on it is the guest's.

    Args:
        job: the job that enlarged it.
        uuid: LVM's identifier of the volume.
        name: the domain's, or the volume's of a disk that none has.
        domain: libvirt's identifier of it, or "".
        size: bytes.
    """

    job: str
    uuid: str
    name: str
    domain: str
    size: Size

    kind = "disk.give"
    reversible = False

    @property
    @override
    def title(self) -> str:
        return f"show {self.name} its {self.size}" if self.domain else f"mark {self.name} as grown"

    def is_done(self, host: Host) -> bool:
        """The volume's tag says so."""
        return present(host, self.uuid).grown == self.job

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Tell QEMU, where it runs; one that is off finds it when it starts."""
        volume = present(host, self.uuid)
        seen = host.domains.block_size(self.domain, volume.path) if self.domain else None
        if seen is not None:  # told twice is told once
            host.domains.block_resize(self.domain, volume.path, self.size)
        host.volumes.retag(volume, add=[GROWN + self.job], remove=list(_old(volume)), at_boot=True)
        return {"live": seen is not None}

    def undo(self, host: Host, tick: Tick) -> None:
        """There is no way back: the guest may use it."""

    @override
    def leftover(self) -> str:
        return f"domain {self.name}, which does not know its {self.size}"


def _old(volume: Volume) -> Iterator[str]:
    return (tag for tag in volume.tags if tag.startswith((GROWING, GROWN)))
