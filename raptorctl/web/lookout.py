"""One look at the host for all tabs: read every few seconds while somebody watches."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from starlette.concurrency import run_in_threadpool

from raptorctl.api.machine import listed
from raptorctl.api.session import Session
from raptorctl.errors import RaptorError
from raptorctl.model.job import Job
from raptorctl.model.machine import Machine
from raptorctl.model.names import MachineName

LOG: Final = logging.getLogger("uvicorn.error")
"""Which `raptorctl.web.serve` writes to a file."""
BEAT: Final = 3.0  # seconds between two looks
REST: Final = 9.0
"""Times as long as a look takes, nobody looks: polkit is asked of each domain for a tenant, and on
a host with hundreds that is a second of it (docs/web.md)."""


@dataclass(frozen=True)
class Glimpse:
    """What changes by itself.

    Args:
        machines: those that the caller sees, by name.
        jobs: that are at work, or unfinished; admins see them.
        problem: why the host did not answer, or "".
    """

    machines: tuple[Machine, ...] = ()
    jobs: tuple[Job, ...] = ()
    problem: str = ""

    def machine(self, name: MachineName) -> Machine | None:
        """The one of that name."""
        return next((one for one in self.machines if one.name == name), None)


def glimpse(session: Session) -> Glimpse:
    """Look: one report of volumes, one bulk call to libvirt, the journals that are open."""
    try:
        jobs = _open_jobs(session) if session.is_root else ()
        return Glimpse(tuple(listed(session)), jobs)
    except RaptorError as error:
        return Glimpse(problem=str(error))


def _open_jobs(session: Session) -> tuple[Job, ...]:
    journals = session.journals
    return tuple(journals.read(path).job() for path in journals.open_files())


@dataclass
class Lookout:
    """Looks for everybody.

    Args:
        look: at the host; it may take a while, and is called in a thread.
        beat: seconds between two looks.
        looks: how many there were.
    """

    look: Callable[[], Glimpse]
    beat: float = BEAT
    looks: int = 0
    _last: Glimpse | None = None
    _at: float = 0.0
    _took: float = 0.0
    _watchers: set[asyncio.Event] = field(default_factory=set)
    _somebody: asyncio.Event = field(default_factory=asyncio.Event)
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def now(self) -> Glimpse:
        """Return what was seen within the last beat; look, if nobody has."""
        async with self._one:
            if self._last is None or time.monotonic() - self._at >= self.rest:
                await self._look()
            return self._last or Glimpse()

    @contextmanager
    def watching(self) -> Iterator[asyncio.Event]:
        """Have the host watched; the event is set when something changed."""
        event = asyncio.Event()
        self._watchers.add(event)
        self._somebody.set()
        try:
            yield event
        finally:
            self._watchers.discard(event)
            if not self._watchers:
                self._somebody.clear()

    def stir(self) -> None:
        """Wake all who watch: something of ours has changed."""
        for event in self._watchers:
            event.set()

    def forget(self) -> None:
        """Have the next question answered by a look of its own: the host was changed."""
        self._at = 0.0

    async def run(self) -> None:
        """Look, as long as anybody watches; without end."""
        while True:
            await self._somebody.wait()
            before = self._last
            if await self.now() != before:
                self.stir()
            await asyncio.sleep(self.rest)

    @property
    def rest(self) -> float:
        """Seconds until the next look: a tenth of the time is spent on looks, at most."""
        return max(self.beat, REST * self._took)

    async def _look(self) -> None:
        self.looks += 1
        begun = time.monotonic()
        try:
            self._last = await run_in_threadpool(self.look)
        except Exception as error:  # what nobody foresaw ends no tab's watch for good
            LOG.exception("the host could not be looked at")
            self._last = Glimpse(problem=f"unexpected {type(error).__name__}: {error}")
        self._at = time.monotonic()
        self._took = self._at - begun
