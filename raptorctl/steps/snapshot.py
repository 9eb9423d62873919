"""Snapshots: taken, put back, split off their machine's volume to be wiped and removed.

What a snapshot keeps is its tenant's data, so its space is wiped like any volume's: splitting it
off makes it one, under the same UUID, and from then on it goes the way of a retired volume.
"""

from dataclasses import dataclass

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.errors import ConflictError
from raptorctl.model.codec import encode
from raptorctl.model.override import override
from raptorctl.model.sizes import Size
from raptorctl.model.volume import RESTORED, Volume
from raptorctl.steps.domain import RestoreDomain, UndefineDomain
from raptorctl.steps.pause import refuse_running
from raptorctl.steps.step import Observed, Step
from raptorctl.steps.volume_use import erase, made_by, present, with_device


@dataclass(frozen=True)
class TakeSnapshot(Step):
    """Keep what a volume holds now; from then on its changes take room elsewhere.

    Args:
        job: the job that makes it.
        uuid: LVM's identifier of the volume.
        origin: that volume's name.
        name: the snapshot's volume.
        size: bytes of room for what changes, a multiple of the group's extent.
        tags: ownership tags.
    """

    job: str
    uuid: str
    origin: str
    name: str
    size: Size
    tags: tuple[str, ...]

    kind = "snapshot.take"

    @property
    @override
    def title(self) -> str:
        return f"take snapshot {self.name} of {self.origin}, {self.size}"

    def is_done(self, host: Host) -> bool:
        """It is there and this job made it."""
        snapshot = host.volumes.named(self.name)
        if snapshot and snapshot.job != self.job:
            raise ConflictError(f"volume {self.name} exists and is not this job's")
        return snapshot is not None

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Take it."""
        origin = present(host, self.uuid)
        made = host.volumes.snapshot(origin, self.name, self.size, self.tags, tick)
        return {"uuid": made.uuid, "size": int(made.size)}

    def undo(self, host: Host, tick: Tick) -> None:
        """Split it off, wipe it, remove it: the guest may have written meanwhile."""
        snapshot = made_by(host, self.job, self.name)
        if snapshot:
            host.volumes.split(snapshot)
            host.volumes.remove(erase(host, present(host, snapshot.uuid), tick))

    @override
    def leftover(self) -> str:
        return f"volume {self.name} (or its wipe- name) of job {self.job}"


@dataclass(frozen=True)
class TakeStill(TakeSnapshot):
    """Keep what one of several disks holds, all at one moment: their machine must not run.

    Args:
        domain: libvirt's identifier of the machine.
    """

    domain: str

    kind = "snapshot.still"

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Take it, unless the machine runs, before or after.

        Raises:
            ConflictError: it does.
        """
        refuse_running(host, self.domain)
        seen = super().apply(host, tick)
        refuse_running(host, self.domain)
        return seen


@dataclass(frozen=True)
class SplitSnapshot(Step):
    """Make a snapshot a volume of its own. There is no way back: it is not a snapshot any more.

    Args:
        uuid: LVM's identifier.
        name: the snapshot's volume.
        origin: the volume that it is a snapshot of.
    """

    uuid: str
    name: str
    origin: str

    kind = "snapshot.split"
    reversible = False

    @property
    @override
    def title(self) -> str:
        return f"split {self.name} off {self.origin}"

    def is_done(self, host: Host) -> bool:
        """It is a volume of its own, or gone."""
        snapshot = host.volumes.find(self.uuid)
        return snapshot is None or not snapshot.origin

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Split it off."""
        host.volumes.split(present(host, self.uuid))
        return {"uuid": self.uuid}

    def undo(self, host: Host, tick: Tick) -> None:
        """There is no way back."""

    @override
    def leftover(self) -> str:
        return f"snapshot {self.name}"


@dataclass(frozen=True)
class WithdrawDomain(UndefineDomain):
    """Take a domain that is off away from its tenant, who could start it while its disk changes.

    Args:
        job: the job.
        volume: LVM's identifier of its disk, which tells when that is over.
    """

    job: str
    volume: str

    kind = "domain.withdraw"

    @property
    @override
    def title(self) -> str:
        return f"undefine domain {self.name} for the time being"

    def is_done(self, host: Host) -> bool:
        """It has no definition, or its disk is restored already."""
        return present(host, self.volume).restored == self.job or super().is_done(host)

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Undefine it, unless somebody has started it meanwhile.

        Raises:
            ConflictError: it runs.
        """
        domain = host.domains.find(self.uuid)
        if domain and domain.state.active:
            raise ConflictError(f"domain {self.name} was started meanwhile")
        return super().apply(host, tick)


@dataclass(frozen=True)
class RestoreVolume(Step):
    """Put back what a snapshot shows. What the volume held since then is lost.

    Args:
        job: the job.
        uuid: LVM's identifier of the volume.
        name: that volume's name.
        snapshot: LVM's identifier of the snapshot.
        snapshot_name: that volume's name.
    """

    job: str
    uuid: str
    name: str
    snapshot: str
    snapshot_name: str

    kind = "volume.restore"
    reversible = False

    @property
    @override
    def title(self) -> str:
        return f"put back into {self.name} what {self.snapshot_name} shows"

    @property
    @override
    def destroys(self) -> str:
        return f"what volume {self.name} holds since {self.snapshot_name}"

    def is_done(self, host: Host) -> bool:
        """The volume's tag says so."""
        return present(host, self.uuid).restored == self.job

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Compare, write what differs, read it back, then tag."""
        volume, snapshot = present(host, self.uuid), present(host, self.snapshot)
        _refuse_unfit(volume, snapshot)
        report = host.copier.restore(with_device(host, volume), with_device(host, snapshot), tick)
        old = [tag for tag in volume.tags if tag.startswith(RESTORED)]
        host.volumes.retag(volume, add=[RESTORED + self.job], remove=old, at_boot=True)
        return {"restored": encode(report)}

    def undo(self, host: Host, tick: Tick) -> None:
        """There is no way back."""

    @override
    def leftover(self) -> str:
        return f"volume {self.name}, perhaps half restored"


@dataclass(frozen=True)
class ReturnDomain(RestoreDomain):
    """Give a domain that was withdrawn back to its tenant."""

    kind = "domain.return"

    @property
    @override
    def title(self) -> str:
        return f"define domain {self.name} again"


def _refuse_unfit(volume: Volume, snapshot: Volume) -> None:
    if snapshot.origin != volume.name or snapshot.invalid:
        raise ConflictError(f"volume {snapshot.name} shows nothing of {volume.name} any more")
    if volume.is_open:
        raise ConflictError(f"volume {volume.name} is open", resolution="see `lsof`, `dmsetup ls`")
