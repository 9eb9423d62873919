"""Volumes: made dirty, zeroed, used, retired, wiped, removed.

The tag on the volume is the truth. `raptor.dirty` means that nobody may use it; `raptor.clean`
that it held zeroes when its tenant got it; `raptor.wiped` that it is out of use and holds zeroes
again, which is the only state from which a volume that a tenant has had is removed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.errors import ConflictError, HostError, WipeError
from raptorctl.model.codec import encode
from raptorctl.model.job import RECEIPT
from raptorctl.model.names import wipe_volume
from raptorctl.model.override import override
from raptorctl.model.sizes import Size
from raptorctl.model.volume import CLEAN, DIRTY, Volume
from raptorctl.steps.step import Observed, Step
from raptorctl.steps.volume_use import (
    erase,
    holds,
    last_seen,
    made_by,
    of_job,
    refuse_in_use,
    refuse_snapshots,
    retire,
    wipe,
    with_device,
)


@dataclass(frozen=True)
class CreateVolume(Step):
    """Make a volume that is marked as ours, and as dirty, from its first moment.

    Args:
        job: the job that makes it.
        name: the volume's.
        size: bytes, a multiple of the group's extent.
        tags: ownership tags.
    """

    job: str
    name: str
    size: Size
    tags: tuple[str, ...]

    kind = "volume.create"

    @property
    @override
    def title(self) -> str:
        return f"create volume {self.name}, {self.size}"

    def is_done(self, host: Host) -> bool:
        """It is there and this job made it."""
        return holds(host, self._made)

    def _made(self, volumes: Iterable[Volume]) -> bool:
        volume = next((v for v in volumes if v.name == self.name), None)
        if volume and volume.job != self.job:
            raise ConflictError(f"volume {self.name} exists and is not this job's")
        return volume is not None

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Create it."""
        volume = host.volumes.create(self.name, self.size, (*self.tags, DIRTY))
        return {"uuid": volume.uuid, "size": int(volume.size)}

    def undo(self, host: Host, tick: Tick) -> None:
        """Remove it; one that was ever clean may hold a guest's data and is wiped first."""
        volume = made_by(host, self.job, self.name)
        if volume is None:
            return
        if volume.clean or volume.name != self.name:
            volume = erase(host, volume, tick)
        host.volumes.remove(volume)

    @override
    def leftover(self) -> str:
        return f"volume {self.name} (or its wipe- name) of job {self.job}"


@dataclass(frozen=True)
class ZeroVolume(Step):
    """Zero a new volume and read it back, so that no earlier owner's data reaches a tenant.

    Args:
        job: the job that made the volume.
        name: the volume's.
    """

    job: str
    name: str

    kind = "volume.zero"

    @property
    @override
    def title(self) -> str:
        return f"zero {self.name}, read it back, mark it clean"

    def is_done(self, host: Host) -> bool:
        """The tag says so; it is set after the read-back only."""
        named = (self.name, self.job, True)
        return holds(host, lambda all_: any((v.name, v.job, v.clean) == named for v in all_))

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Zero, read back, then tag."""
        volume = of_job(host.volumes.seen(), self.job, self.name)
        if volume is None:
            raise HostError(f"volume {self.name} is gone")
        report = host.wiper.wipe(with_device(host, volume), tick)
        host.volumes.retag(volume, add=[CLEAN], remove=[DIRTY], at_boot=True)
        return {RECEIPT: encode(report)}

    def undo(self, host: Host, tick: Tick) -> None:
        """Zeroes need no undoing; the volume goes with `CreateVolume`."""


@dataclass(frozen=True)
class RetireVolume(Step):
    """Take a volume out of use: dirty, and under a name that frees the machine's.

    Args:
        uuid: LVM's identifier.
        name: the volume's name so far.
        was_clean: what to say again should this be undone.
    """

    uuid: str
    name: str
    was_clean: bool

    kind = "volume.retire"

    @property
    @override
    def title(self) -> str:
        return f"retire volume {self.name} to {wipe_volume(self.uuid)}"

    def is_done(self, host: Host) -> bool:
        """It has its new name and is not clean, or is gone altogether."""
        return holds(host, lambda all_: all(map(self._retired, all_)))

    def _retired(self, volume: Volume) -> bool:
        other = volume.uuid != self.uuid
        return other or (volume.name == wipe_volume(self.uuid) and not volume.clean)

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Rename, then tag."""
        volume = last_seen(host, self.uuid)
        refuse_in_use(host, volume)
        # Once more, as seen by its new name: the look before may be older than a snapshot.
        refuse_snapshots(host, retire(host, volume))
        return {"name": wipe_volume(self.uuid)}

    def undo(self, host: Host, tick: Tick) -> None:
        """Back to its name and tag: nothing has been zeroed yet."""
        volume = host.volumes.find(self.uuid)
        if volume is None:
            return
        if volume.name != self.name:
            volume = host.volumes.rename(volume, self.name)
        if self.was_clean:
            host.volumes.retag(volume, add=[CLEAN], remove=[DIRTY], at_boot=True)

    @override
    def leftover(self) -> str:
        return f"volume {self.name} or {wipe_volume(self.uuid)}"


@dataclass(frozen=True)
class WipeVolume(Step):
    """Zero a retired volume and read it back. The point of no return of a removal.

    Args:
        uuid: LVM's identifier.
        name: what the volume was called while in use, for people.
        size: bytes.
    """

    uuid: str
    name: str
    size: Size

    kind = "volume.wipe"
    reversible = False
    needs_lock = False

    @property
    @override
    def title(self) -> str:
        return f"wipe {self.name}, {self.size}, and read it back"

    @property
    @override
    def destroys(self) -> str:
        return f"volume {self.name}"

    def is_done(self, host: Host) -> bool:
        """Gone, or wiped."""
        return holds(host, lambda all_: all(v.wiped for v in all_ if v.uuid == self.uuid))

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Zero, read back, then tag; an error keeps the volume, dirty."""
        volume = last_seen(host, self.uuid)
        refuse_in_use(host, volume)
        _, report = wipe(host, volume, tick)
        return {RECEIPT: encode(report)}

    def undo(self, host: Host, tick: Tick) -> None:
        """There is no way back from a wipe."""

    @override
    def leftover(self) -> str:
        return f"volume {wipe_volume(self.uuid)}, dirty, kept"


@dataclass(frozen=True)
class RemoveVolume(Step):
    """Give a wiped volume's extents back.

    Args:
        uuid: LVM's identifier.
        name: what the volume was called while in use, for people.
    """

    uuid: str
    name: str

    kind = "volume.remove"
    reversible = False
    needs_lock = False

    @property
    @override
    def title(self) -> str:
        return f"remove volume {self.name}"

    def is_done(self, host: Host) -> bool:
        """LVM knows no such volume."""
        return holds(host, lambda all_: all(v.uuid != self.uuid for v in all_))

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Remove it, if and only if its tag says that it holds zeroes."""
        volume = last_seen(host, self.uuid)
        if not volume.wiped:
            raise WipeError(f"volume {volume.name} is not wiped and is kept")
        host.volumes.remove(volume)
        return {"uuid": self.uuid}

    def undo(self, host: Host, tick: Tick) -> None:
        """There is no way back."""

    @override
    def leftover(self) -> str:
        return f"volume {wipe_volume(self.uuid)}"
