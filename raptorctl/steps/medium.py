"""A machine's CD drive: its own copy of an ISO, what is in the drive, and the copy's end."""

from dataclasses import dataclass

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.errors import HostError
from raptorctl.model.image import Image
from raptorctl.model.medium import copied_for, label
from raptorctl.model.override import override
from raptorctl.steps.file import RemoveFile
from raptorctl.steps.step import Observed, Step


@dataclass(frozen=True)
class CopyMedium(Step):
    """Copy an ISO out of the cache, for one machine.

    Args:
        path: the copy, whose name tells its machine and the image.
        image: from the cache.
    """

    path: str
    image: Image

    kind = "medium.copy"

    @property
    @override
    def title(self) -> str:
        return f"copy image {self.image.name}, {self.image.size}, for {copied_for(self.path)}"

    def is_done(self, host: Host) -> bool:
        """It is there, and as long as the image: it took its place when it was whole."""
        return host.files.size(self.path) == self.image.size

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Copy it, whole or not at all; its digest is compared meanwhile."""
        host.images.copy(self.image, self.path, tick)
        if not self.is_done(host):
            raise HostError(f"{self.path} is not as long as image {self.image.name}")
        return {"path": self.path, "digest": self.image.digest}

    def undo(self, host: Host, tick: Tick) -> None:
        """Remove it, also what was half written of it."""
        host.files.remove(self.path)

    @override
    def leftover(self) -> str:
        return self.path


class RemoveMedium(RemoveFile):
    """Remove a machine's copy of an ISO: no drive holds it any more."""

    kind = "medium.remove"
    destroys = Step.destroys

    @property
    @override
    def title(self) -> str:
        return f"remove the copy of {label(self.path)} for {copied_for(self.path)}"


@dataclass(frozen=True)
class ChangeMedium(Step):
    """Change what is in the drive of a machine that runs; its definition says the same by then.

    Args:
        name: the domain's.
        uuid: libvirt's identifier.
        paths: the file in it so far, and to be; "" for none.
        drives: the drive's `<disk>` element, likewise.
    """

    name: str
    uuid: str
    paths: tuple[str, str]
    drives: tuple[str, str]

    kind = "medium.change"

    @property
    @override
    def title(self) -> str:
        path = self.paths[1]
        act = f"insert {label(path)} into" if path else f"eject {label(self.paths[0])} from"
        return f"{act} the CD drive of {self.name}"

    def is_done(self, host: Host) -> bool:
        """It is so, or does not run: then its next start brings it."""
        return self._is(host, self.paths[1], self.paths[0])

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Change it, and look."""
        host.domains.change_medium(self.uuid, self.drives[1])
        if not self.is_done(host):
            raise HostError(f"libvirt did not change what is in the CD drive of {self.name}")
        return {"path": self.paths[1]}

    def undo(self, host: Host, tick: Tick) -> None:
        """Put back what was in it."""
        if not self._is(host, self.paths[0], self.paths[1]):
            host.domains.change_medium(self.uuid, self.drives[0])

    @override
    def leftover(self) -> str:
        return f"domain {self.name}, with or without {self.paths[1] or self.paths[0]}"

    def _is(self, host: Host, path: str, other: str) -> bool:
        domain = host.domains.find(self.uuid)
        if domain is None or not domain.state.active:
            return True
        if path:
            return host.domains.plugged(self.uuid, path)
        return not host.domains.plugged(self.uuid, other)
