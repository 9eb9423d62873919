"""Slots x machines: who has which place on the network."""

from dataclasses import dataclass
from typing import Any

from raptorctl.model.codec import encode
from raptorctl.model.record import Record
from raptorctl.model.slot import Bridge, Routing, Slot


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


@dataclass(frozen=True)
class SlotDetails:
    """All that `slot show` tells of one slot.

    Args:
        use: the slot, and who has it.
        way: how packets get there.
        pointers: of its addresses, where the name of each is in DNS, as far as we have the zones.
        records: what is there now.
        dns_problem: why that is not known, or "".
    """

    use: SlotUse
    way: Routing
    pointers: tuple[tuple[str, str], ...] = ()
    records: tuple[Record, ...] = ()
    dns_problem: str = ""

    @property
    def lacks(self) -> tuple[str, ...]:
        """Why its addresses do not reach its machine."""
        return tuple(self.way.lacks(self.use.slot))

    @property
    def names(self) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
        """Each address, where its name is, and what it is called there."""
        found = [(one.name, one.value) for one in self.records if one.type == "PTR"]
        return tuple(
            (address, pointer, tuple(value for name, value in found if name == pointer))
            for address, pointer in self.pointers
        )

    def encode(self) -> dict[str, Any]:
        """Return the shape that `slot show -o json` documents."""
        known = not self.dns_problem
        return {
            **self.use.encode(),
            "ptr": [
                {"address": address, "name": pointer, "values": list(values) if known else None}
                for address, pointer, values in self.names
            ],
            "routed": list(self.way.routed),
            "forwards": list(self.way.forwards),
            "proxy_arp": list(self.way.arp),
            "proxy_ndp": list(self.way.ndp),
            "lacks": list(self.lacks),
        }
