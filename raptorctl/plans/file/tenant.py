"""Tenants that a file of machines asks for, beside those that are there."""

from collections.abc import Iterator
from dataclasses import replace

from raptorctl.errors import RaptorError
from raptorctl.model.facts import HostFacts
from raptorctl.model.file_plan import Due, FileWish, Row, WantedTenant
from raptorctl.model.ssh_key import keys_text
from raptorctl.model.tenant import GROUP, Account, Quota, Tenant, TenantRecord
from raptorctl.plans.plan import Identity
from raptorctl.plans.tenant.common import keys_of


def laid_in(wish: FileWish, facts: HostFacts, identity: Identity) -> tuple[Tenant, ...]:
    """Return the tenants as they are when the machines' turn comes, with what the file says.

    Args:
        wish: what the file asks for.
        facts: the host, before.
        identity: of a job that might be.
    """
    later = {tenant.name: tenant for tenant in facts.tenants}
    for wanted in wish.tenants:
        tenant = later.get(wanted.name)
        if tenant is None or not tenant.record:
            later[wanted.name] = _new(wanted, facts, identity)
        elif wanted.quota is not None:
            record = replace(tenant.record, quota=wanted.quota)
            later[wanted.name] = replace(tenant, record=record)
    return tuple(later.values())


def _new(wanted: WantedTenant, facts: HostFacts, identity: Identity) -> Tenant:
    uid = facts.free_uid
    return Tenant(
        wanted.name,
        TenantRecord(
            name=wanted.name,
            uid=uid,
            adopted=False,
            job=identity.job,
            created=identity.at,
            created_by=identity.by,
            quota=wanted.quota or Quota(),
        ),
        Account(wanted.name, uid, uid, groups=frozenset({GROUP})),
        keys_text(wanted.keys),
    )


def differing(wanted: WantedTenant, facts: HostFacts) -> Iterator[Row]:
    """Say in what a tenant differs from what the file says.

    Args:
        wanted: what it says.
        facts: the host.
    """
    tenant = facts.tenant(wanted.name)
    if tenant is None or not tenant.record:
        quota = wanted.quota or Quota()
        said = f"{len(wanted.keys)} key{'s' * (len(wanted.keys) != 1)}, quota {quota}"
        yield Row(wanted.name, "tenant", "absent", said, Due.NOW)
        return
    try:
        yield from _lacking(wanted, tenant)
    except RaptorError as error:
        yield Row(wanted.name, "keys", "edited", "ours", Due.REFUSED, str(error))
    if wanted.quota is not None and wanted.quota != tenant.record.quota:
        yield Row(wanted.name, "quota", str(tenant.record.quota), str(wanted.quota), Due.NOW)


def _lacking(wanted: WantedTenant, tenant: Tenant) -> Iterator[Row]:
    known = {key.blob for key in keys_of(tenant)}
    if lacking := [key for key in wanted.keys if key.blob not in known]:
        names = ", ".join(key.comment or key.fingerprint for key in lacking)
        yield Row(wanted.name, "keys", "without", names, Due.NOW)
