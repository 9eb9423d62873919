"""Being asked to stop: a signal only raises a flag, which is looked at where stopping is safe.

Signals reach the main thread alone (signal.signal). What other threads do hears of them by the
`Stop` above them: see `heard_in`.
"""

import signal
import threading
from collections.abc import Callable
from contextvars import ContextVar
from types import FrameType, TracebackType
from typing import Final, ParamSpec, Self, TypeVar

from raptorctl.errors import StoppedError

Args = ParamSpec("Args")
T = TypeVar("T")

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ABOVE: ContextVar["Stop | None"] = ContextVar("above", default=None)
"""Whose signals count in this thread as well."""


class Stop:
    """Remembers signals between two looks. As a context manager, it catches them."""

    def __init__(self) -> None:
        self._signum = 0
        self._asked = 0
        self._accepted = 0
        self._before: dict[int, object] = {}
        self._above = _ABOVE.get()

    def __enter__(self) -> Self:
        # Python lets only the main thread install handlers (signal.signal).
        if threading.current_thread() is threading.main_thread():
            for signum in SIGNALS:
                self._before[signum] = signal.signal(signum, self._heard)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        for signum, handler in self._before.items():
            signal.signal(signum, handler)  # type: ignore[arg-type]

    def ask(self, signum: int) -> None:
        """Ask to stop, as the signal `signum` would."""
        self._signum = signum
        self._asked += 1

    def check(self) -> None:
        """Call this wherever stopping is safe.

        Raises:
            StoppedError: a signal came that has not been accepted yet.
        """
        asked, signum = self.heard_so_far()
        if asked > self._accepted:
            raise StoppedError(signum)

    def accept(self) -> None:
        """Go on regardless, to roll back; only a further signal stops that."""
        self._accepted, _ = self.heard_so_far()

    def heard_in(self, act: Callable[Args, T]) -> Callable[Args, T]:
        """Return `act` for another thread: each `Stop` that it makes hears what this one hears."""

        def heard(*args: Args.args, **kwargs: Args.kwargs) -> T:
            _ABOVE.set(self)
            return act(*args, **kwargs)

        return heard

    def heard_so_far(self) -> tuple[int, int]:
        """How often it was asked to stop, and by which signal at last."""
        above, signum = self._above.heard_so_far() if self._above else (0, 0)
        return self._asked + above, self._signum or signum

    def _heard(self, signum: int, frame: FrameType | None) -> None:
        self.ask(signum)
