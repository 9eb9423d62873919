"""Whether what a tenant asks for is within the policy of the settings. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from raptorctl.errors import RefusedError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.error_code import Code
from raptorctl.model.expiry import NEVER, day_of, plus
from raptorctl.model.facts import HostFacts
from raptorctl.model.names import MachineName
from raptorctl.model.petition import Petition, Petitioner
from raptorctl.model.policy import RequestPolicy
from raptorctl.model.settings import Settings
from raptorctl.model.sizes import Size
from raptorctl.model.snapshot import snapshots
from raptorctl.model.spec import MachineSpec
from raptorctl.plans.tenant.quota import machines_of


def refuse_unasked(petition: Petition, settings: Settings) -> None:
    """Refuse what the policy lets nobody ask for, not even of an admin.

    Raises:
        RefusedError: says what can be asked for.
    """
    allowed = settings.requests.verbs
    if petition.right in allowed:
        return
    can = f"tenants can ask for {', '.join(allowed)}" if allowed else "ask an admin"
    raise RefusedError(
        f"{petition.right} cannot be requested on this host", resolution=can, code=Code.NOT_ALLOWED
    )


def refuse_stranger(who: Petitioner, settings: Settings, facts: HostFacts, today: str) -> None:
    """Refuse who is no tenant, or not any more, or another of the same name, or an admin.

    Raises:
        RefusedError: says which.
    """
    tenant = facts.tenant(who.tenant)
    account = tenant.account if tenant else None
    if tenant is None or not tenant.ours or account is None or account.uid != who.uid:
        problem = f"{who.tenant} is no tenant of raptorctl's on this host"
    elif tenant.expired(today):
        problem = f"tenant {who.tenant} has expired"
    elif groups := account.bypassing(settings.access.admin_groups):
        problem = f"{who.tenant} is in {groups[0]}, so an admin: use raptorctl without request"
    else:
        return
    raise RefusedError(problem, code=Code.NOT_ALLOWED, subject=who.tenant)


@dataclass(frozen=True)
class PetitionWish:
    """A petition, and what comes of it.

    Args:
        petition: what is asked for.
        name: of the machine.
        spec: what it should be by it, its profiles laid below.
    """

    petition: Petition
    name: MachineName
    spec: MachineSpec


def beyond(wish: PetitionWish, settings: Settings, facts: HostFacts, today: str) -> tuple[str, ...]:
    """Say in what a petition is more than the policy allows; nothing where it is within.

    Args:
        wish: what is asked for.
        settings: the policy.
        facts: the host.
        today: ISO 8601.
    """
    petition, spec, name, policy = wish.petition, wish.spec, wish.name, settings.requests
    match petition.verb:
        case "provision":
            return (*_new(petition, spec, policy), *_more(name, policy, facts),
                    *_sizes(spec, settings), *_expiry(spec, policy, today))  # fmt: skip
        case "resize":
            return tuple(_sizes(spec, settings, new=False))
        case "rebuild":
            return tuple(_image(petition.image, policy))
        case "snapshot-create":
            return tuple(_snapshots(name, policy, facts))
    return ()


def _new(petition: Petition, spec: MachineSpec, policy: RequestPolicy) -> Iterator[str]:
    for profile in petition.profile:
        if profile not in policy.profiles:
            yield f"profile {profile} is not one of {_listed(policy.profiles)}"
    if petition.image or not (petition.profile and spec.image):  # a profile's own goes with it
        yield from _image(petition.image or "", policy)


def _image(image: str | None, policy: RequestPolicy) -> Iterator[str]:
    if image is not None and image not in policy.images:
        what = f"image {image}" if image else "an empty disk"
        yield f"{what} is not one of {_listed(policy.images)}"


def _more(name: MachineName, policy: RequestPolicy, facts: HostFacts) -> Iterator[str]:
    count = len({*machines_of(name.tenant, facts), str(name)})
    if count > policy.machines:
        yield f"it would be machine {count} of at most {policy.machines}"


def _sizes(spec: MachineSpec, settings: Settings, *, new: bool = True) -> Iterator[str]:
    policy = settings.requests
    memory = spec.memory or (settings.machine.memory if new else None)
    cpus = len(spec.cpus) if isinstance(spec.cpus, CpuSet) else spec.cpus
    added = (disk.size for disk in (spec.disks or {}).values())
    size = Size((spec.size or 0) + sum(bytes_ or 0 for bytes_ in added))
    if size > policy.size:
        yield f"{size} of disk is more than {policy.size}"
    if (cpus or 0) > policy.cpus:
        yield f"{cpus} CPUs are more than {policy.cpus}"
    if (memory or 0) > policy.memory:
        yield f"{memory} of memory is more than {policy.memory}"


def _expiry(spec: MachineSpec, policy: RequestPolicy, today: str) -> Iterator[str]:
    last = plus(today, policy.longest_days)
    day = day_of(spec.expires or NEVER, today)
    if not day:
        yield "it would never expire"
    elif day > last:
        yield f"{day} is more than {policy.longest_days} days away"


def _snapshots(name: MachineName, policy: RequestPolicy, facts: HostFacts) -> Iterator[str]:
    count = len(snapshots(facts.volumes, name)) + 1
    if count > policy.snapshots:
        yield f"it would be snapshot {count} of at most {policy.snapshots}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
