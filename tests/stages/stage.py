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
        idle: whether it takes only what the other lane leaves of the CPUs.
    """

    name: str
    target: str
    minutes: float
    needed: bool = False
    idle: bool = False


LANES: Final = (
    (
        Stage("host", "lab-host", 1, needed=True),
        Stage("lab", "lab", 40),
    ),
    (
        Stage("check", "check", 4, idle=True),
        Stage("long", "long", 5, idle=True),
        Stage("lint", "lint", 4, idle=True),
        Stage("integration", "integration", 10, idle=True),
        Stage("guests", "guests", 12, idle=True),
    ),
)
"""Lanes run side by side, the stages of a lane one after the other.

The emulated host has eight virtual CPUs on two cores and loses most of its time where they wait for
one that is not running. So what runs beside it takes what it leaves (SCHED_IDLE, sched(7)).
"""

WARM_MINUTES: Final = 40
"""What `make test` may take as a whole with the lab's cache warm."""

BARE_MINUTES: Final = 55
"""The same on a machine that has nothing yet: neither packages nor image nor host."""
