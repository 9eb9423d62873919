"""Tenants that are there by half: an account without a record, a record without its account."""

from raptorctl.model.tenant import (
    ACCOUNT_MARK,
    GROUP,
    Account,
    Mode,
    Tenant,
    record_path,
)
from raptorctl.plans.doctor.fault import NOBODY, Fault, Faults, Scene, mended
from raptorctl.plans.tenant.common import set_account
from raptorctl.plans.tenant.membership import plan_remove
from raptorctl.steps.file import WriteFile
from raptorctl.steps.step import Step

CHECK = "tenants"


def tenants(scene: Scene, today: str) -> Faults:
    """Find every half of a tenant, and who can no longer log in.

    Args:
        scene: where to look.
        today: ISO 8601.
    """
    for tenant in scene.facts.tenants:
        account, record = tenant.account, tenant.record
        if scene.in_work(tenant.name, record.job if record else None):
            continue
        if record is None and account and GROUP in account.groups:
            yield _without_record(scene, tenant, account)
        elif record is not None and not tenant.ours:
            yield _half(scene, tenant)
        elif tenant.ours and tenant.expired(today) and account:
            yield Fault(
                CHECK,
                tenant.name,
                f"tenant {tenant.name} cannot log in since {account.expires}",
                f"raptorctl tenant set {tenant.name} --expires never, or tenant remove",
            )


def _without_record(scene: Scene, tenant: Tenant, account: Account) -> Fault:
    """An account of ours gets the record that a job once wrote; another's is left alone."""
    text = scene.past.record(tenant.name) if account.comment.startswith(ACCOUNT_MARK) else None
    steps: tuple[Step, ...] = ()
    if text is not None:
        path, what = record_path(tenant.name), f"{tenant.name}'s record"
        steps = (WriteFile("it is lost, and a job wrote it so", what, path, None, text),)
    return Fault(
        CHECK,
        tenant.name,
        f"account {tenant.name} is in {GROUP}, but no tenant",
        f"gpasswd -d {tenant.name} {GROUP}, or raptorctl tenant add {tenant.name} --adopt",
        steps=steps,
    )


def _half(scene: Scene, tenant: Tenant) -> Fault:
    account, record = tenant.account, tenant.record
    same = account if account and record and account.uid == record.uid else None
    lacks = f"is not in {GROUP}" if same else "has no account" if not account else "is another's"
    return Fault(
        CHECK,
        tenant.name,
        f"tenant {tenant.name} {lacks}",
        "raptorctl doctor --fix" if same else f"raptorctl tenant remove {tenant.name}",
        steps=_joined(tenant, same) if same else _removed(scene, tenant),
    )


def _joined(tenant: Tenant, account: Account) -> tuple[Step, ...]:
    mode = tenant.mode or Mode.SHELL
    return (set_account(account, mode, account.expires, "polkit knows them by it"),)


def _removed(scene: Scene, tenant: Tenant) -> tuple[Step, ...]:
    return mended(lambda: plan_remove(tenant.name, scene.facts, NOBODY).steps)
