"""What steps may ask of a host about disks of running domains; `drivers` has the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from raptorctl.host.tick import Tick


class Disks(Protocol):
    """Disks of running domains."""

    def plugged(self, uuid: str, path: str) -> bool:
        """Whether it runs and has that file as a disk."""

    def plug(self, uuid: str, xml: str) -> None:
        """Give a running domain the disk of a `<disk>` element."""

    def unplug(self, uuid: str, path: str, tick: Tick) -> None:
        """Take the disk that is that file from a running domain, whose system must let go of it.

        Raises:
            HostError: it does not.
        """
