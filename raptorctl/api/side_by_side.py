"""Several machines worked on at once: each begins where the one before it stands aside.

What changes the host goes in order, one job after the other, as the host's lock wants it; what
only takes long (a boot, steps, a shutdown, a wipe after the point of no return) goes on beside
the others. Each has drivers of its own, as if another raptorctl did it.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from raptorctl.engine.stop import Stop

T = TypeVar("T")

Work = Callable[[Callable[[], None]], T]
"""Done in a thread of its own; calls what it is given once others need not wait for it."""

MOST: Final = 16
"""At work at once. Each has connections of its own, to libvirt and to a guest; a host has to bear
what so many guests do as they boot."""

LOOK: Final = 0.5
"""Seconds. A signal that comes just before a wait begins does not end it: Python hears it only
when the wait is over (docs of Python's signal, "Execution of Python signal handlers")."""


def side_by_side(
    works: Iterable[Work[T]], stop: "Stop", has_failed: Callable[[T], bool]
) -> Iterator[T]:
    """Do all of it, and yield what came of each as it ends.

    Args:
        works: in the order in which they begin.
        stop: looked at before each begins; theirs hear what it hears.
        has_failed: whether no further one is begun after this one.

    Raises:
        StoppedError: a signal came.
        BaseException: what one of them raised, once all others have ended.
    """
    with ThreadPoolExecutor(MOST) as pool:
        crew: _Crew[T] = _Crew(pool, stop)
        for work in works:
            stop.check()
            crew.begin(work)
            while crew.front is not None:
                yield from crew.hear()
            if crew.broken or any(map(has_failed, crew.came)):
                break
        while crew.at_work:
            yield from crew.hear()
    if crew.broken:
        raise crew.broken


class _Crew(Generic[T]):
    """Who is at work, as the one thread knows that begins them."""

    def __init__(self, pool: ThreadPoolExecutor, stop: "Stop") -> None:
        self._pool, self._stop = pool, stop
        self._said: SimpleQueue[tuple[object, Future[T] | None]] = SimpleQueue()
        self.front: object = None
        """The one that others wait for."""
        self.at_work = 0
        self.came: list[T] = []
        self.broken: BaseException | None = None

    def begin(self, work: Work[T]) -> None:
        """Let it begin, in front of all others."""
        self.front, said = work, self._said
        self.at_work += 1
        done = self._pool.submit(self._stop.heard_in(work), lambda: said.put((work, None)))
        done.add_done_callback(lambda ended: said.put((work, ended)))

    def hear(self) -> Iterator[T]:
        """Wait until one stands aside or ends; yield what came of one that ended well."""
        work, ended = self._heard()
        if work is self.front:
            self.front = None
        if ended is None:
            return
        self.at_work -= 1
        if error := ended.exception():
            self.broken = self.broken or error
        else:
            self.came.append(ended.result())
            yield self.came[-1]

    def _heard(self) -> tuple[object, "Future[T] | None"]:
        while True:
            with suppress(Empty):
                return self._said.get(timeout=LOOK)
