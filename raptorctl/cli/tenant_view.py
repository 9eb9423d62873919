"""Tenants as `tenant list`, `tenant show` and `tenant key list` print them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from raptorctl.cli.output import table, width_of_output
from raptorctl.errors import RefusedError
from raptorctl.model.codec import encode
from raptorctl.model.facts import HostFacts
from raptorctl.model.ssh_key import PublicKey
from raptorctl.model.tenant import GROUP, Mode, Quota, Tenant
from raptorctl.plans.quota import Usage, machines_of, usage
from raptorctl.plans.tenants import keys_of


@dataclass(frozen=True)
class TenantView:
    """A tenant with what they have.

    Args:
        tenant: account, record and keys.
        machines: the names of their machines.
        has: how much of everything.
        keys: their public keys; none where somebody else wrote in their file.
        state: `active`, `expired`, `keys edited`, `no account` or `no record`.
    """

    tenant: Tenant
    machines: tuple[str, ...]
    has: Usage
    keys: tuple[PublicKey, ...]
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
    return TenantView(tenant, machines_of(name, facts), usage(name, facts), keys, state)


def _state(tenant: Tenant, today: str) -> str:
    if tenant.record is None:
        return "no record"
    if not tenant.ours:
        return "no account"
    return "expired" if tenant.expired(today) else "active"


def rows(found: Iterable[TenantView]) -> list[str]:
    """Lay out the list; what has a limit is shown beside it."""
    head = ("TENANT", "MODE", "STATE", "KEYS", "MACHINES", "CPUS", "MEMORY", "SIZE")
    cells = [
        (v.tenant.name, _mode(v.tenant.mode), v.state, str(len(v.keys)), *_shares(v)) for v in found
    ]
    return table(head, cells, right=head[3:], columns=width_of_output())


def _mode(mode: Mode | None) -> str:
    return mode.value if mode else "-"


def _shares(view: TenantView) -> Iterator[str]:
    for field in fields(Usage):
        limit = getattr(view.quota, field.name)
        has = getattr(view.has, field.name)
        yield f"{has}" if limit is None else f"{has}/{limit}"


def lines(view: TenantView) -> Iterator[tuple[str, str]]:
    """Everything about one tenant, as label and value."""
    record, account = view.tenant.record, view.tenant.account
    yield "tenant", view.tenant.name
    yield "state", view.state
    yield "mode", _mode(view.tenant.mode)
    if account:
        yield "account", f"uid {account.uid}, {account.home or 'no home'}"
        yield "expires", account.expires or "never"
    yield "quota", str(view.quota)
    yield "has", _has(view.has)
    yield "machines", ", ".join(view.machines) or "-"
    label = "keys"
    for key in view.keys:
        yield label, f"{key.fingerprint} {key.comment}".rstrip()
        label = ""
    if record:
        yield "made by", f"{record.created_by}, {record.created}{_whence(view.tenant)}"
        yield "job", record.job


def _has(has: Usage) -> str:
    return ", ".join(f"{field.name}={getattr(has, field.name)}" for field in fields(Usage))


def _whence(tenant: Tenant) -> str:
    return " (the account was there before)" if tenant.record and tenant.record.adopted else ""


def key_rows(view: TenantView) -> list[str]:
    """Lay out a tenant's keys."""
    cells = [(key.type, key.fingerprint, key.comment) for key in view.keys]
    return table(("TYPE", "FINGERPRINT", "COMMENT"), cells, columns=width_of_output())


def quota_rows(view: TenantView) -> list[str]:
    """Lay out how much a tenant has, and of how much."""
    cells = []
    for field in fields(Usage):
        limit = getattr(view.quota, field.name)
        said = "no limit" if limit is None else str(limit)
        cells.append((field.name, str(getattr(view.has, field.name)), said))
    return table(("WHAT", "HAS", "QUOTA"), cells, right=("HAS", "QUOTA"))
