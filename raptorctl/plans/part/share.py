"""What is shared of a machine ends: on time, with the machine, or with a tenant."""

from collections.abc import Iterator

from raptorctl.model.facts import HostFacts
from raptorctl.model.names import MachineName
from raptorctl.model.share import Share
from raptorctl.steps.share import ChangeShares
from raptorctl.steps.step import Step
from raptorctl.steps.timer import CancelTimer, SetTimer


def timed(share: Share, facts: HostFacts) -> Iterator[SetTimer]:
    """What ends open consoles at the moment at which a share is over, where systemd can."""
    if share.until and facts.timers:
        reason = "a console that is open then is ended"
        yield SetTimer(reason, share.timer, share.until)


def untimed(shares: tuple[Share, ...], facts: HostFacts) -> Iterator[CancelTimer]:
    """What takes the timers of shares away that end before their time."""
    for share in shares:
        if share.until and facts.timers:
            yield CancelTimer("it was for that share", share.timer, share.until)


def taken(shares: tuple[Share, ...], facts: HostFacts, reason: str) -> Iterator[Step]:
    """What takes shares out of the list, with what was to end them."""
    if shares:
        yield ChangeShares(reason, shares)
        yield from untimed(shares, facts)


def ended(name: MachineName, facts: HostFacts) -> Iterator[Step]:
    """What takes away all that is shared of a machine: one that comes after it inherits nothing."""
    yield from taken(facts.shares.of_machine(name.domain), facts, "it goes with the machine")
