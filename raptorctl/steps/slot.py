"""Slots: a domain's place on the network, checked once it is defined."""

from dataclasses import dataclass

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.errors import ConflictError, HostError
from raptorctl.model.override import override
from raptorctl.steps.step import Observed, Step


@dataclass(frozen=True)
class TakeSlot(Step):
    """Make sure that a bridge and its MAC belong to one domain only.

    The domain's definition is what takes the slot; the plan was made under the lock, but a domain
    made by hand at the same moment asks nobody, so all definitions are read again.

    Args:
        number: the slot.
        bridge: its bridge.
        mac: its MAC address.
        uuid: the domain that takes it.
    """

    number: int
    bridge: str
    mac: str
    uuid: str

    kind = "slot.take"

    @property
    @override
    def title(self) -> str:
        return f"take slot {self.number} ({self.bridge}, {self.mac})"

    def is_done(self, host: Host) -> bool:
        """Always looked at anew."""
        return False

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Look for the bridge, and for anybody else on it."""
        bridge = next((b for b in host.links.bridges() if b.name == self.bridge), None)
        if bridge is None or not bridge.up:
            raise HostError(f"bridge {self.bridge} is {'down' if bridge else 'not there'}")
        for domain in host.domains.list():
            if domain.uuid != self.uuid and (
                self.mac in domain.held_macs or self.bridge in domain.held_bridges
            ):
                raise ConflictError(f"domain {domain.name} has taken slot {self.number}")
        return {}

    def undo(self, host: Host, tick: Tick) -> None:
        """The slot is free once the domain is gone."""
