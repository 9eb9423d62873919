"""Slots x machines: who has which place on the network."""

from dataclasses import dataclass
from typing import Any

from raptorctl.model.codec import encode
from raptorctl.model.slot import Bridge, Slot


@dataclass(frozen=True)
class SlotUse:
    """One slot, and who has it.

    Args:
        slot: as the settings lay it out.
        bridge: as the kernel has it, or None.
        holders: domains by name; volumes and unfinished jobs in words. More than one is a fault.
    """

    slot: Slot
    bridge: Bridge | None
    holders: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """`up`, `down` or `missing`: the bridge's."""
        if self.bridge is None:
            return "missing"
        return "up" if self.bridge.up else "down"

    @property
    def free(self) -> bool:
        """Whether provision would take it."""
        return self.state == "up" and not self.holders

    def encode(self) -> dict[str, Any]:
        """Return the shape that `slot list -o json` documents."""
        return {
            "slot": self.slot.number,
            "free": self.free,
            "holders": list(self.holders),
            "bridge": self.slot.bridge,
            "bridge_state": self.state,
            "mac": self.slot.mac,
            "ipv4": encode(self.slot.ipv4),
            "ipv6": encode(self.slot.ipv6),
        }
