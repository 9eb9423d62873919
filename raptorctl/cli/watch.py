"""`-o json --watch`: what happens to machines of a file, one object a line, as it happens."""

import codecs
import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from typing import Annotated, Any, Final

import typer

from raptorctl.api.brought import Brought, Show
from raptorctl.cli.output import Format, say
from raptorctl.cli.progress import SMALLEST
from raptorctl.drivers.tick import Tick
from raptorctl.errors import InputError
from raptorctl.model.job import StepState

Watch = Annotated[
    bool, typer.Option("--watch", help="With -o json: an object a line, as things happen.")
]
RETELL: Final = 1.0
"""Seconds between two objects about how far one thing has come."""


def refuse_unwatchable(form: Format, *, watch: bool) -> None:
    """Refuse to stream text, which tells what happens anyway.

    Raises:
        InputError: says so.
    """
    if watch and form is not Format.JSON:
        raise InputError("--watch is for programs", resolution="say -o json with it")


class Stream:
    """Writes it down for a program; implements `raptorctl.cli.onlooker.Onlooker`."""

    def __init__(self) -> None:
        self._lock = Lock()

    def show(self, subject: str) -> Show:
        """See `Onlooker`."""

        def write(event: str, **more: Any) -> None:
            self._write({"machine": subject, "event": event, **more})

        write("began")
        return Show(StreamReporter(write), StreamAudience(write))

    def came(self, brought: Brought, lines: list[str]) -> None:
        """See `Onlooker`."""
        _ = lines
        self._write({"event": "ended", **brought.encode()})

    def over(self) -> None:
        """See `Onlooker`."""

    def _write(self, shape: dict[str, Any]) -> None:
        with self._lock:
            say(json.dumps(shape))


Write = Callable[..., None]


class StreamReporter:
    """Implements `raptorctl.engine.report.Reporter`."""

    def __init__(self, write: Write, clock: Callable[[], float] = time.monotonic) -> None:
        self._write, self._clock = write, clock
        self._title, self._told = "", clock()

    def started(self, number: int, total: int, title: str) -> None:
        """See `Reporter`."""
        self._title, self._told = title, self._clock()
        self._write("step", number=number, of=total, title=title, state="begun", problem="")

    def progress(self, done: int, total: int) -> None:
        """See `Reporter`."""
        if total > 0 and self._clock() - self._told >= RETELL:
            self._told = self._clock()
            unit = "bytes" if total >= SMALLEST else "milliseconds"
            self._write("progress", title=self._title, done=done, of=total, unit=unit)

    def ended(self, number: int, total: int, title: str, state: StepState, problem: str) -> None:
        """See `Reporter`."""
        self._write(
            "step", number=number, of=total, title=title, state=state.value, problem=problem
        )

    def note(self, text: str) -> None:
        """See `Reporter`."""
        self._write("note", text=text)


class StreamAudience:
    """Implements `raptorctl.api.steps.Audience`."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode

    def watched(self, title: str, timeout: float) -> AbstractContextManager[Tick]:
        """See `Audience`."""
        return self._waiting(title, timeout)

    @contextmanager
    def _waiting(self, title: str, timeout: float) -> Iterator[Tick]:
        self._write("waiting", title=title, timeout=timeout)
        yield lambda _done, _whole: None

    def began(self, title: str) -> None:
        """See `Audience`."""
        self._write("guest_step", title=title)

    def heard(self, data: bytes) -> None:
        """See `Audience`."""
        if text := self._decode(data):
            self._write("output", text=text)

    def ended(self) -> None:
        """See `Audience`."""
        if text := self._decode(b"", final=True):
            self._write("output", text=text)

    def note(self, text: str) -> None:
        """See `Audience`."""
        self._write("note", text=text)
