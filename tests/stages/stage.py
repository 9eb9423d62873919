"""The stages of `make test`, and what each may cost."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Stage:
    """One part of the checks.

    Args:
        name: what it is called, here and in the records.
        target: the target of make that runs it, alone or with the others.
        minutes: what it may cost on two quiet cores, the cache warm; all together WARM_MINUTES.
            A change that needs more finds it in another stage.
        needed: whether the rest of its lane is pointless without it.
    """

    name: str
    target: str
    minutes: float
    needed: bool = False


LANES: Final = (
    (
        Stage("check", "check", 1),
        Stage("long", "long", 1.5),
        Stage("lint", "lint", 0.5),
        Stage("deb", "deb-test", 0.5),
        Stage("integration", "integration", 5),
        Stage("guests", "guests", 2),
        Stage("host", "lab-host", 0.5, needed=True),
        Stage("lab", "lab", 29),
    ),
)
"""Stages that run one after the other; lanes would run side by side.

There is one lane: an emulated host of eight virtual CPUs beside other work loses a third of its
speed where the other work gives way (SCHED_IDLE, autogroup), and most of it where it does not. Both
together take as long as one after the other, and what waits for time fails.
"""

WARM_MINUTES: Final = 40
"""What `make test` may take as a whole with the lab's cache warm."""

BARE_MINUTES: Final = 55
"""The same on a machine that has nothing yet: neither packages nor image nor host."""
