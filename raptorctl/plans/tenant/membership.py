"""Tenants come, change and go: what is written, made and ended for it, and what forbids it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from raptorctl.errors import RefusedError
from raptorctl.model.disk import disks
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.ssh_key import keys_text
from raptorctl.model.tenant import (
    CONSOLE_GROUP,
    GROUP,
    Account,
    Mode,
    Tenant,
    TenantRecord,
    keys_path,
    record_path,
)
from raptorctl.model.tombstone import Tombstone, tombstone_path, tombstone_text
from raptorctl.plans.plan import Identity, Plan
from raptorctl.plans.tenant import refusal
from raptorctl.plans.tenant.common import (
    record_step,
    refuse_half,
    set_account,
    tenant_plan,
    tombstone_of,
)
from raptorctl.plans.tenant.quota import machines_of
from raptorctl.plans.tenant.request import TenantRequest
from raptorctl.steps.account import (
    CloseAccount,
    EndSessions,
    MakeAccount,
    RemoveAccount,
    SetAccount,
)
from raptorctl.steps.file import WriteFile
from raptorctl.steps.step import Step


def plan_add(
    request: TenantRequest,
    facts: HostFacts,
    identity: Identity,
    admin_groups: Iterable[str] = (),
) -> Plan:
    """Decide how a tenant comes to be, or why they cannot.

    Raises:
        RefusedError: an account or half a tenant of that name is in the way.
    """
    tenant = facts.tenant(request.name)
    if tenant and tenant.ours:
        refusal.refuse_other(tenant, request)
        return tenant_plan("tenant-add", request.name, identity, (), f"{request.name} is a tenant")
    mode = (request.mode or Mode.SHELL).value
    summary = f"tenant {request.name}: {mode}, quota {request.quota}"
    steps = adding(request, facts, identity, admin_groups)
    plan = tenant_plan("tenant-add", request.name, identity, steps, summary)
    return replace(plan, notes=tuple(_key_notes(request)))


def adding(
    request: TenantRequest,
    facts: HostFacts,
    identity: Identity,
    admin_groups: Iterable[str] = (),
) -> Iterator[Step]:
    """The steps that make a tenant who is not there; provision begins with them too.

    Args:
        request: what is asked for.
        facts: what there is.
        identity: of the job.
        admin_groups: of the settings, whom polkit lets do everything; for an account that is there.

    Raises:
        RefusedError: an account or half a tenant of that name is in the way, or libvirt does not
            ask polkit.
    """
    tenant = facts.tenant(request.name)
    refuse_half(tenant)
    refusal.refuse_lookalikes(request.name, facts)
    refusal.refuse_unasked(facts)
    account = tenant.account if tenant else None
    if account is None:
        refusal.refuse_declarative(request.name, facts)
    else:
        refusal.refuse_unfit(account, admin_groups, adopt=request.adopt)
        refusal.refuse_anothers_number(account, facts)
    uid = account.uid if account else facts.free_uid
    yield record_step(_record(request, account, uid, identity))
    yield _account_step(request, account, uid, identity)
    if text := keys_text(request.keys):
        before = tenant.keys or None if tenant else None
        yield WriteFile("they log in with these", f"{request.name}'s keys", keys_path(request.name),
                        before, text)  # fmt: skip


def plan_remove(name: str, facts: HostFacts, identity: Identity) -> Plan:
    """Decide how a tenant goes. Half a tenant goes as well as a whole one.

    Raises:
        RefusedError: they have machines or kept disks, or their account is not one of ours.
    """
    tenant = facts.tenant(name)
    if machines := machines_of(name, facts):
        raise RefusedError(
            f"{name} has {len(machines)} machine{'s' * (len(machines) > 1)}: {', '.join(machines)}",
            resolution=f"deprovision {'them' if machines[1:] else 'it'} first",
            code=Code.TENANT_HAS_MACHINES,
            subject=name,
        )
    if kept := [one for one in disks(facts.volumes) if one.machine.tenant == name]:
        raise RefusedError(
            f"{name} has kept disks: {', '.join(one.label for one in kept)}",
            resolution=f"`raptorctl disk remove {kept[0]}` wipes one",
            code=Code.TENANT_HAS_DISKS,
            subject=name,
        )
    if tenant and tenant.record is None:
        raise RefusedError(
            f"account {name} is in {GROUP}, but raptorctl has no record of it",
            resolution=f"gpasswd -d {name} {GROUP}, or `raptorctl tenant add {name} --adopt`",
            code=Code.TENANT_INCOMPLETE,
            subject=name,
        )
    removal = _removal(tenant, facts, identity) if tenant else ()
    steps = (*_unshared(name, facts), *removal)
    summary = f"nothing of tenant {name} is left" if steps else f"there is no tenant {name}"
    plan = tenant_plan("tenant-remove", name, identity, steps, summary)
    return replace(plan, notes=tuple(_remove_notes(tenant)))


def _unshared(name: str, facts: HostFacts) -> Iterator[Step]:
    """What takes away all that a tenant shares, and all that is shared with them."""
    if found := facts.shares.of_tenant(name):
        from raptorctl.plans.part.share import taken

        yield from taken(found, facts, "another tenant of that name is not meant")


def _record(
    request: TenantRequest, account: Account | None, uid: int, identity: Identity
) -> TenantRecord:
    return TenantRecord(
        name=request.name,
        uid=uid,
        adopted=account is not None,
        job=identity.job,
        created=identity.at,
        created_by=identity.by,
        quota=request.quota,
        former_shell=account.shell if account else "",
    )


def _account_step(
    request: TenantRequest, account: Account | None, uid: int, identity: Identity
) -> Step:
    if account is not None:
        mode = request.mode or Tenant(request.name, account=account).mode or Mode.SHELL
        return set_account(
            account, mode, request.expires or account.expires, "it becomes a tenant's"
        )
    mode = request.mode or Mode.SHELL
    return MakeAccount(
        reason="polkit knows them by it",
        job=identity.job,
        name=request.name,
        uid=uid,
        shell=mode.shell,
        groups=(GROUP, CONSOLE_GROUP) if mode is Mode.CONSOLE else (GROUP,),
        expires=request.expires,
    )


def _removal(tenant: Tenant, facts: HostFacts, identity: Identity) -> Iterator[Step]:
    account, record = tenant.account, tenant.record
    if record and not tombstone_of(record.uid, facts):
        yield tombstone_step(
            Tombstone(record.uid, record.name, record.adopted, identity.job, identity.at,
                      identity.by)
        )  # fmt: skip
    ours = account if account and record and account.uid == record.uid else None
    if ours and record:
        yield _closing(ours, record)
    if tenant.keys:
        yield WriteFile("nobody logs in with them", f"{tenant.name}'s keys",
                        keys_path(tenant.name), tenant.keys, None)  # fmt: skip
    if ours:
        yield EndSessions("what is open outlives the right to open it", ours.name, ours.uid)
    if ours and record and not record.adopted:
        yield RemoveAccount("we made it", ours.name, ours.uid)
    if tenant.record_file:
        yield WriteFile("they are no tenant any more", f"{tenant.name}'s record",
                        record_path(tenant.name), tenant.record_file, None)  # fmt: skip
    if record and not record.adopted:
        from raptorctl.steps.number import SweepNumber

        yield SweepNumber("its files act for whoever has the number", record.name, record.uid)


def tombstone_step(tombstone: Tombstone) -> WriteFile:
    """Have a number never be given again."""
    return WriteFile(
        "no other tenant ever gets the number",
        f"the tombstone of {tombstone.name}'s uid {tombstone.uid}",
        tombstone_path(tombstone.uid),
        None,
        tombstone_text(tombstone),
    )


def _closing(account: Account, record: TenantRecord) -> Step:
    """Close an account of ours; give one of somebody else's back as it was."""
    if not record.adopted:
        reason = "nobody may log in meanwhile"
        return CloseAccount(reason, account.name, account.uid, account.expires)
    return SetAccount(
        reason="it was there before us",
        name=account.name,
        uid=account.uid,
        shell=(account.shell, record.former_shell or account.shell),
        expires=(account.expires, account.expires),
        leave=tuple(sorted({GROUP, CONSOLE_GROUP} & account.groups)),
    )


def _key_notes(request: TenantRequest) -> Iterator[str]:
    if not request.keys and request.mode is not Mode.NOLOGIN:
        yield f"they cannot log in before `raptorctl tenant key add {request.name} FILE`"


def _remove_notes(tenant: Tenant | None) -> Iterator[str]:
    if tenant and tenant.record and tenant.record.adopted:
        yield f"account {tenant.name} was there before and stays, with its home"
    elif tenant and tenant.account and tenant.ours:
        yield f"{tenant.account.home} goes with the account"
