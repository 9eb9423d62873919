"""The rules of polkit: installed, and what polkit is to answer."""

from collections.abc import Iterator
from dataclasses import replace

from raptorctl.model.access import OUTSIDER, PROBE_TENANT, RULES, is_edited
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.settings import Settings
from raptorctl.model.tenant import CLOSED, GROUP, Mode, Tenant
from raptorctl.plans.plan import Identity, Plan
from raptorctl.render.polkit_rule import render_rules
from raptorctl.steps.access import CheckRules
from raptorctl.steps.account import MakeAccount, RemoveAccount
from raptorctl.steps.file import WriteFile
from raptorctl.steps.step import Step


def plan_install(settings: Settings, facts: HostFacts, identity: Identity) -> Plan:
    """Decide how the rules come to be on the host.

    Raises:
        InputError: the rules that are shipped are none.
    """
    access = settings.access
    text = render_rules(
        facts.shipped_rules, access.admin_groups, log=access.log, readable=access.readable
    )
    summary = f"the rules in {RULES} are ours, and polkit answers by them"
    plan = Plan("access-install", identity, Reservation(identity.job, "access"), (), summary)
    if facts.rules == text:
        return replace(plan, summary="the rules are as they should be; see `raptorctl access test`")
    edited = facts.rules is not None and is_edited(facts.rules, facts.shipped_rules)
    kept = f"{RULES}.edited-{identity.job}"
    notes = (f"{RULES} was edited by hand; what it says is kept in {kept}",) if edited else ()
    keep = [_kept(kept, facts.rules)] if edited and facts.rules else []
    steps = (*keep, *_install(text, settings, facts, identity))
    return replace(plan, steps=steps, notes=notes)


def some_tenant(facts: HostFacts) -> Tenant | None:
    """A whole tenant, as whom polkit can be asked."""
    return next((tenant for tenant in facts.tenants if tenant.ours), None)


def _kept(path: str, text: str) -> Step:
    return WriteFile("somebody may want it back", "the edited rules", path, None, text)


def _install(text: str, settings: Settings, facts: HostFacts, identity: Identity) -> Iterator[Step]:
    write = WriteFile(
        "default deny, and the tenants' table", "polkit's rules", RULES, facts.rules, text
    )
    tenant, access = some_tenant(facts), settings.access
    said = (access.admin_groups, access.readable)
    reason = "a file that polkit cannot read fails open"
    if tenant:
        yield write
        yield CheckRules(reason, OUTSIDER, tenant.name, *said)
        return
    yield MakeAccount(
        "there is no tenant to ask as", identity.job, PROBE_TENANT, facts.free_uid,
        Mode.NOLOGIN.shell, (GROUP,), CLOSED,
    )  # fmt: skip
    yield write
    yield CheckRules(reason, OUTSIDER, PROBE_TENANT, *said)
    yield RemoveAccount("it was for the trial", PROBE_TENANT, facts.free_uid)
