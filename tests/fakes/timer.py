"""Timers of systemd in memory."""

from raptorctl.errors import HostError


class FakeTimers:
    """Timers: `all` are those that wait, with their moments.

    Where `there` is false, there is no systemd; one that is `broken` says that.
    """

    def __init__(self) -> None:
        self.all: dict[str, str] = {}
        self.there = True
        self.broken = ""

    def works(self) -> bool:
        return self.there

    def is_set(self, name: str) -> bool:
        return name in self.all

    def set(self, name: str, at: str) -> None:
        if self.broken:
            raise HostError(self.broken)
        assert name not in self.all, "systemd refuses a second unit of a name"
        self.all[name] = at

    def cancel(self, name: str) -> None:
        self.all.pop(name, None)
