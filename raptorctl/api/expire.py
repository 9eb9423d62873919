"""What is due: machines that expire, and disks that were kept long enough."""

from collections.abc import Iterator

from raptorctl.api.change import Change
from raptorctl.api.session import Session


def due(session: Session) -> Iterator[Change]:
    """Yield what there is to look at, a change each; one that finds nothing due does nothing.

    Shares come first and last: a wipe may take hours, and systemd does not begin a service that
    is at work once more for what is over meanwhile.

    Raises:
        RefusedError: the caller may not change the host, or it is a session host.
    """
    from raptorctl.api.share import over, untimed
    from raptorctl.errors import RefusedError
    from raptorctl.host.system.clock import look
    from raptorctl.model.error_code import Code
    from raptorctl.model.look import ClockReading
    from raptorctl.model.names import MachineName
    from raptorctl.model.retired import Retired, retired
    from raptorctl.plans.machine.expire import plan_expire
    from raptorctl.plans.machine.expiry import plan_stage
    from raptorctl.plans.part.records import queries

    session.require_root()
    if session.on_session_host:
        raise RefusedError(
            "this host is your own, and nothing on it expires", code=Code.SESSION_HOST
        )

    def change(gone: Retired, now: ClockReading) -> Change:
        return Change(
            verb="expire",
            name=str(gone.name),
            decide=lambda _settings, facts, identity: plan_expire(
                gone.job, now, session.past(), facts, identity
            ),
        )

    def stage(name: MachineName, now: ClockReading) -> Change:
        return Change(
            verb="expire",
            name=str(name),
            queries=lambda settings: queries(name, settings),
            decide=lambda settings, facts, identity: plan_stage(
                name, now, settings, facts, identity
            ),
        )

    now = look()
    marks = [domain.mark for domain in session.host.domains.list() if domain.ours]
    expiring = sorted(mark.name for mark in marks if mark and mark.expires)
    gone = retired(session.host.volumes.list())
    yield from over(session, now.at)
    yield from untimed(session, now.at)
    yield from (stage(name, now) for name in expiring)
    yield from (change(one, now) for one in gone)
    yield from over(session, look().at, since=now.at)
