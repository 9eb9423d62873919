"""What provision needs of any host: one list, walked by it and by doctor. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from raptorctl.errors import MissingError, RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.part import Part
from raptorctl.model.settings import Settings
from raptorctl.plans.part import cpus, room, session_host


@dataclass(frozen=True)
class Need:
    """One thing without which no machine can be made.

    Args:
        check: what doctor calls it.
        refuse: raises RefusedError where it is missing.
    """

    check: str
    refuse: Callable[[Settings, HostFacts], object]


def refuse_unready(settings: Settings, facts: HostFacts) -> None:
    """Refuse a host on which no machine can be made.

    Raises:
        RefusedError: says what is missing.
    """
    for need in NEEDS:
        need.refuse(settings, facts)


def missing(settings: Settings, facts: HostFacts) -> Iterator[tuple[Need, RefusedError]]:
    """Everything that a host lacks, each with what is said of it."""
    for need in NEEDS:
        try:
            need.refuse(settings, facts)
        except RefusedError as error:
            yield need, error


def _refuse_silent_dns(_settings: Settings, facts: HostFacts) -> None:
    if facts.dns_problem:
        raise MissingError(facts.dns_problem, code=Code.DNS_UNREACHABLE)


NEEDS: Final = (
    Need(Part.LVM, room.refuse_unfit_group),
    Need("firmware", room.refuse_missing_firmware),
    Need(Part.CPUS, cpus.refuse_none),
    Need("ports", session_host.forward),
    Need(Part.DNS, _refuse_silent_dns),
)
"""In the order in which provision tells of them."""
