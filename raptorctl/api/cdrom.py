"""What is in machines' CD drives: an ISO inserted, and ejected."""

from typing import TYPE_CHECKING

from raptorctl.model.image import Image
from raptorctl.model.names import MachineName

if TYPE_CHECKING:
    from raptorctl.api.change import Change


def insert(machine: MachineName, iso: Image | str) -> "Change":
    """Put an ISO into a machine's drive, also while it runs."""
    from raptorctl.api.change import Change
    from raptorctl.plans.machine.cdrom import MediumRequest, plan_insert

    request = MediumRequest(machine, iso)
    return Change(
        verb="cdrom-insert",
        name=str(machine),
        decide=lambda settings, facts, identity: plan_insert(request, settings, facts, identity),
    )


def eject(machine: MachineName) -> "Change":
    """Empty a machine's drive, also while it runs."""
    from raptorctl.api.change import Change
    from raptorctl.plans.machine.cdrom import plan_eject

    return Change(
        verb="cdrom-eject",
        name=str(machine),
        decide=lambda _settings, facts, identity: plan_eject(machine, facts, identity),
    )
