"""Whose machine it will be: a tenant who is there, one made on the way, or one who may not."""

from collections.abc import Iterator
from dataclasses import dataclass

from raptorctl.errors import RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.settings import Settings
from raptorctl.model.ssh_key import PublicKey, keys_text
from raptorctl.model.tenant import GROUP, LAST_UID, Tenant, keys_path
from raptorctl.plans.part.session_host import refuse_other
from raptorctl.plans.plan import Identity
from raptorctl.plans.tenant.common import keys_of, refuse_half
from raptorctl.plans.tenant.membership import adding
from raptorctl.plans.tenant.request import TenantRequest
from raptorctl.steps.file import WriteFile
from raptorctl.steps.step import Step


@dataclass(frozen=True)
class Owner:
    """The tenant of a machine to be.

    Args:
        name: of the tenant.
        uid: their account's.
        steps: what makes them, or gives them a key they lack.
        notes: what the admin should know.
    """

    name: str
    uid: int
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()


def find_owner(
    name: str,
    keys: tuple[PublicKey, ...],
    settings: Settings,
    facts: HostFacts,
    identity: Identity,
) -> Owner:
    """Decide who will own a machine; on a host of one's own, its caller.

    Args:
        name: of the tenant.
        keys: that they are to have.
        settings: whose host it is.
        facts: the host.
        identity: of the job.

    Raises:
        RefusedError: they have expired, are there by half, or are somebody else.
    """
    if not settings.has_tenants:
        refuse_other(name, settings)
        return Owner(name, 0)
    tenant = facts.tenant(name)
    if tenant is None or (tenant.record is None and not _is_member(tenant)):
        return _new_owner(name, keys, facts, identity)
    refuse_half(tenant)
    _refuse_expired(tenant, identity)
    uid = tenant.account.uid if tenant.account else 0
    return Owner(name, uid, tuple(_key_steps(tenant, keys)), tuple(_notes(tenant)))


def qemu_id(owner: Owner, settings: Settings) -> int | None:
    """The uid and gid that the machine's QEMU runs under: no other tenant's has it.

    Returns:
        None where the settings switch it off, or the tenant's uid leaves no room for one.
    """
    base = settings.access.qemu_ids
    return base + owner.uid if base and owner.uid <= LAST_UID else None


def _new_owner(
    name: str, keys: tuple[PublicKey, ...], facts: HostFacts, identity: Identity
) -> Owner:
    steps = tuple(adding(TenantRequest(name, keys=keys), facts, identity))
    hint = f"{name} cannot log in before `raptorctl tenant key add {name} FILE`"
    return Owner(name, facts.free_uid, steps, () if keys else (hint,))


def _is_member(tenant: Tenant) -> bool:
    return bool(tenant.account and GROUP in tenant.account.groups)


def _refuse_expired(tenant: Tenant, identity: Identity) -> None:
    if tenant.expired(identity.at[:10]):
        raise RefusedError(
            f"tenant {tenant.name} has expired",
            resolution=f"`raptorctl tenant set {tenant.name} --expires never` lets them back in",
            code=Code.TENANT_EXPIRED,
            subject=tenant.name,
        )


def _key_steps(tenant: Tenant, keys: tuple[PublicKey, ...]) -> Iterator[Step]:
    there = keys_of(tenant) if keys else ()
    lacking = tuple(key for key in keys if key.blob not in {other.blob for other in there})
    if lacking:
        yield WriteFile(
            reason="they log in with these",
            what=f"{tenant.name}'s keys",
            path=keys_path(tenant.name),
            before=tenant.keys or None,
            text=keys_text(there + lacking),
        )


def _notes(tenant: Tenant) -> Iterator[str]:
    if tenant.record is None:
        yield (
            f"account {tenant.name} is in {GROUP}, and raptorctl has no record of it: no quota "
            f"holds (`raptorctl tenant add {tenant.name} --adopt`)"
        )
