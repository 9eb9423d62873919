"""Disks of machines that are taken away and kept for a while: renamed and tagged, and back again.

Not a byte of them changes. Their names say that they are kept disks, which frees their machine's.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.errors import ConflictError
from raptorctl.model.override import override
from raptorctl.model.volume import DUE, Volume
from raptorctl.steps.domain import StopDomain
from raptorctl.steps.step import Observed, Step
from raptorctl.steps.volume_use import present, refuse_in_use


@dataclass(frozen=True)
class MoveVolume(Step):
    """Give a volume that nobody uses another name and other tags.

    Args:
        uuid: LVM's identifier.
        before, name: what it is called so far, and to be called.
        add, remove: tags.
    """

    uuid: str
    before: str
    name: str
    add: tuple[str, ...]
    remove: tuple[str, ...] = ()

    def is_done(self, host: Host) -> bool:
        """It is called and tagged so. One that only gets tags, a later step may have renamed."""
        return self._is_so(present(host, self.uuid))

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Rename it, then tag it."""
        volume = present(host, self.uuid)
        if not volume.clean or volume.name not in {self.before, self.name}:
            raise ConflictError(f"volume {volume.name} is not as it was")
        refuse_in_use(host, volume)
        _become(host, volume, self.name, (self.add, self.remove))
        return {"name": self.name}

    def undo(self, host: Host, tick: Tick) -> None:
        """Give it back its name and its tags."""
        volume = host.volumes.find(self.uuid)
        if volume and volume.name in {self.before, self.name}:
            _become(host, volume, self.before, (self.remove, self.add))

    @override
    def leftover(self) -> str:
        return f"volume {self.before} or {self.name}, kept"

    def _is_so(self, volume: Volume) -> bool:
        there, called = set(volume.tags), self.name in {self.before, volume.name}
        return called and {*self.add} <= there and not there & {*self.remove}


class KeepVolume(MoveVolume):
    """Keep a disk of a machine that goes."""

    kind = "volume.keep"

    @property
    @override
    def title(self) -> str:
        as_ = f" as {self.name}" if self.name != self.before else ""
        return f"keep volume {self.before}{as_}"

    @override
    def is_done(self, host: Host) -> bool:
        """It is called and tagged so; or gone: a job that is finished late has none to keep."""
        volume = host.volumes.find(self.uuid)
        return volume is None or self._is_so(volume)


class ReturnVolume(MoveVolume):
    """Have a disk be its machine's again."""

    kind = "volume.return"

    @property
    @override
    def title(self) -> str:
        as_ = f" as {self.name}" if self.name != self.before else ""
        return f"take back volume {self.before}{as_}"


class ExpireDomain(StopDomain):
    """Stop a domain whose time is over; begun once, it is not started again."""

    kind = "domain.expire"
    reversible = False

    @override
    def undo(self, host: Host, tick: Tick) -> None:
        """There is no way back: its guest has been told to shut down."""

    @override
    def leftover(self) -> str:
        return f"domain {self.name}, which has expired and may run"


@dataclass(frozen=True)
class NoteDue(Step):
    """Note the first look that found a kept disk to be due, or that it is not due after all.

    Args:
        uuid: LVM's identifier.
        name: the volume's.
        before, look: what was noted so far, and is to be; "" for nothing.
    """

    uuid: str
    name: str
    before: str
    look: str

    kind = "volume.note-due"

    @property
    @override
    def title(self) -> str:
        return f"note that {self.name} is {'due' if self.look else 'not due'} for its wipe"

    def is_done(self, host: Host) -> bool:
        """Its tag says so, or it is gone."""
        volume = host.volumes.find(self.uuid)
        return volume is None or volume.due == self.look

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Tag it."""
        self._tag(host, present(host, self.uuid), self.look)
        return {}

    def undo(self, host: Host, tick: Tick) -> None:
        """Tag it as before."""
        if volume := host.volumes.find(self.uuid):
            self._tag(host, volume, self.before)

    def _tag(self, host: Host, volume: Volume, look: str) -> None:
        if volume.due != look:
            add = [f"{DUE}{look}"] if look else []
            remove = [f"{DUE}{volume.due}"] if volume.due else []
            host.volumes.retag(volume, add=add, remove=remove, at_boot=True)


def _become(
    host: Host, volume: Volume, name: str, tags: tuple[Iterable[str], Iterable[str]]
) -> None:
    add = [tag for tag in tags[0] if tag not in volume.tags]
    remove = [tag for tag in tags[1] if tag in volume.tags]
    if volume.name != name:
        volume = host.volumes.rename(volume, name, read_back=not (add or remove))
    if add or remove:
        host.volumes.retag(volume, add=add, remove=remove, at_boot=True)
