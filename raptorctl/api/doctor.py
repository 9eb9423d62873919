"""Whether everything is there that provision needs, and nothing else; and mending what is ours."""

from dataclasses import replace

from raptorctl.api.change import Change, refuse_unfinished
from raptorctl.api.session import Session
from raptorctl.model.probe import Finding, Probe, SessionProbe


def findings(session: Session) -> tuple[Finding, ...]:
    """Return what every check came to; changes nothing."""
    return judged(session)[1]


def judged(
    session: Session, *, for_metrics: bool = False
) -> tuple[Probe | SessionProbe, tuple[Finding, ...]]:
    """Return what was seen of the host, and what every check made of it.

    Args:
        session: the host.
        for_metrics: it is for the metrics' file, which is being written: its age says nothing.
    """
    if session.on_session_host:
        from raptorctl.plans.doctor.session import examine_session

        own = session.session_probe()
        return own, examine_session(own)

    from raptorctl.plans.doctor.examine import examine

    probe = session.probe()
    if for_metrics and probe.web:
        probe = replace(probe, web=replace(probe.web, metrics=""))
    return probe, examine(probe, session.past())


def fix(session: Session) -> Change:
    """Return the change that mends what the findings offer.

    Raises:
        RefusedError: a job is unfinished, or the caller may not change the host.
    """
    from raptorctl.plans.doctor.examine import faults
    from raptorctl.plans.doctor.fault import plan_fix, scene

    session.require_root()
    refuse_unfinished(session)
    probe = session.probe()
    asked = tuple(session.record_queries()(session.settings, probe.facts))
    return Change(
        verb="fix",
        name="host",
        queries=lambda _settings: asked,
        decide=lambda settings, facts, identity: plan_fix(
            faults(scene(settings, facts, session.past(), probe), identity.at[:10]), identity
        ),
    )
