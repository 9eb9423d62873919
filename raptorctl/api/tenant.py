"""Tenants: who owns machines, how they log in, how much they may have."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from raptorctl.api.change import Change
from raptorctl.api.session import Session
from raptorctl.errors import MissingError, RefusedError
from raptorctl.model.codec import encode
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.settings import Settings
from raptorctl.model.share import Share
from raptorctl.model.ssh_key import PublicKey
from raptorctl.model.tenant import GROUP, Mode, Quota, Tenant
from raptorctl.plans.plan import Identity, Plan
from raptorctl.plans.tenant import change as changes
from raptorctl.plans.tenant import membership as plans
from raptorctl.plans.tenant.common import keys_of
from raptorctl.plans.tenant.quota import Usage, machines_of, usage
from raptorctl.plans.tenant.request import TenantRequest

Decide = Callable[[Settings, HostFacts, Identity], Plan]


@dataclass(frozen=True)
class TenantView:
    """A tenant with what they have.

    Args:
        tenant: account, record and keys.
        machines: the names of their machines.
        has: how much of everything.
        keys: their public keys; none where somebody else wrote in their file.
        shares: what they share, and what is shared with them.
        state: `active`, `expired`, `keys edited`, `no account` or `no record`.
    """

    tenant: Tenant
    machines: tuple[str, ...]
    has: Usage
    keys: tuple[PublicKey, ...]
    shares: tuple[Share, ...]
    state: str

    @property
    def quota(self) -> Quota:
        """How much they may have."""
        return self.tenant.record.quota if self.tenant.record else Quota()

    def encode(self) -> dict[str, Any]:
        """Return the shape that `tenant list -o json` and `tenant show -o json` document."""
        record, account, mode = self.tenant.record, self.tenant.account, self.tenant.mode
        return {
            "name": self.tenant.name,
            "state": self.state,
            "mode": mode.value if mode else None,
            "uid": account.uid if account else None,
            "expires": account.expires if account else "",
            "adopted": record.adopted if record else True,
            "keys": [
                {"type": key.type, "fingerprint": key.fingerprint, "comment": key.comment}
                for key in self.keys
            ],
            "machines": list(self.machines),
            "shares": [share.encode() for share in self.shares],
            "usage": encode(self.has),
            "quota": encode(self.quota),
            "created": record.created if record else "",
            "created_by": record.created_by if record else "",
            "job": record.job if record else "",
        }


def views(facts: HostFacts) -> tuple[TenantView, ...]:
    """Everybody who has a record of ours or is in our group, by name."""
    today = datetime.now(UTC).date().isoformat()
    return tuple(_view(tenant, facts, today) for tenant in facts.tenants if _is_one(tenant))


def _is_one(tenant: Tenant) -> bool:
    return bool(tenant.record or (tenant.account and GROUP in tenant.account.groups))


def _view(tenant: Tenant, facts: HostFacts, today: str) -> TenantView:
    name, state = tenant.name, _state(tenant, today)
    keys: tuple[PublicKey, ...] = ()
    try:
        keys = keys_of(tenant)
    except RefusedError:
        state = "keys edited"
    shares = facts.shares.of_tenant(name)
    return TenantView(tenant, machines_of(name, facts), usage(name, facts), keys, shares, state)


def _state(tenant: Tenant, today: str) -> str:
    if tenant.record is None:
        return "no record"
    if not tenant.ours:
        return "no account"
    return "expired" if tenant.expired(today) else "active"


def every(session: Session) -> tuple[TenantView, ...]:
    """Return all tenants, by name; needs root."""
    session.require_root()
    return views(session.facts())


def find(session: Session, name: str) -> TenantView:
    """Return one tenant; needs root.

    Raises:
        MissingError: there is none of that name.
    """
    session.require_root()
    for view in views(session.facts(people=(name,))):
        if view.tenant.name == name:
            return view
    raise MissingError(
        f"there is no tenant {name}",
        resolution="see `raptorctl tenant list`",
        code=Code.TENANT_NOT_FOUND,
        subject=name,
    )


def add(request: TenantRequest) -> Change:
    """Make an account that sees the machines named after it, and no others."""
    return _change(
        "tenant-add",
        request.name,
        lambda settings, facts, identity: plans.plan_add(
            request, facts, identity, settings.access.admin_groups
        ),
    )


def set_login(name: str, mode: Mode | None, until: str | None) -> Change:
    """Change how a tenant logs in, and until when; None leaves it as it is.

    Args:
        name: the tenant's.
        mode: what they get at login.
        until: the first day without login, `2027-03-31`, or "" for never.
    """
    return _change(
        "tenant-set",
        name,
        lambda _settings, facts, identity: changes.plan_set(name, mode, until, facts, identity),
    )


def set_quota(name: str, quota: Quota) -> Change:
    """Say how much a tenant may have."""
    return _change(
        "tenant-quota",
        name,
        lambda _settings, facts, identity: changes.plan_quota(name, quota, facts, identity),
    )


def remove(name: str) -> Change:
    """Remove a tenant without machines: keys, sessions, and the account if we made it."""
    return _change(
        "tenant-remove",
        name,
        lambda _settings, facts, identity: plans.plan_remove(name, facts, identity),
    )


def add_keys(name: str, keys: tuple[PublicKey, ...]) -> Change:
    """Let a tenant log in with more keys."""
    return _change(
        "tenant-key",
        name,
        lambda _settings, facts, identity: changes.plan_keys(name, facts, identity, add=keys),
    )


def remove_key(name: str, which: str) -> Change:
    """Take a key away, named by its fingerprint or comment; open sessions stay open."""
    return _change(
        "tenant-key",
        name,
        lambda _settings, facts, identity: changes.plan_keys(name, facts, identity, remove=which),
    )


def _change(verb: str, name: str, decide: Decide) -> Change:
    return Change(verb=verb, name=name, people=(name,), decide=decide)
