"""What stands, as a file of machines would say it: laid beside that file, nothing differs. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from raptorctl.errors import RefusedError
from raptorctl.model.disk import disks
from raptorctl.model.domain import Domain, Mark
from raptorctl.model.facts import HostFacts
from raptorctl.model.made import Made, read_made
from raptorctl.model.medium import digest_in, inserted
from raptorctl.model.names import MachineName
from raptorctl.model.net import NetKind
from raptorctl.model.seed import Network
from raptorctl.model.settings import Settings
from raptorctl.model.spec import BOOT_WORDS, CLOUD_TEXTS, MachineSpec
from raptorctl.plans.machine import existing
from raptorctl.plans.machine.existing import Existing
from raptorctl.plans.part import cpus, seed
from raptorctl.plans.tenant.common import keys_of
from raptorctl.render.disk_xml import bus_of
from raptorctl.render.read_domain import read_domain, read_graphics


@dataclass(frozen=True)
class Exported:
    """A table of a file.

    Args:
        path: `("machine", "alice-web")`.
        said: its keys.
        comments: what could not be said, one line each.
    """

    path: tuple[str, str]
    said: dict[str, Any]
    comments: tuple[str, ...] = ()


def export(
    settings: Settings, facts: HostFacts, tenant: str | None = None, machine: str | None = None
) -> tuple[Exported, ...]:
    """Say what stands.

    Args:
        settings: the host's.
        facts: the host.
        tenant: only this one's machines.
        machine: only this one of them.
    """
    names = sorted(
        domain.mark.name
        for domain in facts.domains
        if domain.ours
        and domain.mark
        and tenant in {None, domain.mark.tenant}
        and machine in {None, domain.mark.machine}
    )
    tenants = {name.tenant for name in names} | ({tenant} if tenant else set())
    shared = settings.has_tenants
    there = [table for name in sorted(tenants) for table in _tenant(name, facts)] if shared else []
    return (*there, *(_machine(name, settings, facts) for name in names))


def _tenant(name: str, facts: HostFacts) -> Iterator[Exported]:
    tenant = facts.tenant(name)
    if tenant is None or tenant.record is None:
        return
    said: dict[str, Any] = {}
    comments = []
    try:
        if keys := keys_of(tenant):
            said["keys"] = [str(key) for key in keys]
    except RefusedError as error:
        comments.append(f"keys: {error.brief}")
    quota = tenant.record.quota
    if limits := {f.name: v for f in fields(quota) if (v := getattr(quota, f.name)) is not None}:
        said["quota"] = limits
    yield Exported(("tenant", name), said, tuple(comments))


def _machine(name: MachineName, settings: Settings, facts: HostFacts) -> Exported:
    shared = settings.has_tenants
    path = ("machine", str(name) if shared else name.machine)
    try:
        there = existing.find(name, facts)
    except RefusedError as error:
        return Exported(path, {}, (f"it is not whole: {error.brief}",))
    if there is None:
        return Exported(path, {}, ("it is not there",))
    made = read_made(there.mark.made)
    image, lost = _image(there.mark, facts)
    iso, strange = _iso(there.domain, facts)
    said = {
        "image": image,
        "iso": iso,
        "size": there.volume.size,
        "cpus": there.domain.pins or there.domain.vcpus,
        "emulator_cpus": cpus.emulator_asked(there.domain),
        "share": bool(there.mark.shares) or None,
        "memory": there.domain.memory,
        "slot": there.mark.place,
        "net": _net(there, facts),
        "template": there.mark.template,
        **_form(there, settings, facts),
        "disks": _disks(there, facts),
        "seed": _seed(there, image),
        "expires": there.mark.expires or None,
        **_told(name, made),
    }
    kept = {key: value for key, value in said.items() if value is not None}
    return Exported(path, kept, (*lost, *strange, *_untold(made)))


def _form(there: Existing, settings: Settings, facts: HostFacts) -> dict[str, Any]:
    """What of its definition is not as its template, or the settings, would have it."""
    itself: dict[str, Any] = {"secure_boot": settings.libvirt.secure_boot}
    if template := facts.templates.get(there.mark.template):
        plain = read_domain(template)
        itself = {key: read(plain) for key, read in FORM.items()} | itself
    found = {key: read(there.domain) for key, read in FORM.items()}
    return {key: value for key, value in found.items() if value != itself.get(key)}


def _net(there: Existing, facts: HostFacts) -> tuple[str, ...] | None:
    """Its interfaces, where they are not what its host, and its template, give by themselves."""
    template = facts.templates.get(there.mark.template)
    given = read_domain(template).others if template else ()
    nets = tuple(net for net in there.domain.nets if net not in given)
    plain = {NetKind.SLOT, NetKind.USER}
    return nets if any(net.forwards or net.kind not in plain for net in nets) else None


def _disks(there: Existing, facts: HostFacts) -> dict[str, Any] | None:
    """Its further disks; what a file says of them it makes where they are missing."""
    found = {
        one.name: {
            "size": one.volume.size,
            "keep": one.volume.kept or None,
            "image": next((i.name for i in facts.images if i.digest == one.volume.image), None),
            "bus": bus if (bus := bus_of(there.domain.xml, one.volume.path)) != "virtio" else None,
        }
        for one in disks(facts.volumes, there.mark.name)
        if one.volume.path in there.domain.disks
    }
    said = {name: {k: v for k, v in one.items() if v is not None} for name, one in found.items()}
    return said or None


def _boot(domain: Domain) -> tuple[str, ...] | None:
    words = tuple(BOOT_WORDS.get(one, "") for one in domain.boot)
    return words if words and all(words) else None


FORM: Final[Mapping[str, Callable[[Domain], Any]]] = {
    "graphics": lambda domain: read_graphics(domain.xml),
    "hugepages": lambda domain: domain.hugepages or None,
    "tpm": lambda domain: domain.tpm,
    "secure_boot": lambda domain: domain.secure_boot,
    "boot": _boot,
}
"""Keys of a spec that a definition shows by itself, beside its numbers."""
EXPORTED: Final = frozenset(
    {*FORM, "image", "size", "cpus", "emulator_cpus", "share", "memory", "slot", "net", "template"}
    | {"seed", "disks", "iso", "expires"}
)
"""Keys that are exported by their own rules; what a mark keeps in `made` is exported as well."""


def _image(mark: Mark, facts: HostFacts) -> tuple[str | None, tuple[str, ...]]:
    """What its disk began as, by its name if that still means the same; and what is not known."""
    if not mark.image:
        return None, ()
    same = [image for image in facts.images if image.digest == mark.image_digest]
    if not same:
        return None, (f"image: {mark.image}, which is not in the cache any more",)
    named = any(image.name == mark.image_name for image in same)
    return mark.image_name if named else mark.image_digest, ()


def _iso(domain: Domain, facts: HostFacts) -> tuple[str | None, tuple[str, ...]]:
    """What is in its CD drive, by a name of it."""
    path = inserted(domain)
    digest = digest_in(path)
    name = next((image.name for image in facts.images if digest == image.digest), None)
    lost = path and name is None
    return name, (f"iso: {path}, which is no image in the cache",) if lost else ()


def _seed(there: Existing, image: str | None) -> bool | None:
    """Whether it has a seed, where that is not what an image, or none, makes of itself."""
    has = bool(seed.attached(there.domain))
    return None if has == bool(image) else has


def _told(name: MachineName, made: Made | None) -> dict[str, Any]:
    """What its cloud-init was told, and would not be told by itself."""
    if made is None or not made.spec.seed:
        return {}
    itself = {"account": name.tenant, "hostname": name.domain, "network": Network.DHCP}
    told = {one.name: getattr(made.spec, one.name) for one in fields(MachineSpec)}
    return {
        key: value
        for key, value in told.items()
        if value and key not in {"profile", "seed"} and value != itself.get(key)
    }


def _untold(made: Made | None) -> Iterator[str]:
    if made is None:
        yield "what its cloud-init was told is not known: its mark is from before that was kept"
        return
    for key in CLOUD_TEXTS:
        if digest := getattr(made, key):
            yield f"{key}: a file of SHA-256 {digest}, which is not kept"
