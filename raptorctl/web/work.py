"""What goes on for a while after a button: in a thread, told step by step to whoever watches."""

import secrets
import signal
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from raptorctl.engine.stop import Stop
from raptorctl.errors import RaptorError
from raptorctl.model.job import StepState

MOST: Final = 100
"""Ended ones that are still told of."""
AT_ONCE: Final = 4


@dataclass
class WorkStep:
    """One step, as it is told."""

    title: str
    state: str = "at work"
    problem: str = ""


@dataclass
class Work:
    """Something that was asked for; implements `raptorctl.engine.report.Reporter`.

    Args:
        id: by which its page is found.
        title: what was asked for, as at a command line.
        machine: the domain's name of the machine that it is about.
        who: the account that asked.
        changed: called, in any thread, when there is something new to tell.
        stop: asks it to stop.
    """

    id: str
    title: str
    machine: str
    who: str
    changed: Callable[[], None]
    stop: Stop = field(default_factory=Stop)
    steps: list[WorkStep] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    total: int = 0
    share: tuple[int, int] = (0, 0)
    lines: tuple[str, ...] = ()
    error: str = ""
    over: bool = False

    def started(self, number: int, total: int, title: str) -> None:
        """See `Reporter`."""
        self.total, self.share = total, (0, 0)
        self.steps.append(WorkStep(title))
        self.changed()

    def progress(self, done: int, total: int) -> None:
        """See `Reporter`."""
        before, self.share = self.share, (done, total)
        if total and done * 100 // total != before[0] * 100 // total:
            self.changed()

    def ended(self, number: int, total: int, title: str, state: StepState, problem: str) -> None:
        """See `Reporter`."""
        if self.steps:
            self.steps[-1].state, self.steps[-1].problem = state.value, problem
        self.changed()

    def note(self, text: str) -> None:
        """See `Reporter`."""
        self.notes.append(text)
        self.changed()

    def begin(self, title: str) -> None:
        """Of an image that comes: see `raptorctl.drivers.image.Watch`."""
        self.stop.check()
        self.started(0, 0, title)

    def tick(self, done: int, total: int) -> None:
        """See `raptorctl.drivers.image.Watch`."""
        self.stop.check()
        self.progress(done, total)

    @property
    def percent(self) -> int | None:
        """How far the present step is, where that is known."""
        done, total = self.share
        return done * 100 // total if total else None

    def close(self, done: "Future[tuple[str, ...]]") -> None:
        """Tell how it ended."""
        error = None if done.cancelled() else done.exception()
        if done.cancelled():
            self.error = "not begun: the page was closed"
        elif error is None:
            self.lines = done.result()
        else:
            known = isinstance(error, RaptorError)
            self.error = str(error) if known else f"unexpected {type(error).__name__}: {error}"
        self.over = True
        self.changed()


class Works:
    """All that is at work, and the last of what was.

    Args:
        changed: called, in any thread, when there is something new to tell of one.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._all: dict[str, Work] = {}
        self._threads = ThreadPoolExecutor(AT_ONCE, "page")

    def begin(
        self, title: str, machine: str, who: str, act: Callable[[Work], tuple[str, ...]]
    ) -> Work:
        """Begin something; `act` returns what came of it, in lines."""
        over = [key for key, work in self._all.items() if work.over]
        for key in over[: max(0, len(self._all) - MOST)]:
            del self._all[key]
        work = Work(secrets.token_hex(8), title, machine, who, self._changed)
        self._all[work.id] = work
        self._threads.submit(act, work).add_done_callback(work.close)
        return work

    def find(self, identifier: str) -> Work | None:
        """The one of that identifier."""
        return self._all.get(identifier)

    def about(self, machine: str) -> tuple[Work, ...]:
        """Those of one machine, the last one first."""
        return tuple(work for work in reversed(self._all.values()) if work.machine == machine)

    @property
    def at_work(self) -> tuple[Work, ...]:
        """Those that have not ended."""
        return tuple(work for work in self._all.values() if not work.over)

    def close(self) -> None:
        """Stop everything at its next step's edge, and wait until it is rolled back."""
        for work in self.at_work:
            work.stop.ask(signal.SIGTERM)
        self._threads.shutdown(cancel_futures=True)
