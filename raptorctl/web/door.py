"""Who comes in: a link of one use becomes a visit, which a cookie stands for.

All of it lives in memory and in the event loop's thread. Of a cookie or a link only the digest is
kept: who reads our memory later finds nothing to come in with.
"""

import asyncio
import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from raptorctl.model.stamp import stamp

LINK_SECONDS: Final = 60.0
IDLE_SECONDS: Final = 12 * 3600.0
MOST: Final = 64
"""Links, and visits, at a time; the oldest goes first."""
BYTES: Final = 32
"""Of randomness in a link and in a cookie: nobody guesses 256 bits."""


@dataclass
class Visit:
    """One browser that came in.

    Args:
        id: what `web logout` calls it.
        who: the account that asked for its link.
        csrf: what each of its forms sends back; no other page can read it.
        browser: what it calls itself.
        since: seconds since the epoch.
        used: when it last asked for something, by the door's clock.
        sockets: how many are open for it.
        over: set when it ends: whatever is open for it ends then.
    """

    id: str
    who: str
    csrf: str
    browser: str
    since: float
    used: float
    sockets: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def encode(self) -> dict[str, Any]:
        """Return the shape that `web sessions -o json` documents."""
        return {
            "id": self.id,
            "account": self.who,
            "since": stamp(datetime.fromtimestamp(self.since, UTC)),
            "browser": self.browser,
        }


class Door:
    """Links and visits of one server.

    Args:
        clock: seconds that only go forward.
        prefix: how links and cookies begin; by it a front end knows where they are good.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, prefix: str = "") -> None:
        self._clock, self._prefix = clock, prefix
        self._links: dict[str, tuple[str, float]] = {}
        self._visits: dict[str, Visit] = {}

    def link(self, who: str) -> str:
        """Make a link's secret part, good for one use within `LINK_SECONDS`."""
        token = self._secret()
        _make_room(self._links)
        self._links[_digest(token)] = (who, self._clock() + LINK_SECONDS)
        return token

    def enter(self, token: str, browser: str = "") -> str | None:
        """Use a link up and return the cookie of a new visit; None if it is not, or not any more.

        Args:
            token: a link's secret part.
            browser: what the browser calls itself.
        """
        who, until = self._links.pop(_digest(token), ("", 0.0))
        if self._clock() >= until:
            return None
        cookie = self._secret()
        if len(self._visits) >= MOST:
            self._end(min(self._visits, key=lambda key: self._visits[key].used))
        self._visits[_digest(cookie)] = Visit(
            secrets.token_hex(4),
            who,
            secrets.token_urlsafe(BYTES),
            browser[:200],
            time.time(),
            self._clock(),
        )
        return cookie

    def visit(self, cookie: str) -> Visit | None:
        """Return the visit that a cookie stands for; asking counts as use."""
        self.sweep()
        found = self._visits.get(_digest(cookie)) if cookie else None
        if found:
            self.used(found)
        return found

    def used(self, visit: Visit) -> None:
        """Have a visit go on: somebody is there."""
        visit.used = self._clock()

    @property
    def visits(self) -> tuple[Visit, ...]:
        """Those that are open, oldest first."""
        self.sweep()
        return tuple(self._visits.values())

    @property
    def awaits(self) -> bool:
        """Whether somebody is logged in, or may be with a link that is still good."""
        now = self._clock()
        return bool(self.visits) or any(now < until for _, until in self._links.values())

    def end(self, chosen: Callable[[Visit], bool]) -> int:
        """End visits, with all that is open for them; returns how many."""
        going = [key for key, visit in self._visits.items() if chosen(visit)]
        for key in going:
            self._end(key)
        return len(going)

    def sweep(self) -> None:
        """End what nobody has used for `IDLE_SECONDS`."""
        now = self._clock()
        self.end(lambda visit: now - visit.used >= IDLE_SECONDS)

    def _secret(self) -> str:
        return self._prefix + secrets.token_urlsafe(BYTES)

    def _end(self, key: str) -> None:
        self._visits.pop(key).over.set()


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _make_room(kept: dict[str, tuple[str, float]]) -> None:
    while len(kept) >= MOST:
        del kept[next(iter(kept))]
