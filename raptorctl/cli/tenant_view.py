"""Tenants as `tenant list`, `tenant show` and `tenant key list` print them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields

from raptorctl.api.tenant import TenantView
from raptorctl.cli.output import table, width_of_output
from raptorctl.model.tenant import Mode, Tenant
from raptorctl.plans.tenant.quota import Usage


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
    label = "shares"
    for share in view.shares:
        yield label, f"{share.machine} with {share.tenant}: {share.grant.value}, {share.told}"
        label = ""
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


def key_rows(keys: Iterable[Mapping[str, str]]) -> list[str]:
    """Lay out a tenant's keys, of their shape in JSON."""
    cells = [(key["type"], key["fingerprint"], key["comment"]) for key in keys]
    return table(("TYPE", "FINGERPRINT", "COMMENT"), cells, columns=width_of_output())


def quota_rows(view: TenantView) -> list[str]:
    """Lay out how much a tenant has, and of how much."""
    cells = []
    for field in fields(Usage):
        limit = getattr(view.quota, field.name)
        said = "no limit" if limit is None else str(limit)
        cells.append((field.name, str(getattr(view.has, field.name)), said))
    return table(("WHAT", "HAS", "QUOTA"), cells, right=("HAS", "QUOTA"))
