"""What kills at the n-th call, and guards drivers with it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from threading import RLock
from typing import Any


class Killed(BaseException):
    """SIGKILL, as far as Python can play it: no handler of ours runs."""


@dataclass
class Tripwire:
    """Makes the `at`-th driver call go wrong, before or after it has acted.

    Args:
        at: which call, counted from 1; 0 for none.
        error: what is raised there.
        after: act first, then raise: it happened, but nobody learns so.
        calls: the names of all calls so far.
        killed: whether the process is gone; then no thread of it calls anything any more.
        one: the world in memory is asked by one thread at a time.
    """

    at: int = 0
    error: Callable[[], BaseException] = Killed
    after: bool = False
    calls: list[str] = field(default_factory=list)
    killed: bool = False
    one: AbstractContextManager[Any] = field(default_factory=RLock)

    def guard(self, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            with self.one:
                if self.killed:
                    raise Killed
                self.calls.append(name)
                trips = len(self.calls) == self.at
                if trips and not self.after:
                    raise self._tripped()
                result = act(*args, **kwargs)
                if trips:
                    raise self._tripped()
                return result

        return call

    def _tripped(self) -> BaseException:
        error = self.error()
        self.killed = isinstance(error, Killed)
        return error


class Guarded:
    """A driver with a tripwire on every call."""

    def __init__(self, driver: Any, wire: Tripwire) -> None:
        self._driver, self._wire = driver, wire

    def __getattr__(self, name: str) -> Any:
        act = getattr(self._driver, name)
        return self._wire.guard(f"{type(self._driver).__name__}.{name}", act)
