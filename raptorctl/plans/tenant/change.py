"""Tenants change: keys, quota, mode, last day."""

from dataclasses import replace

from raptorctl.errors import InputError, RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.ssh_key import PublicKey, keys_text
from raptorctl.model.tenant import Mode, Quota, keys_path
from raptorctl.plans.plan import Identity, Plan
from raptorctl.plans.tenant.common import keys_of, record_step, set_account, tenant_plan, whole
from raptorctl.steps.account import EndSessions, SetAccount
from raptorctl.steps.file import WriteFile
from raptorctl.steps.step import Step


def plan_keys(
    name: str,
    facts: HostFacts,
    identity: Identity,
    *,
    add: tuple[PublicKey, ...] = (),
    remove: str | None = None,
) -> Plan:
    """Decide what a tenant's file of keys is to say.

    Args:
        name: the tenant's.
        facts: the host.
        identity: of the job.
        add: keys they get; those they have already change nothing.
        remove: the fingerprint or comment of one they lose.

    Raises:
        RefusedError: there is no such tenant, or somebody else wrote in the file.
        InputError: no key, or more than one, is the one to remove.
    """
    tenant = whole(name, facts)
    there = keys_of(tenant)
    wanted = there if remove is None else _without(there, remove)
    wanted += tuple(key for key in add if key.blob not in {other.blob for other in wanted})
    if wanted == there:
        return tenant_plan("tenant-key", name, identity, (), f"{name} has that key")
    step = WriteFile(
        reason="sshd reads no other",
        what=f"{name}'s keys",
        path=keys_path(name),
        before=tenant.keys or None,
        text=keys_text(wanted),
    )
    notes = ["sessions that are open stay open"] if remove is not None else []
    if tenant.mode is Mode.NOLOGIN:
        notes.append(f"they cannot log in: `raptorctl tenant set {name} --mode shell`")
    summary = f"{name} has {len(wanted)} key{'s' * (len(wanted) != 1)}"
    plan = tenant_plan("tenant-key", name, identity, (step,), summary)
    return replace(plan, notes=tuple(notes))


def plan_quota(name: str, quota: Quota, facts: HostFacts, identity: Identity) -> Plan:
    """Decide how a tenant gets another quota. One below what they have keeps them from more.

    Raises:
        RefusedError: there is no such tenant.
    """
    tenant = whole(name, facts)
    if tenant.record is None or tenant.record.quota == quota:
        return tenant_plan("tenant-quota", name, identity, (), f"{name} has quota {quota}")
    step = record_step(replace(tenant.record, quota=quota), tenant.record_file)
    return tenant_plan("tenant-quota", name, identity, (step,), f"{name} has quota {quota}")


def plan_set(
    name: str, mode: Mode | None, expires: str | None, facts: HostFacts, identity: Identity
) -> Plan:
    """Decide how a tenant gets another mode or last day; None leaves it.

    Raises:
        RefusedError: there is no such tenant.
    """
    tenant = whole(name, facts)
    account, was = tenant.account, tenant.mode
    if account is None or was is None:
        raise RefusedError(
            f"tenant {name} has no account", code=Code.TENANT_INCOMPLETE, subject=name
        )
    until = account.expires if expires is None else expires
    step = set_account(account, mode or was, until, "asked for")
    summary = f"{name}: {(mode or was).value}, {f'until {until}' if until else 'for ever'}"
    if _is_idle(step):
        return tenant_plan("tenant-set", name, identity, (), summary)
    steps: tuple[Step, ...] = (step,)
    if mode in {Mode.CONSOLE, Mode.NOLOGIN} and mode is not was:
        steps += (EndSessions("what is open was opened by the old rule", name, account.uid),)
    return tenant_plan("tenant-set", name, identity, steps, summary)


def _is_idle(step: SetAccount) -> bool:
    same = step.shell[0] == step.shell[1] and step.expires[0] == step.expires[1]
    return same and not step.join and not step.leave


def _without(keys: tuple[PublicKey, ...], text: str) -> tuple[PublicKey, ...]:
    # To say nothing does not name the key that has no comment.
    found = [key for key in keys if text and text in {key.fingerprint, key.comment}]
    if len(found) != 1:
        many = f"{len(found)} keys are called so" if found else "they have no such key"
        raise InputError(many, resolution="give its fingerprint: `raptorctl tenant key list`")
    return tuple(key for key in keys if key is not found[0])
