"""A machine that runs stands still for a while, so that all its disks are of one moment."""

from dataclasses import dataclass

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.errors import ConflictError
from raptorctl.model.override import override
from raptorctl.steps.step import Observed, Step


@dataclass(frozen=True)
class PauseDomain(Step):
    """Stop the virtual CPUs of a domain that runs.

    Args:
        name: the domain's.
        uuid: libvirt's identifier.
    """

    name: str
    uuid: str

    kind = "domain.pause"

    @property
    @override
    def title(self) -> str:
        return f"suspend {self.name}"

    def is_done(self, host: Host) -> bool:
        """It does not run."""
        domain = host.domains.find(self.uuid)
        return domain is None or not domain.state.runs

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Suspend it: QEMU then writes back all that it holds of its disks."""
        host.domains.suspend(self.uuid)
        return {}

    def undo(self, host: Host, tick: Tick) -> None:
        """Let it go on, if it still stands."""
        go_on(host, self.uuid)

    @override
    def leftover(self) -> str:
        return f"domain {self.name}, perhaps suspended"


@dataclass(frozen=True)
class UnpauseDomain(Step):
    """Let a domain go on that was suspended for a while.

    Args:
        name: the domain's.
        uuid: libvirt's identifier.
    """

    name: str
    uuid: str

    kind = "domain.unpause"

    @property
    @override
    def title(self) -> str:
        return f"let {self.name} go on"

    def is_done(self, host: Host) -> bool:
        """It does not stand still: it goes on, or somebody has switched it off."""
        domain = host.domains.find(self.uuid)
        return domain is None or not domain.state.stands_still

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Let it go on."""
        go_on(host, self.uuid)
        return {}

    def undo(self, host: Host, tick: Tick) -> None:
        """It goes on."""


def go_on(host: Host, uuid: str) -> None:
    """Let a domain go on that stands still; any other is left alone."""
    domain = host.domains.find(uuid)
    if domain and domain.state.stands_still:
        host.domains.resume(uuid)


def refuse_running(host: Host, uuid: str) -> None:
    """Refuse a domain that has to stand still, and runs; "" is none.

    Raises:
        ConflictError: somebody has started it, or let it go on.
    """
    domain = host.domains.find(uuid) if uuid else None
    if domain and domain.state.active and not domain.state.stands_still:
        raise ConflictError(
            f"{domain.name} was started meanwhile: what it has on its disks is of no one moment",
            resolution="try it again",
        )
