"""What may be asked of network interfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from raptorctl.model.slot import Bridge


class Links(Protocol):
    """Network interfaces."""

    def bridges(self) -> tuple[Bridge, ...]:
        """Return every bridge."""
