"""Being asked to stop: a signal only raises a flag, which is looked at where stopping is safe."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Final, Self

from raptorctl.errors import StoppedError

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop:
    """Remembers signals between two looks. As a context manager, it catches them."""

    def __init__(self) -> None:
        self._signum = 0
        self._asked = 0
        self._accepted = 0
        self._before: dict[int, object] = {}

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
        if self._asked > self._accepted:
            raise StoppedError(self._signum)

    def accept(self) -> None:
        """Go on regardless, to roll back; only a further signal stops that."""
        self._accepted = self._asked

    def _heard(self, signum: int, frame: FrameType | None) -> None:
        self.ask(signum)
