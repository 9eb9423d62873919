"""The stages of `make test`, and what each may cost."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Stage:
    """One part of the checks.

    Args:
        name: what it is called, here and in the records.
        target: the target of make that runs it, alone or with the others.
        minutes: what it may cost on two quiet cores, beside the other lane, the cache warm. A
            change that needs more finds it in another stage.
        needed: whether the rest of its lane is pointless without it.
    """

    name: str
    target: str
    minutes: float
    needed: bool = False


LANES: Final = (
    (
        Stage("check", "check", 2),
        Stage("long", "long", 2.5),
        Stage("lint", "lint", 2),
        Stage("integration", "integration", 4),
        Stage("guests", "guests", 6),
        Stage("lab-two", "lab-two", 20),
    ),
    (
        Stage("host", "lab-host", 1, needed=True),
        Stage("lab-one", "lab-one", 35),
    ),
)
"""Stages that run one after the other; lanes run side by side, each on about one core.

An emulated host keeps one core busy and seldom two; so the lab's tests are on two hosts, the second
one started when the rest is done. Which file is in which part is in the Makefile.
"""

WARM_MINUTES: Final = 40
"""What `make test` may take as a whole with the lab's cache warm."""

BARE_MINUTES: Final = 55
"""The same on a machine that has nothing yet: neither packages nor image nor host."""
