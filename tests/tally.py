"""Counts what was tried, for the figures at the end of a run and in docs/reliability.md."""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

import pytest

_TRIED: Final[Counter[tuple[str, str]]] = Counter()
_KEY: Final = "raptor_tried"


def tried(suite: str, what: str, times: int = 1) -> None:
    """Note that something was tried, whatever came of it."""
    _TRIED[suite, what] += times


def lines() -> Iterator[str]:
    """Say how many of what, and how many in all."""
    for suite, found in groupby(sorted(_TRIED.items()), lambda item: item[0][0]):
        counts = [(what, count) for (_, what), count in found]
        yield from (f"{suite}: {count:>8,} {what}" for what, count in counts)
        yield f"{suite}: {sum(count for _, count in counts):>8,} in all"


class Tally:
    """A plugin that says at the end what was tried, by workers of pytest-xdist too."""

    @pytest.hookimpl
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand over what was tried here, in a worker."""
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[_KEY] = list(_TRIED.items())

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Add what a worker tried."""
        for key, count in getattr(node, "workeroutput", {}).get(_KEY, ()):
            _TRIED[tuple(key)] += count

    @pytest.hookimpl
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say it."""
        for line in lines():
            terminalreporter.write_line(line)
