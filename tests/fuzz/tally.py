"""Counts what was tried, for the figure at the end of a run."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

_TRIED: Final[Counter[str]] = Counter()


def tried(what: str) -> None:
    """Note one input that was tried, whatever came of it."""
    _TRIED[what] += 1


def lines() -> Iterator[str]:
    """Say how many of what, and how many in all."""
    for what, count in sorted(_TRIED.items()):
        yield f"fuzz: {count:>8,} {what}"
    if _TRIED:
        yield f"fuzz: {_TRIED.total():>8,} examples in all"
