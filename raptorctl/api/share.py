"""What tenants share with each other: which shares there are, and what changes them."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from raptorctl.api.change import Change
from raptorctl.api.session import Session
from raptorctl.model.look import later
from raptorctl.model.names import MachineName
from raptorctl.model.share import Share

if TYPE_CHECKING:
    from raptorctl.plans.machine.share import ShareRequest

SOON: Final = timedelta(hours=2)
"""In which `expire` runs once for certain: it does so every hour, five minutes late at most."""


def every(session: Session, tenant: str | None = None) -> tuple[Share, ...]:
    """Return all shares, in the order of machines and tenants; needs root.

    Args:
        session: the host, and who asks.
        tenant: only what this one shares, and what is shared with them.

    Raises:
        MissingError: the list cannot be read.
    """
    from raptorctl.host.survey.survey import shares
    from raptorctl.plans.machine.share import refuse_problem

    session.require_root()
    found = shares(session.host)
    refuse_problem(found)
    return found.of_tenant(tenant) if tenant else found.all


def share(request: "ShareRequest") -> Change:
    """Let another tenant have the console of a machine, or operate it."""
    from raptorctl.plans.machine.share import plan_share

    return Change(
        verb="tenant-share",
        name=str(request.name),
        people=(request.name.tenant, request.other),
        decide=lambda settings, facts, job: plan_share(request, settings, facts, job),
    )


def unshare(name: MachineName, other: str) -> Change:
    """End what another tenant may do with a machine, and their open consoles."""
    from raptorctl.plans.machine.share import plan_unshare

    return Change(
        verb="tenant-unshare",
        name=str(name),
        people=(other,),
        decide=lambda settings, facts, job: plan_unshare(name, other, settings, facts, job),
    )


def tidy(name: MachineName, at: str) -> Change:
    """Take what is over out of the list; polkit heeds the time by itself."""
    from raptorctl.plans.machine.share import plan_tidy

    return Change(
        verb="expire",
        name=str(name),
        decide=lambda settings, facts, job: plan_tidy(name, at, settings, facts, job),
    )


def over(session: Session, at: str, since: str = "") -> tuple[Change, ...]:
    """Return what takes shares away that are over.

    Args:
        session: the host, and who asks.
        at: now, UTC, ISO 8601.
        since: likewise; those that were over then are left out.
    """
    from raptorctl.host.survey.survey import shares

    found = (one for one in shares(session.host).all if one.is_over(at) and one.until > since)
    return tuple(tidy(name, at) for name in sorted({one.name for one in found}))


def untimed(session: Session, at: str) -> tuple[Change, ...]:
    """Return what has shares that are over soon end on time, where a restart took their timers.

    Args:
        session: the host, and who asks.
        at: now, UTC, ISO 8601.
    """
    from raptorctl.host.survey.survey import shares

    timers, soon = session.host.timers, later(at, SOON)
    if not timers.works():
        return ()
    near = (one for one in shares(session.host).all if at < one.until <= soon)
    names = {one.name for one in near if not timers.is_set(one.timer)}
    return tuple(map(_time, sorted(names)))


def _time(name: MachineName) -> Change:
    from raptorctl.plans.machine.share import plan_timing

    return Change(
        verb="expire",
        name=str(name),
        decide=lambda settings, facts, job: plan_timing(name, settings, facts, job),
    )
