"""Timers: `raptorctl expire` runs at a moment, and not only in its hour."""

from dataclasses import dataclass
from datetime import UTC, datetime

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.model.override import override
from raptorctl.model.stamp import stamp
from raptorctl.steps.step import Observed, Step


@dataclass(frozen=True)
class SetTimer(Step):
    """Have systemd run `raptorctl expire` at a moment.

    Args:
        name: the timer's, which has a job's identifier in it: no other job's is touched.
        at: UTC, ISO 8601.
    """

    name: str
    at: str

    kind = "timer.set"

    @property
    @override
    def title(self) -> str:
        return f"set a timer for {self.at}"

    def is_done(self, host: Host) -> bool:
        """Whether it waits for its moment."""
        return host.timers.is_set(self.name)

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Set it."""
        host.timers.set(self.name, self.at)
        return {"timer": self.name}

    def undo(self, host: Host, tick: Tick) -> None:
        """Cancel it."""
        host.timers.cancel(self.name)

    @override
    def leftover(self) -> str:
        return f"{self.name}.timer"


@dataclass(frozen=True)
class CancelTimer(Step):
    """Cancel such a timer; one whose moment is over is gone by itself.

    Args:
        name: the timer's.
        at: UTC, ISO 8601.
    """

    name: str
    at: str

    kind = "timer.cancel"

    @property
    @override
    def title(self) -> str:
        return f"cancel the timer for {self.at}"

    def is_done(self, host: Host) -> bool:
        """Whether none is there."""
        return not host.timers.is_set(self.name)

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Cancel it."""
        host.timers.cancel(self.name)
        return {"timer": self.name}

    def undo(self, host: Host, tick: Tick) -> None:
        """Set it again, unless its moment is over: systemd takes one that never comes."""
        if self.at > stamp(datetime.now(UTC)) and not host.timers.is_set(self.name):
            host.timers.set(self.name, self.at)

    @override
    def leftover(self) -> str:
        return f"{self.name}.timer"
