"""Further disks: taken up as they were kept, plugged into a machine that runs, unplugged."""

from dataclasses import dataclass

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.errors import ConflictError, HostError
from raptorctl.model.override import override
from raptorctl.model.volume import DISK, KEEP, Volume
from raptorctl.steps.seed import DetachSeed
from raptorctl.steps.step import Observed, Step
from raptorctl.steps.volume_use import present, refuse_in_use


@dataclass(frozen=True)
class TakeUpDisk(Step):
    """Give a kept disk to a machine: by its name, and not a byte of it changes.

    Args:
        uuid: the volume's identifier.
        before, name: of the volume, so far and to be.
        disks: what its machines call it, so far and to be.
    """

    uuid: str
    before: str
    name: str
    disks: tuple[str, ...]

    kind = "disk.take-up"

    @property
    @override
    def title(self) -> str:
        as_ = f" as {self.name}" if self.name != self.before else ""
        return f"take up {self.before}{as_}"

    def is_done(self, host: Host) -> bool:
        """It is called so, by its name and by its tag."""
        volume = present(host, self.uuid)
        return (volume.name, volume.disk) == (self.name, self.disks[-1])

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Rename it, where it is kept and nobody uses it, and tag it."""
        volume = present(host, self.uuid)
        if not (volume.kept and volume.clean):
            raise ConflictError(f"volume {volume.name} is no kept disk any more")
        refuse_in_use(host, volume)
        self._call(host, volume, self.name, self.disks[-1])
        return {"name": self.name}

    def undo(self, host: Host, tick: Tick) -> None:
        """Give it its name back; it stays kept."""
        volume = host.volumes.find(self.uuid)
        if volume and volume.name in {self.before, self.name}:
            self._call(host, volume, self.before, self.disks[0])

    @override
    def leftover(self) -> str:
        return f"volume {self.before} or {self.name}, kept"

    def _call(self, host: Host, volume: Volume, name: str, disk: str) -> None:
        if volume.name != name:
            volume = host.volumes.rename(volume, name, read_back=volume.disk == disk)
        if volume.disk != disk:
            old = [f"{DISK}{volume.disk}"]
            host.volumes.retag(volume, add=[f"{DISK}{disk}"], remove=old, at_boot=True)


@dataclass(frozen=True)
class KeepDisk(Step):
    """Have a disk outlive its machine, or not.

    Args:
        uuid: the volume's identifier.
        name: its name.
        keep: which.
    """

    uuid: str
    name: str
    keep: bool

    kind = "disk.keep"

    @property
    @override
    def title(self) -> str:
        return f"have {self.name} {'outlive' if self.keep else 'go with'} its machine"

    def is_done(self, host: Host) -> bool:
        """Its tag says so."""
        return present(host, self.uuid).kept == self.keep

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Tag it."""
        self._tag(host, present(host, self.uuid), keep=self.keep)
        return {"keep": self.keep}

    def undo(self, host: Host, tick: Tick) -> None:
        """Tag it as before: it was the other way, or there would have been nothing to do."""
        if volume := host.volumes.find(self.uuid):
            self._tag(host, volume, keep=not self.keep)

    @override
    def leftover(self) -> str:
        return f"volume {self.name}, kept or not"

    def _tag(self, host: Host, volume: Volume, *, keep: bool) -> None:
        add, remove = ([KEEP], []) if keep else ([], [KEEP])
        host.volumes.retag(volume, add=add, remove=remove, at_boot=True)


@dataclass(frozen=True)
class PlugDisk(Step):
    """Plug a disk into a machine that runs; its definition has it by then.

    Args:
        name: the domain's.
        uuid: libvirt's identifier.
        path: the disk's device or file.
        xml: its `<disk>` element.
    """

    name: str
    uuid: str
    path: str
    xml: str

    kind = "disk.plug"

    @property
    @override
    def title(self) -> str:
        return f"plug {self.path} into {self.name}"

    def is_done(self, host: Host) -> bool:
        """It has it, or does not run: then its next start brings it."""
        domain = host.domains.find(self.uuid)
        runs = domain is not None and domain.state.active
        return not runs or host.domains.plugged(self.uuid, self.path)

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Plug it in, and look."""
        host.domains.plug(self.uuid, self.xml)
        if not self.is_done(host):
            raise HostError(f"libvirt did not plug {self.path} into {self.name}")
        return {}

    def undo(self, host: Host, tick: Tick) -> None:
        """Unplug it, and wait until the guest has let go of it."""
        if host.domains.plugged(self.uuid, self.path):
            host.domains.unplug(self.uuid, self.path, tick)

    @override
    def leftover(self) -> str:
        return f"domain {self.name}, with or without {self.path}"


class UnplugDisk(DetachSeed):
    """Take a disk from a machine that runs; its definition has lost it by then."""

    kind = "disk.unplug"

    @property
    @override
    def title(self) -> str:
        return f"unplug {self.path} from {self.name}"
