"""Bridges in memory."""

from collections.abc import Sequence
from functools import cache

from raptorctl.model.slot import Bridge, Routing, Slot
from raptorctl.render.seed_iso import read_iso


class FakeLinks:
    def __init__(self) -> None:
        self.all = tuple(Bridge(f"br-vm{n}", up=True) for n in range(1, 6))

    def bridges(self) -> tuple[Bridge, ...]:
        return self.all

    def ways(self, slots: Sequence[Slot]) -> tuple[Routing, ...]:
        return tuple(
            Routing(tuple(map(str, slot.addresses)), ("IPv4", "IPv6"), ("eth0",), ("eth0",))
            for slot in slots
        )


@cache
def _said(path: str, text: tuple[str, int]) -> tuple[str, int]:
    """What a file says; an ISO says besides when it was made, to the second."""
    said, mode = text
    return (read_iso(said.encode("latin-1")).digest if ".iso" in path else said, mode)
