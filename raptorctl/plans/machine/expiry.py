"""Machines that expire: warned of, stopped, and after a while retired; or extended before that."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from raptorctl.errors import RefusedError
from raptorctl.model.domain import Domain, Mark
from raptorctl.model.error_code import Code
from raptorctl.model.expiry import agrees, is_day, is_first, plus
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.look import ClockReading
from raptorctl.model.names import MachineName, shown
from raptorctl.model.settings import Settings
from raptorctl.plans.machine import existing
from raptorctl.plans.machine.existing import Existing
from raptorctl.plans.machine.retire import RetireRequest, plan_retire
from raptorctl.plans.part import expiry
from raptorctl.plans.plan import Identity, Plan
from raptorctl.render.domain_xml import marked_domain
from raptorctl.render.mail import expiry_mail, expiry_subject
from raptorctl.steps.definition import RedefineDomain, SetAutostart
from raptorctl.steps.mail import SendMail
from raptorctl.steps.retire import ExpireDomain
from raptorctl.steps.step import Step


def plan_extend(
    name: MachineName, text: str, settings: Settings, facts: HostFacts, identity: Identity
) -> Plan:
    """Decide how a machine comes to expire on another day, or never.

    Args:
        name: whose, and which.
        text: `2027-01-31`, `90d`, `never`.
        settings: the host's.
        facts: the host.
        identity: of the job.

    Raises:
        InputError: that day is over.
        RefusedError: it is not there, or the settings do not allow it.
    """
    there = existing.whole(name, facts)
    mark = replace(there.mark, expires=expiry.day(text, settings, identity), warned="", due="")
    so = there.mark.expires == mark.expires and not there.mark.due
    said = f"{name} expires on {mark.expires}" if mark.expires else f"{name} does not expire"
    steps = () if so else (_marked(there.domain, mark, "asked for"),)
    off = not there.domain.state.active and bool(there.mark.due)
    notes = (f"it was stopped: raptorctl start {name}, raptorctl autostart {name} on",)
    return replace(_plan(name, identity, steps, said, "extend"), notes=notes if off else ())


def plan_stage(
    name: MachineName,
    look: ClockReading,
    settings: Settings,
    facts: HostFacts,
    identity: Identity,
) -> Plan:
    """Decide what is due for a machine that expires.

    What takes it from its tenant waits until two looks, a day apart, agree. Its tenant is warned
    once, as soon as mail is taken, and when nothing else is due.

    Args:
        name: whose, and which.
        look: at the clocks, now.
        settings: the host's.
        facts: the host.
        identity: of the job.

    Raises:
        RefusedError: it is not whole, or the host's state forbids it.
    """
    there, policy, today = existing.whole(name, facts), settings.expiry, look.at[:10]
    mark = there.mark
    if not mark.expires:
        return _plan(name, identity, (), f"{name} does not expire")
    _refuse_no_day(mark)
    plan = _stage(there, look, settings, facts, identity)
    warned = mark.warned == mark.expires or today < plus(mark.expires, -policy.warn_days)
    # Mail that nobody takes fails its job, each hour: what is due does not wait for it.
    return plan if warned or plan.steps else _warning(there, settings, facts, identity)


def _stage(
    there: Existing,
    look: ClockReading,
    settings: Settings,
    facts: HostFacts,
    identity: Identity,
) -> Plan:
    """What is due, but for the warning."""
    policy, today = settings.expiry, look.at[:10]
    domain, mark = there.domain, there.mark
    name = mark.name
    said = f"{name} expires on {mark.expires}"
    if today < mark.expires:
        undone = (_marked(domain, replace(mark, due=""), "its time is not over"),)
        return _plan(name, identity, undone if mark.due else (), said)
    if not agrees(mark.due, look):
        noted = (_marked(domain, replace(mark, due=str(look)), "a second look has to agree"),)
        noting = noted if is_first(mark.due, look) else ()
        return _plan(name, identity, noting, f"{said}: a look a day later has to agree")
    if today >= plus(mark.expires, policy.grace_days):
        keep = timedelta(days=policy.keep_days)
        request = RetireRequest(name, keep, since=look.at)
        return plan_retire(request, settings, facts, identity)
    steps = tuple(_stopped(domain, settings))
    return _plan(name, identity, steps, f"{name} has expired, and is off")


def _warning(there: Existing, settings: Settings, facts: HostFacts, identity: Identity) -> Plan:
    told = replace(there.mark, warned=there.mark.expires)
    steps = (_marked(there.domain, told, "once is enough"), *_mail(told, settings, facts))
    notes = () if facts.mail else ("there is no sendmail: nobody is told by mail",)
    said = f"{told.name} expires on {told.expires}: its tenant is told"
    return replace(_plan(told.name, identity, steps, said), notes=notes)


def _refuse_no_day(mark: Mark) -> None:
    if not is_day(mark.expires):
        raise RefusedError(
            f"the definition of {mark.name} says that it expires on {shown(mark.expires)}",
            resolution=f"say on which day: raptorctl extend {mark.name} 90d",
            code=Code.MACHINE_INCOMPLETE,
            subject=str(mark.name),
        )


def _stopped(domain: Domain, settings: Settings) -> Iterator[Step]:
    if domain.autostart:
        yield SetAutostart("it has expired", domain.name, domain.uuid, on=False)
    if domain.state.active:
        wait = settings.libvirt.shutdown_timeout
        yield ExpireDomain("it has expired", domain.name, domain.uuid, wait)


def _mail(mark: Mark, settings: Settings, facts: HostFacts) -> Iterator[Step]:
    if facts.mail:
        message = expiry_mail(mark, settings.expiry, facts.hostname)
        yield SendMail("they may need it", mark.tenant, expiry_subject(mark), message)


def _marked(domain: Domain, mark: Mark, reason: str) -> RedefineDomain:
    xml = marked_domain(domain.xml, mark)
    return RedefineDomain(reason, domain.name, domain.uuid, domain.xml, xml)


def _plan(
    name: MachineName,
    identity: Identity,
    steps: tuple[Step, ...],
    summary: str,
    verb: str = "expire",
) -> Plan:
    return Plan(verb, identity, Reservation(identity.job, name.domain), steps, summary)
