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
    """

    name: str
    target: str
    minutes: float


LANES: Final = (
    (
        Stage("check", "check", 1),
        Stage("long", "long", 1.5),
        Stage("lint", "lint", 0.5),
        Stage("deb", "deb-test", 0.5),
        Stage("integration", "integration", 5),
        Stage("guests", "guests", 2),
        Stage("lab", "lab", 29),
    ),
    (Stage("host", "lab-build", 0.5),),
)
"""Stages that run one after the other; lanes run side by side.

The host is built, where it is missing, while the native stages run: an emulated host keeps one of
two processors busy, and they have waits. The lab's tests wait for it, and run beside nothing: beside
other work they take as much longer as the other work takes.
"""

LATEST_MINUTE: Final = 68
"""Of a run, in which a test of the lab is last begun. Where the machine is so slow, the rest is not
tried, and said not to be: CI ends a run after 90 minutes, and the slowest test takes some."""

WARM_MINUTES: Final = 40
"""What `make test` may take as a whole with the lab's cache warm."""

BARE_MINUTES: Final = 55
"""The same on a machine that has nothing yet: neither packages nor image nor host."""
