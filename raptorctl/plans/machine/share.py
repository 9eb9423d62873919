"""A tenant shares a machine with another, and ends that; what is over is tidied."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from raptorctl.errors import InputError, MissingError, RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.machine import no_such_machine
from raptorctl.model.names import MachineName
from raptorctl.model.settings import Settings
from raptorctl.model.share import SHARES, Grant, Share, Shares, until_of
from raptorctl.plans.machine import existing
from raptorctl.plans.part.share import taken, timed, untimed
from raptorctl.plans.plan import Identity, Plan
from raptorctl.plans.tenant.common import whole
from raptorctl.steps.share import ChangeShares, CheckShare, Disconnect
from raptorctl.steps.step import Step


@dataclass(frozen=True)
class ShareRequest:
    """What a person asks for.

    Args:
        name: whose machine, and which.
        other: the tenant who is to be let in.
        grant: what they may do.
        until: `2027-01-31`, `12h`, `90d`, `never`; its grammar is checked.
    """

    name: MachineName
    other: str
    grant: Grant
    until: str = "never"


def plan_share(
    request: ShareRequest, settings: Settings, facts: HostFacts, identity: Identity
) -> Plan:
    """Decide how another tenant comes to see a machine, or why they cannot.

    Raises:
        InputError: they own it, or the end is over.
        RefusedError: the machine or the tenant is not there, or the host's state forbids it.
    """
    name, other = request.name, request.other
    _refuse_session(settings)
    refuse_problem(facts.shares)
    if other == name.tenant:
        raise InputError(f"{name} is {other}'s own", resolution="name another tenant")
    there = existing.whole(name, facts)
    _refuse_expired(other, facts, identity)
    wanted = Share(
        name.domain,
        there.domain.uuid,
        other,
        request.grant,
        until_of(request.until, identity.at),
        identity.job,
        identity.at,
        identity.by,
    )
    if wanted.is_over(identity.at):
        raise InputError(f"{wanted.told} is over", resolution="name a day that is to come")
    had = facts.shares.find(*wanted.key)
    steps = () if wanted.same(had) else tuple(_sharing(wanted, had, settings, facts))
    return _plan("tenant-share", name, identity, steps, _summary(wanted))


def plan_unshare(
    name: MachineName, other: str, settings: Settings, facts: HostFacts, identity: Identity
) -> Plan:
    """Decide how another tenant ceases to see a machine; one that is gone, too.

    Raises:
        MissingError: there is no such machine, and no share of it.
        RefusedError: the list cannot be read, or a job is at work on the machine.
    """
    _refuse_session(settings)
    refuse_problem(facts.shares)
    existing.refuse_reserved(name, facts)
    found = tuple(one for one in facts.shares.of_machine(name.domain) if one.tenant == other)
    if not found and facts.domain(name) is None:
        raise no_such_machine(name)
    steps = tuple(ending(found, settings, facts, "asked for"))
    summary = f"{name} is not shared with {other}"
    return _plan("tenant-unshare", name, identity, steps, summary)


def plan_tidy(
    name: MachineName, at: str, settings: Settings, facts: HostFacts, identity: Identity
) -> Plan:
    """Decide how what is over leaves the list; polkit's rule has looked at the time by itself.

    Args:
        name: the machine's.
        at: now, UTC, ISO 8601.
        settings: the host's.
        facts: the host.
        identity: of the job.

    Raises:
        RefusedError: a job is at work on the machine.
    """
    existing.refuse_reserved(name, facts)
    found = tuple(one for one in facts.shares.of_machine(name.domain) if one.is_over(at))
    tenants = ", ".join(one.tenant for one in found)
    said = f"{name} is not shared with {tenants} any more" if found else "nothing shared is over"
    return _plan(
        "expire", name, identity, tuple(ending(found, settings, facts, "it is over")), said
    )


def plan_timing(
    name: MachineName, settings: Settings, facts: HostFacts, identity: Identity
) -> Plan:
    """Decide how what is shared of a machine ends on time: timers go with a restart of the host.

    Raises:
        RefusedError: a job is at work on the machine.
    """
    existing.refuse_reserved(name, facts)
    found = (one for one in facts.shares.of_machine(name.domain) if not one.is_over(identity.at))
    steps = tuple(chain.from_iterable(timed(one, facts) for one in found))
    return _plan("expire", name, identity, steps, f"what is shared of {name} ends on time")


def ending(
    shares: tuple[Share, ...], settings: Settings, facts: HostFacts, reason: str
) -> Iterator[Step]:
    """What takes shares away whose machine stays: who has a console open loses it."""
    if not shares:
        return
    yield from taken(shares, facts, reason)
    for share in shares:
        yield _checked(share, settings, granted=False)
    for name in sorted({share.tenant for share in shares}):
        tenant = facts.tenant(name)
        if tenant and tenant.account:
            yield Disconnect("what is open outlives the right to open it", name, tenant.account.uid)


def _sharing(
    wanted: Share, had: Share | None, settings: Settings, facts: HostFacts
) -> Iterator[Step]:
    yield ChangeShares("asked for", (had,) if had else (), (wanted,))
    yield _checked(wanted, settings, granted=True)
    yield from untimed((had,) if had else (), facts)
    yield from timed(wanted, facts)


def _checked(share: Share, settings: Settings, *, granted: bool) -> CheckShare:
    reason = "the list alone lets nobody in or out"
    return CheckShare(reason, share, granted, settings.access.admin_groups)


def _summary(share: Share) -> str:
    what = "its console" if share.grant is Grant.CONSOLE else "start, stop and console"
    return f"{share.machine} is shared with {share.tenant}: {what}, {share.told}"


def _refuse_session(settings: Settings) -> None:
    if not settings.has_tenants:
        raise RefusedError(
            "this host is your own, and there is nobody to share with", code=Code.SESSION_HOST
        )


def refuse_problem(shares: Shares) -> None:
    """Refuse to go by a list that cannot be read.

    Raises:
        MissingError: says why.
    """
    if shares.problem:
        raise MissingError(
            shares.problem,
            resolution="look at it, and move it away: then nothing is shared",
            subject=SHARES,
        )


def _refuse_expired(name: str, facts: HostFacts, identity: Identity) -> None:
    if whole(name, facts).expired(identity.at[:10]):
        raise RefusedError(
            f"tenant {name} has expired",
            resolution=f"`raptorctl tenant set {name} --expires never` lets them back in",
            code=Code.TENANT_EXPIRED,
            subject=name,
        )


def _plan(
    verb: str, name: MachineName, identity: Identity, steps: tuple[Step, ...], summary: str
) -> Plan:
    return Plan(verb, identity, Reservation(identity.job, name.domain), steps, summary)
