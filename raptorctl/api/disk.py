"""Further disks of machines: which there are, and what adds, grows, keeps and removes one."""

from typing import TYPE_CHECKING

from raptorctl.api.session import Session
from raptorctl.model.disk import DiskUse, disks
from raptorctl.model.names import MachineName
from raptorctl.model.sizes import Size

if TYPE_CHECKING:
    from raptorctl.api.change import Change
    from raptorctl.plans.machine.disk import DiskRequest


def there_are(session: Session, tenant: str | None = None) -> tuple[DiskUse, ...]:
    """Return a tenant's further disks, or all, and which domain uses each; needs root."""
    session.require_root()
    found, domains = disks(session.host.volumes.list()), session.host.domains.list()
    uses = (DiskUse(one, one.user(domains)) for one in found)
    return tuple(use for use in uses if tenant in {None, use.disk.machine.tenant})


def add(request: "DiskRequest") -> "Change":
    """Give a machine a disk more, also while it runs."""
    from raptorctl.api.change import Change
    from raptorctl.plans.machine.disk import plan_add

    return Change(
        verb="disk-add",
        name=str(request.machine),
        decide=lambda settings, facts, identity: plan_add(request, settings, facts, identity),
    )


def ensure(request: "DiskRequest") -> "Change":
    """Have a machine's disk be as asked: add it, grow it, keep it or not."""
    from raptorctl.api.change import Change
    from raptorctl.plans.file.work import plan_disk

    return Change(
        verb="disk-add",
        name=str(request.machine),
        decide=lambda settings, facts, identity: plan_disk(request, settings, facts, identity),
    )


def remove(session: Session, machine: MachineName, name: str) -> "Change":
    """Take a disk from its machine, if it has one, and wipe it.

    Args:
        session: whose journals tell what was kept beside it.
        machine: whose disk it is, there or gone.
        name: of the disk.
    """
    from raptorctl.api.change import Change
    from raptorctl.plans.machine.disk import plan_remove

    return Change(
        verb="disk-remove",
        name=str(machine),
        decide=lambda settings, facts, identity: plan_remove(
            (machine, name), settings, facts, identity, session.past()
        ),
    )


def grow(machine: MachineName, name: str, size: Size) -> "Change":
    """Enlarge a disk of a machine, also while it runs."""
    from raptorctl.api.change import Change
    from raptorctl.plans.machine.disk import plan_grow

    return Change(
        verb="disk-grow",
        name=str(machine),
        decide=lambda _settings, facts, identity: plan_grow(machine, name, size, facts, identity),
    )


def keep(machine: MachineName, name: str, *, on: bool) -> "Change":
    """Have a disk outlive its machine, or not."""
    from raptorctl.api.change import Change
    from raptorctl.plans.machine.disk import plan_keep

    return Change(
        verb="disk-set",
        name=str(machine),
        decide=lambda _settings, facts, identity: plan_keep(
            machine, name, facts, identity, keep=on
        ),
    )
