"""What a person sees while an image comes: a line for each thing done, and a bar while it is."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Final

from raptorctl.errors import RaptorError, StoppedError
from raptorctl.model.job import StepState

if TYPE_CHECKING:
    from raptorctl.engine.report import Reporter

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SMALLEST: Final = 4 << 20
"""Bytes below which no bar is worth drawing; to a reporter they would be milliseconds."""


class ImageWatch:
    """Tells a person; implements `raptorctl.drivers.image.Watch`."""

    def __init__(self) -> None:
        self._title = ""

    @property
    def _reporter(self) -> "Reporter":
        if not hasattr(self, "_made"):
            from raptorctl.cli.progress import reporter

            self._made = reporter()
        return self._made

    def begin(self, title: str) -> None:
        """See `Watch`."""
        self.end(StepState.DONE)
        self._title = title
        self._reporter.started(0, 0, title)

    def tick(self, done: int, total: int) -> None:
        """See `Watch`."""
        if total >= SMALLEST:
            self._reporter.progress(done, total)

    def note(self, text: str) -> None:
        """See `Watch`."""
        self._reporter.note(text)

    def end(self, state: StepState) -> None:
        """Write the last word on what was being done, if anything was."""
        if self._title:
            self._reporter.ended(0, 0, self._title, state, "")
        self._title = ""


@contextmanager
def watched() -> Iterator[ImageWatch]:
    """Watch the block, and let a signal end it at once: nothing of an image has to be undone.

    Raises:
        StoppedError: a signal came. A download is kept as far as it came.
    """
    watch = ImageWatch()
    before = _caught()
    try:
        yield watch
        watch.end(StepState.DONE)
    except StoppedError:
        watch.end(StepState.UNDONE)
        watch.note("what was downloaded is kept for a day; the same command goes on with it")
        raise
    except RaptorError:
        watch.end(StepState.UNDONE)
        raise
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)  # type: ignore[arg-type]


def _caught() -> dict[int, object]:
    if threading.current_thread() is not threading.main_thread():
        return {}  # only the main thread may (signal.signal)
    return {signum: signal.signal(signum, _stop) for signum in SIGNALS}


def _stop(signum: int, _frame: FrameType | None) -> None:
    """Raise out of whatever is being done: unlike a job, a pull may be left anywhere."""
    raise StoppedError(signum)
