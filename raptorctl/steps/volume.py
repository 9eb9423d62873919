"""Volumes: made dirty, zeroed, used, retired, wiped, removed.

The tag on the volume is the truth. `raptor.dirty` means that nobody may use it; `raptor.clean`
that it held zeroes when its tenant got it; `raptor.wiped` that it is out of use and holds zeroes
again, which is the only state from which a volume that a tenant has had is removed.
"""

from dataclasses import dataclass

from raptorctl.errors import ConflictError, HostError, WipeError
from raptorctl.host.drivers import Host, Tick
from raptorctl.model.codec import encode
from raptorctl.model.names import wipe_volume
from raptorctl.model.sizes import Size
from raptorctl.model.volume import CLEAN, DIRTY, WIPED, Volume
from raptorctl.steps.step import Observed, Step


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
    def title(self) -> str:
        """One line."""
        return f"create volume {self.name}, {self.size}"

    def is_done(self, host: Host) -> bool:
        """It is there and this job made it."""
        volume = host.volumes.named(self.name)
        if volume and volume.job != self.job:
            raise ConflictError(f"volume {self.name} exists and is not this job's")
        return volume is not None

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Create it."""
        volume = host.volumes.create(self.name, self.size, (*self.tags, DIRTY))
        return {"uuid": volume.uuid, "size": int(volume.size)}

    def undo(self, host: Host, tick: Tick) -> None:
        """Remove it; one that was ever clean may hold a guest's data and is wiped first."""
        volume = made_by(host, self.job)
        if volume is None:
            return
        if volume.clean or volume.name != self.name:
            volume = erase(host, volume, tick)
        host.volumes.remove(volume)

    def leftover(self) -> str:
        """What remains."""
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
    def title(self) -> str:
        """One line."""
        return f"zero {self.name}, read it back, mark it clean"

    def is_done(self, host: Host) -> bool:
        """The tag says so; it is set after the read-back only."""
        volume = host.volumes.named(self.name)
        return volume is not None and volume.job == self.job and volume.clean

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Zero, read back, then tag."""
        volume = made_by(host, self.job)
        if volume is None:
            raise HostError(f"volume {self.name} is gone")
        report = host.wiper.wipe(with_device(host, volume), tick)
        host.volumes.retag(volume, add=[CLEAN], remove=[DIRTY], at_boot=True)
        return {"wipe": encode(report)}

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
    def title(self) -> str:
        """One line."""
        return f"retire volume {self.name} to {wipe_volume(self.uuid)}"

    def is_done(self, host: Host) -> bool:
        """It has its new name and is not clean, or is gone altogether."""
        volume = host.volumes.find(self.uuid)
        return volume is None or (volume.name == wipe_volume(self.uuid) and not volume.clean)

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Rename, then tag."""
        volume = present(host, self.uuid)
        refuse_in_use(host, volume)
        _retire(host, volume)
        return {"name": wipe_volume(self.uuid)}

    def undo(self, host: Host, tick: Tick) -> None:
        """Back to its name and tag: nothing has been zeroed yet."""
        volume = host.volumes.find(self.uuid)
        if volume is None:
            return
        if volume.name != self.name:
            host.volumes.rename(volume, self.name)
        if self.was_clean:
            volume = present(host, self.uuid)
            host.volumes.retag(volume, add=[CLEAN], remove=[DIRTY], at_boot=True)

    def leftover(self) -> str:
        """What remains."""
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
    def title(self) -> str:
        """One line."""
        return f"wipe {self.name}, {self.size}, and read it back"

    def is_done(self, host: Host) -> bool:
        """Gone, or wiped."""
        volume = host.volumes.find(self.uuid)
        return volume is None or volume.wiped

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Zero, read back, then tag; an error keeps the volume, dirty."""
        volume = present(host, self.uuid)
        refuse_in_use(host, volume)
        report = _wipe(host, volume, tick)
        return {"wipe": report}

    def undo(self, host: Host, tick: Tick) -> None:
        """There is no way back from a wipe."""

    def leftover(self) -> str:
        """What remains."""
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
    def title(self) -> str:
        """One line."""
        return f"remove volume {self.name}"

    def is_done(self, host: Host) -> bool:
        """LVM knows no such volume."""
        return host.volumes.find(self.uuid) is None

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Remove it, if and only if its tag says that it holds zeroes."""
        volume = present(host, self.uuid)
        if not volume.wiped:
            raise WipeError(f"volume {volume.name} is not wiped and is kept")
        host.volumes.remove(volume)
        return {"uuid": self.uuid}

    def undo(self, host: Host, tick: Tick) -> None:
        """There is no way back."""

    def leftover(self) -> str:
        """What remains."""
        return f"volume {wipe_volume(self.uuid)}"


def made_by(host: Host, job: str) -> Volume | None:
    """Return the volume that a job made, under whatever name it has now."""
    return next((v for v in host.volumes.list() if v.ours and v.job == job), None)


def refuse_in_use(host: Host, volume: Volume) -> None:
    """Refuse a volume that a process holds, a domain names, or a snapshot hangs on.

    Raises:
        ConflictError: says which.
    """
    if volume.is_open:
        raise ConflictError(f"volume {volume.name} is open", resolution="see `lsof`, `dmsetup ls`")
    for domain in host.domains.list():
        if volume.path in domain.disks:
            raise ConflictError(f"domain {domain.name} uses volume {volume.name}")
    for other in host.volumes.list():
        if other.origin == volume.name:
            raise ConflictError(f"volume {other.name} is a snapshot of {volume.name}")


def present(host: Host, uuid: str) -> Volume:
    """Return a volume that must be there.

    Raises:
        HostError: it is not.
    """
    volume = host.volumes.find(uuid)
    if volume is None:
        raise HostError(f"no volume has the UUID {uuid} any more")
    return volume


def with_device(host: Host, volume: Volume) -> Volume:
    """Return a volume with its device number, activated if need be."""
    # Just read, and the wiper asks the kernel whose device it is: no need to ask LVM once more.
    return volume if volume.major >= 0 else host.volumes.activate(volume)


def _retire(host: Host, volume: Volume) -> Volume:
    # The name goes first: a crash in between must not leave a used volume that looks like one
    # whose making was interrupted (`guest-` and dirty), because that one needs no wipe.
    if volume.name != wipe_volume(volume.uuid):
        host.volumes.rename(volume, wipe_volume(volume.uuid))
        volume = present(host, volume.uuid)
    host.volumes.retag(volume, add=[DIRTY], remove=[CLEAN], at_boot=False)
    return present(host, volume.uuid)


def _wipe(host: Host, volume: Volume, tick: Tick) -> dict[str, object]:
    report = host.wiper.wipe(with_device(host, volume), tick)
    host.volumes.retag(volume, add=[WIPED], remove=[DIRTY], at_boot=False)
    return dict(encode(report))


def erase(host: Host, volume: Volume, tick: Tick) -> Volume:
    """Retire and wipe a volume that a tenant may have had, so that it can be removed.

    Raises:
        ConflictError: somebody uses it.
    """
    refuse_in_use(host, volume)
    if not volume.wiped:
        _wipe(host, _retire(host, volume), tick)
    return present(host, volume.uuid)
