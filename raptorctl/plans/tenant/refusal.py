"""What speaks against a tenant's coming."""

from collections.abc import Iterable

from raptorctl.errors import RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.tenant import (
    LAST_UID,
    Account,
    Quota,
    Tenant,
)
from raptorctl.plans.tenant.common import (
    keys_of,
    tombstone_of,
)
from raptorctl.plans.tenant.request import TenantRequest


def refuse_lookalikes(name: str, facts: HostFacts) -> None:
    """Refuse a name that an account has in other case."""
    for other in sorted(facts.account_names):
        if other != name and other.casefold() == name.casefold():
            raise RefusedError(
                f"account {other} differs from {name} only by case",
                resolution="choose another name",
                code=Code.ACCOUNT_EXISTS,
                subject=name,
            )


def refuse_unasked(facts: HostFacts) -> None:
    """Refuse where libvirt does not ask polkit: a tenant could do everything with every machine."""
    for daemon in facts.unasked[:1]:
        raise RefusedError(
            f"{daemon.name} does not ask polkit: a tenant could do everything with every machine",
            resolution=f'write access_drivers = [ "polkit" ] in {daemon.file}, restart it',
            code=Code.NOT_ALLOWED,
            subject=daemon.name,
        )


def refuse_declarative(name: str, facts: HostFacts) -> None:
    """Refuse where accounts come from the host's configuration."""
    if facts.declarative:
        raise RefusedError(
            "this host's accounts are made from its configuration; ours would vanish",
            resolution=f"`raptorctl tenant add {name} --emit nix` prints what to put there",
        )


def refuse_unfit(account: Account, admin_groups: Iterable[str], *, adopt: bool) -> None:
    """Refuse an account that is there and cannot be a tenant's."""
    if not adopt:
        raise RefusedError(
            f"account {account.name} exists already",
            resolution=f"`raptorctl tenant add {account.name} --adopt` makes it a tenant's",
            code=Code.ACCOUNT_EXISTS,
            subject=account.name,
        )
    if not 1000 <= account.uid <= LAST_UID:
        raise RefusedError(
            f"account {account.name} has uid {account.uid}: it is the system's",
            code=Code.NOT_ALLOWED,
            subject=account.name,
        )
    if groups := account.bypassing(admin_groups):
        raise RefusedError(
            f"account {account.name} is in {', '.join(groups)} and can do everything",
            resolution="take it out of there first",
            code=Code.NOT_ALLOWED,
            subject=account.name,
        )


def refuse_anothers_number(account: Account, facts: HostFacts) -> None:
    """Refuse an account whose number was a tenant's: what they left would act for the account."""
    for number in (account.uid, account.gid):
        was = tombstone_of(number, facts)
        if was and not (was.adopted and was.name == account.name):
            raise RefusedError(
                f"account {account.name} has number {number}, which was tenant {was.name}'s",
                resolution=f"give it another: usermod --uid {facts.free_uid} {account.name}, "
                f"groupmod --gid {facts.free_uid} {account.name}",
            )


def refuse_other(tenant: Tenant, request: TenantRequest) -> None:
    """Refuse a tenant who is there otherwise than asked for."""
    account, record = tenant.account, tenant.record
    lacking = {key.blob for key in request.keys} - {key.blob for key in keys_of(tenant)}
    wishes = (
        (request.mode and request.mode is not tenant.mode, "mode", "set"),
        (request.expires and account and account.expires != request.expires, "last day", "set"),
        (request.quota != Quota() and record and record.quota != request.quota, "quota", "quota"),
        (lacking, "keys", "key add"),
    )
    for differs, what, command in wishes:
        if differs:
            raise RefusedError(
                f"tenant {tenant.name} is there, with other {what}",
                resolution=f"use `raptorctl tenant {command} {tenant.name}`",
                code=Code.TENANT_DIFFERS,
                subject=tenant.name,
            )
