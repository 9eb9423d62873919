"""How much a tenant has, and whether more is too much."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

from raptorctl.errors import RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.facts import Coming, HostFacts
from raptorctl.model.names import split_disk, split_domain, split_snapshot, split_volume
from raptorctl.model.sizes import Size
from raptorctl.model.tenant import Tenant

WORDS = {"machines": "machines", "cpus": "CPUs", "memory": "of memory", "size": "of disk"}


@dataclass(frozen=True)
class Usage:
    """What somebody has, or asks for; the fields are those of a quota.

    Args:
        machines: how many, running or not.
        cpus: virtual CPUs of all of them.
        memory: bytes of all of them.
        size: bytes of all disks, kept ones too, and snapshots.
    """

    machines: int = 0
    cpus: int = 0
    memory: Size = Size(0)
    size: Size = Size(0)


def machines_of(tenant: str, facts: HostFacts) -> tuple[str, ...]:
    """The names of all domains and volumes that are the tenant's by name, and of jobs at work."""
    names = [split_domain(domain.name) for domain in facts.domains]
    names += [split_volume(volume.name) for volume in facts.volumes]
    names += [split_domain(kept.machine) for kept in facts.reservations]
    return tuple(sorted({str(name) for name in names if name and name.tenant == tenant}))


def usage(tenant: str, facts: HostFacts) -> Usage:
    """Add up what a tenant has, by names: what polkit gives them counts, whoever made it."""
    domains = [d for d in facts.domains if _owner(d.name) == tenant]
    defined = {domain.name for domain in domains}
    begun = [
        kept
        for kept in facts.reservations
        if _owner(kept.machine) == tenant and kept.machine not in defined
    ]
    coming = [kept for kept in begun if isinstance(kept, Coming)]
    volumes = [v for v in facts.volumes if _holder(v.name) == tenant]
    return Usage(
        machines=len(machines_of(tenant, facts)),
        cpus=sum(d.most_cpus for d in domains) + sum(len(kept.cpus) for kept in begun),
        memory=Size(sum(d.held_memory for d in domains) + sum(kept.memory for kept in coming)),
        size=Size(sum(v.size for v in volumes) + sum(kept.size for kept in coming)),
    )


def refuse_over(tenant: Tenant, asked: Usage, facts: HostFacts) -> None:
    """Refuse what would be more than the tenant's quota.

    Raises:
        RefusedError: with the arithmetic.
    """
    if problems := list(_excesses(tenant, asked, facts)):
        raise RefusedError(
            "; ".join(problems),
            resolution=f"see `raptorctl tenant quota {tenant.name}`",
            code=Code.QUOTA_EXCEEDED,
            subject=tenant.name,
        )


def _excesses(tenant: Tenant, asked: Usage, facts: HostFacts) -> Iterator[str]:
    quota, has = tenant.record and tenant.record.quota, usage(tenant.name, facts)
    for name in (field.name for field in fields(Usage)) if quota else ():
        limit, now, more = getattr(quota, name), getattr(has, name), getattr(asked, name)
        if limit is not None and more and now + more > limit:
            yield f"{tenant.name} has {now} of {limit} {WORDS[name]}; {more} more asked"


def _holder(volume: str) -> str | None:
    """Whose disk, first or further, or snapshot of one, a volume is."""
    if said := split_snapshot(volume) or split_disk(volume):
        return said[0].tenant
    name = split_volume(volume)
    return name.tenant if name else None


def _owner(domain: str) -> str | None:
    name = split_domain(domain)
    return name.tenant if name else None
