"""Seeds: what a machine is told at its first boot, and the file that says so."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Protocol

from raptorctl.errors import RefusedError
from raptorctl.model.domain import Domain
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.made import Made, digest_of, made_text
from raptorctl.model.names import MachineName
from raptorctl.model.seed import FirstBoot, Network, SeedGuest
from raptorctl.model.session_host import login_key_path, mac_of
from raptorctl.model.settings import Settings
from raptorctl.model.sizes import Size
from raptorctl.model.slot import Slot
from raptorctl.model.spec import CLOUD_TEXTS, MachineSpec
from raptorctl.model.ssh_key import PublicKey
from raptorctl.plans.plan import Identity
from raptorctl.plans.tenant.common import keys_of
from raptorctl.render.read_domain import console_device
from raptorctl.steps.step import Step

if TYPE_CHECKING:
    from raptorctl.plans.machine.choice import ProvisionRequest


def attached(domain: Domain) -> str:
    """The seed that a machine has, wherever the settings had it when it was made, or ""."""
    mine = f"/{domain.name}-seed.iso"
    return next((disk for disk in domain.disks if disk.endswith(mine)), "")


def seed_path(name: MachineName, settings: Settings) -> str:
    """The file that a machine's seed is in."""
    return f"{settings.images.seed_dir}/{name.seed}"


def guest(
    name: MachineName,
    slot: Slot | None,
    template: str,
    settings: Settings,
    identity: Identity,
) -> SeedGuest:
    """Say of a machine what its seed has to know.

    Args:
        name: whose, and which.
        slot: its place on the network.
        template: the domain's XML, or its template's: which console it has.
        settings: the host's.
        identity: of the job: a new one makes cloud-init begin anew.
    """
    return SeedGuest(
        name=name,
        zone=settings.dns.zone,
        instance=f"{identity.uuid}-{identity.job}",
        slot=slot,
        own_mac="" if slot else mac_of(identity.uuid),
        console=console_device(template),
        resolvers=settings.machine.resolvers,
    )


def wired(guest: SeedGuest, macs: tuple[str, ...]) -> SeedGuest:
    """The same with the interfaces that it has, the slot's among them."""
    first = guest.slot.mac if guest.slot else guest.own_mac
    first = first if first in macs else next(iter(macs), "")
    own = "" if guest.slot else first
    return replace(guest, own_mac=own, others=tuple(mac for mac in macs if mac != first))


class Wish(Protocol):
    """Who wants a machine's first boot to be told something."""

    @property
    def name(self) -> MachineName:
        """The machine's."""

    @property
    def spec(self) -> MachineSpec:
        """What it should be."""

    @property
    def boot(self) -> FirstBoot | None:
        """Whom its guest lets in; None where cloud-init is told nothing."""


def seed_steps(
    wish: Wish, guest: SeedGuest, identity: Identity, settings: Settings, facts: HostFacts
) -> tuple[Step, ...]:
    """Write a machine's seed; nothing where it is to be told nothing.

    Args:
        wish: what is wanted; the tenant's keys are added to those it names.
        guest: the machine.
        identity: of the job that makes it.
        settings: the host's.
        facts: the host.

    Raises:
        InputError: the admin's own user-data cannot be merged with ours.
        RefusedError: somebody else wrote in the tenant's file of keys.
    """
    boot, spec = wish.boot, wish.spec
    if boot is None:
        return ()
    from raptorctl.render.cloud_config import render_seed
    from raptorctl.steps.seed import WriteSeed

    if spec.network is Network.STATIC and not guest.mac:
        raise RefusedError(
            f"{guest.name} has no network, so no addresses",
            resolution="leave out --network",
            code=Code.NO_NETWORK,
        )
    if spec.network is Network.STATIC and guest.slot is None:
        how, leave = "get their addresses by DHCP", "leave out --network"
        if not settings.has_slots:
            brief = f"this host is your own, and its machines {how}"
            raise RefusedError(brief, resolution=leave, code=Code.SESSION_HOST)
        raise RefusedError(f"machines without a slot {how}", resolution=leave)
    seed = render_seed(with_keys(boot, guest.name, facts), guest, spec)
    reason, path = "what cloud-init does at first boot", seed_path(guest.name, settings)
    written = WriteSeed(reason, identity.job, path, seed.digest, seed)
    return (*_login_key(boot, guest.name, settings, facts), written)


def _login_key(
    boot: FirstBoot, name: MachineName, settings: Settings, facts: HostFacts
) -> Iterator[Step]:
    from raptorctl.steps.secret import WriteLoginKey

    pair = boot.login_key
    if pair and not boot.is_kept and not facts.owner_keys:
        digest = sha256(pair.private.encode()).hexdigest()
        path = login_key_path(name, settings)
        yield WriteLoginKey("no other key of yours lets in", path, digest, pair.private)


def with_keys(boot: FirstBoot, name: MachineName, facts: HostFacts) -> FirstBoot:
    """Add the tenant's keys to those that log in, each once; on a host of one's own, one's own."""
    tenant = facts.tenant(name.tenant)
    known = [str(key) for key in keys_of(tenant)] if tenant and tenant.keys else facts.owner_keys
    if boot.login_key and (boot.is_kept or not known):
        known = [*known, f"{boot.login_key.public} raptorctl-{name}"]
    return replace(boot, keys=tuple({_blob(key): key for key in (*known, *boot.keys)}.values()))


def made(wish: Wish, facts: HostFacts) -> str:
    """What a mark is to keep of what cloud-init is told, every default filled in."""
    boot, spec, name = wish.boot, wish.spec, wish.name
    if boot is None:
        return made_text(Made(MachineSpec(profile=spec.profile, seed=False)))
    told = MachineSpec(
        profile=spec.profile,
        network=spec.network or Network.DHCP,
        seed=True,
        account=spec.account or name.tenant,
        hostname=spec.hostname or name.domain,
        packages=spec.packages or (),
        hosts=spec.hosts or {},
        sysctl=spec.sysctl or {},
        swap=spec.swap or Size(0),
    )
    keys = (PublicKey(*key.split()[:2]) for key in with_keys(boot, name, facts).keys)
    digests: dict[str, Any] = {key: digest_of(getattr(spec, key)) for key in CLOUD_TEXTS}
    return made_text(Made(told, keys=tuple(key.fingerprint for key in keys), **digests))


def refuse_old(name: MachineName, settings: Settings, facts: HostFacts) -> None:
    """Refuse a seed that is there before the machine is.

    Raises:
        RefusedError: it may be somebody else's, with their keys.
    """
    path = seed_path(name, settings)
    users = [domain.name for domain in facts.domains if path in domain.held_disks]
    if users or path in facts.files:
        whose = f"belongs to domain {users[0]}" if users else "is there already"
        raise RefusedError(
            f"{path} {whose}", resolution="move it away", code=Code.NOT_OURS, subject=path
        )


def refuse_stranger(request: "ProvisionRequest", facts: HostFacts) -> None:
    """Refuse steps whose key the guest is not told: nobody would let them in.

    What an admin's own user-data does is not known here, so nothing is refused with it.

    Raises:
        RefusedError: says how to tell it.
    """
    login, boot, name = request.login, request.boot, request.name
    if not login or boot is None or any(request.spec.texts):
        return
    if _blob(login) not in map(_blob, with_keys(boot, name, facts).keys):
        raise RefusedError(
            f"the guest of {name} is not told the key in --identity, so its steps could not log in",
            resolution="add --key FILE.pub, or leave --identity out: the job has a key of its own",
        )


def notes(wish: Wish, settings: Settings, facts: HostFacts) -> Iterable[str]:
    """What the admin should know of a first boot."""
    boot, name = wish.boot, wish.name
    if boot is None:
        if wish.spec.keys and not settings.has_tenants:  # elsewhere the tenant gets them
            yield "nothing is told to a guest, so --key goes nowhere; see --image and --user-data"
        return
    yield from facts.refused_keys
    if not with_keys(boot, name, facts).keys:
        why = "no other key is there" if facts.refused_keys else f"{name.tenant} has no ssh key"
        yield f"{why}: no one can log in by ssh; see --key"
    if wish.spec.network is Network.STATIC and not settings.machine.resolvers:
        yield "a static network without machine.resolvers in the settings: the guest finds no names"


def _blob(key: str) -> str:
    return key.split()[1]
