"""What a machine's disk held at one moment, kept and put back."""

from raptorctl.api.change import Change
from raptorctl.api.session import Session
from raptorctl.model.names import MachineName
from raptorctl.model.snapshot import Snapshot, snapshots
from raptorctl.plans.machine.snapshot import SnapshotRequest, plan_create, plan_delete
from raptorctl.plans.machine.snapshot_restore import plan_restore


def taken(session: Session, machine: MachineName | None = None) -> tuple[Snapshot, ...]:
    """Return a machine's snapshots, or all; needs root."""
    session.require_root()
    return tuple(snapshots(session.host.volumes.list(), machine))


def create(request: SnapshotRequest) -> Change:
    """Take a snapshot of a machine's disk."""
    return Change(
        verb="snapshot-create",
        name=str(request.machine),
        decide=lambda _settings, facts, identity: plan_create(request, facts, identity),
    )


def restore(machine: MachineName, name: str | None = None) -> Change:
    """Put back what the disk of a machine that is off held; the only snapshot needs no name."""
    return Change(
        verb="snapshot-restore",
        name=str(machine),
        decide=lambda _settings, facts, identity: plan_restore(machine, name, facts, identity),
    )


def delete(machine: MachineName, name: str) -> Change:
    """Delete a snapshot; the data it kept is wiped and read back."""
    return Change(
        verb="snapshot-delete",
        name=str(machine),
        decide=lambda _settings, facts, identity: plan_delete(machine, name, facts, identity),
    )
