"""How many connections an account may have, and how fast it may make them."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

EACH: Final = 10
"""Connections of a tenant at a time. libvirtd has 20 workers, and 5,000 clients, for all."""
ALL: Final = 400
"""Connections of all tenants at a time; root's and admins' do not count."""
TRUSTED: Final = 200
"""Connections of root, and of each admin."""
BURST: Final = 50
PER_SECOND: Final = 20.0
"""New connections of a tenant: so many at once, and so many a second on average."""


@dataclass
class Room:
    """Counts connections.

    Args:
        is_trusted: whether an account is root or an admin.
        now: seconds, of a clock that only goes forward.
    """

    is_trusted: Callable[[int], bool]
    now: Callable[[], float] = time.monotonic
    held: Counter[int] = field(default_factory=Counter)
    _tenants: int = 0
    _by_process: dict[int, tuple[int, bool]] = field(default_factory=dict)
    _tokens: dict[int, tuple[float, float]] = field(default_factory=dict)

    def admits(self, uid: int) -> bool:
        """Return whether one more connection of an account may be made; it is paid for."""
        if self.is_trusted(uid):
            return self.held[uid] < TRUSTED
        return self._pay(uid) and self.held[uid] < EACH and self._tenants < ALL

    def enter(self, uid: int, process: int) -> None:
        """Count a connection, by the process that carries it."""
        trusted = self.is_trusted(uid)
        self.held[uid] += 1
        self._tenants += not trusted
        self._by_process[process] = (uid, trusted)

    def leave(self, process: int) -> None:
        """Forget a connection."""
        uid, trusted = self._by_process.pop(process)
        self._tenants -= not trusted
        self.held[uid] -= 1
        if not self.held[uid]:
            del self.held[uid]

    def _pay(self, uid: int) -> bool:
        now = self.now()
        tokens, then = self._tokens.get(uid, (float(BURST), now))
        tokens = min(float(BURST), tokens + (now - then) * PER_SECOND)
        pays = tokens >= 1
        self._tokens[uid] = (tokens - pays, now)
        return pays
