"""What plans on tenants share: who is one, and the steps that keep account and record."""

from collections.abc import Iterable

from raptorctl.errors import InputError, RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.ssh_key import PublicKey, read_keys_text
from raptorctl.model.tenant import (
    CONSOLE_GROUP,
    GROUP,
    Account,
    Mode,
    Tenant,
    TenantRecord,
    keys_path,
    record_path,
    record_text,
)
from raptorctl.model.tombstone import Tombstone
from raptorctl.plans.plan import Identity, Plan
from raptorctl.steps.account import SetAccount
from raptorctl.steps.file import WriteFile
from raptorctl.steps.step import Step


def whole(name: str, facts: HostFacts) -> Tenant:
    """Return the tenant of that name.

    Raises:
        RefusedError: there is none, or only half of one.
    """
    tenant = facts.tenant(name)
    if tenant is None or (tenant.record is None and GROUP not in _groups(tenant)):
        raise RefusedError(
            f"there is no tenant {name}",
            resolution="see `raptorctl tenant list`",
            code=Code.TENANT_NOT_FOUND,
            subject=name,
        )
    refuse_half(tenant)
    return tenant


def keys_of(tenant: Tenant) -> tuple[PublicKey, ...]:
    """A tenant's keys.

    Raises:
        RefusedError: somebody else wrote in the file.
    """
    try:
        return read_keys_text(tenant.keys)
    except InputError as error:
        raise RefusedError(
            f"{keys_path(tenant.name)} was edited: {error.brief}",
            resolution="move it away",
            code=Code.TENANT_INCOMPLETE,
            subject=tenant.name,
        ) from error


def tenant_plan(
    verb: str, name: str, identity: Identity, steps: Iterable[Step], summary: str
) -> Plan:
    """Lay out a job on a tenant; while it is open, nobody else works on them."""
    return Plan(verb, identity, Reservation(identity.job, name), tuple(steps), summary)


def refuse_half(tenant: Tenant | None) -> None:
    """Refuse a record without its account.

    Raises:
        RefusedError: says how what is left goes away.
    """
    if tenant is None or tenant.ours:
        return
    if tenant.record is not None:
        what = "no account" if tenant.account is None else "another's account"
        raise RefusedError(
            f"tenant {tenant.name} has a record and {what}",
            resolution=f"`raptorctl tenant remove {tenant.name}` takes away what is left of them",
            code=Code.TENANT_INCOMPLETE,
            subject=tenant.name,
        )


def record_step(record: TenantRecord, before: str | None = None) -> WriteFile:
    """Write a record; `before` is the text of the file as it is, None where there is none."""
    return WriteFile(
        reason="whose account it is, and how much they may have",
        what=f"{record.name}'s record",
        path=record_path(record.name),
        before=before,
        text=record_text(record),
    )


def set_account(account: Account, mode: Mode, expires: str, reason: str) -> SetAccount:
    """Give a tenant's account a mode and a last day ("" for none), and our groups."""
    ours = {GROUP, CONSOLE_GROUP} if mode is Mode.CONSOLE else {GROUP}
    stays = Tenant(account.name, account=account).mode is mode
    return SetAccount(
        reason=reason,
        name=account.name,
        uid=account.uid,
        shell=(account.shell, account.shell if stays else mode.shell),
        expires=(account.expires, expires),
        join=tuple(sorted(ours - account.groups)),
        leave=tuple(sorted(({CONSOLE_GROUP} & account.groups) - ours)),
    )


def _groups(tenant: Tenant) -> frozenset[str]:
    return tenant.account.groups if tenant.account else frozenset()


def tombstone_of(number: int, facts: HostFacts) -> Tombstone | None:
    """Return who had a number before, if a tenant did who is gone."""
    return next((one for one in facts.removed if one.uid == number), None)
