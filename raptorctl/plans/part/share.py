"""What is shared of a machine ends with it."""

from collections.abc import Iterator

from raptorctl.model.facts import HostFacts
from raptorctl.model.names import MachineName
from raptorctl.steps.share import ChangeShares


def ended(name: MachineName, facts: HostFacts) -> Iterator[ChangeShares]:
    """What takes away all that is shared of a machine: one that comes after it inherits nothing."""
    if found := facts.shares.of_machine(name.domain):
        yield ChangeShares("it goes with the machine", found)
