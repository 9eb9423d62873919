"""What may be asked of network interfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from raptorctl.model.slot import Bridge, Routing, Slot


class Links(Protocol):
    """Network interfaces."""

    def bridges(self) -> tuple[Bridge, ...]:
        """Return every bridge."""

    def ways(self, slots: Sequence[Slot]) -> tuple[Routing, ...]:
        """Return how packets get from and to each slot; what cannot be seen is not there."""
