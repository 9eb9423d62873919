"""Petitions: what a tenant asks for, done at once within the policy, else once an admin says so.

The planners, the journal and the lock are those of the admin's command line. What is a petition's
alone is asked in `change_of`, each time its plan is made, so also under the lock: who asks is still
the tenant, and it is within the policy. The planner asks for the quota.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from raptorctl.api import machine, share, snapshot
from raptorctl.api.change import Change
from raptorctl.api.image import fetched, foreseen, lost
from raptorctl.api.seed import first_boot
from raptorctl.api.session import Session
from raptorctl.errors import InputError
from raptorctl.model.expiry import NEVER
from raptorctl.model.facts import HostFacts
from raptorctl.model.names import parse_machine
from raptorctl.model.petition import Petition, Petitioner
from raptorctl.model.seed import FirstBoot
from raptorctl.model.settings import Settings
from raptorctl.model.share import Grant
from raptorctl.model.spec import MachineSpec
from raptorctl.model.ssh_key import parse_keys
from raptorctl.plans.machine.choice import ProvisionRequest
from raptorctl.plans.machine.rebuild import RebuildRequest
from raptorctl.plans.machine.resize import ResizeRequest
from raptorctl.plans.machine.share import ShareRequest
from raptorctl.plans.machine.snapshot import SnapshotRequest
from raptorctl.plans.plan import Identity, Plan
from raptorctl.plans.tenant import policy
from raptorctl.plans.tenant.policy import PetitionWish

if TYPE_CHECKING:
    from raptorctl.drivers.image import Watch
    from raptorctl.model.image import Image

Told = Callable[[tuple[str, ...]], None]
"""Hears in what a petition is beyond the policy, each time its plan is made."""


def change_of(
    session: Session,
    who: Petitioner,
    petition: Petition,
    told: Told,
    watch: "Watch | None" = None,
) -> Change:
    """Return the change that a petition asks for.

    Args:
        session: the host, by root's right.
        who: asks.
        petition: what for.
        told: is told in what it is beyond the policy, and may refuse.
        watch: has its image fetched, and is told; None looks only.

    Raises:
        InputError: something cannot be right.
    """
    name = parse_machine(who.tenant, petition.machine)
    wish = PetitionWish(petition, name, _spec(session, petition))
    change = _CHANGES[petition.verb](session, wish, watch)

    def decide(settings: Settings, facts: HostFacts, identity: Identity) -> Plan:
        today = identity.at[:10]
        policy.refuse_stranger(who, settings, facts, today)
        plan = change.decide(settings, facts, identity)
        told(policy.beyond(wish, settings, facts, today) if plan.steps else ())
        return plan

    return replace(change, decide=decide, people=(*change.people, who.tenant))


def _spec(session: Session, petition: Petition) -> MachineSpec:
    """Lay what is asked for over its profiles; an expiry is demanded, and is the latest allowed."""
    said = MachineSpec(
        size=petition.size,
        cpus=petition.cpus,
        memory=petition.memory,
        image=petition.image,
        expires=petition.expires,
        user_data=petition.user_data,
    )
    if petition.user_data is not None:
        from raptorctl.render.user_data import check

        check(petition.user_data)
    if petition.verb != "provision":
        return said
    spec = said.over(_profiles(session, petition.profile))
    if missing := [f"--{key}" for key in ("size", "cpus") if getattr(spec, key) is None]:
        raise InputError(f"a machine needs {' and '.join(missing)}")
    longest = session.settings.requests.longest_days
    latest = f"{longest}d" if longest and not spec.expires else spec.expires
    return replace(spec, expires=latest)


def _profiles(session: Session, names: tuple[str, ...]) -> MachineSpec:
    from raptorctl.host.system.profile import PROFILES, read_profiles

    return read_profiles(names, session.config / PROFILES)


def _provision(session: Session, wish: PetitionWish, watch: "Watch | None") -> Change:
    spec = wish.spec
    found = {
        name: image
        for name, disk in (spec.disks or {}).items()
        if (image := _image(session, disk.image, watch))
    }
    return machine.provision(
        ProvisionRequest(
            wish.name,
            spec,
            start=not wish.petition.no_start,
            found=_image(session, spec.image, watch),
            found_disks=found,
            found_iso=_image(session, spec.iso, watch),
            first_boot=_first_boot(session, wish, spec),
        )
    )


def _rebuild(session: Session, wish: PetitionWish, watch: "Watch | None") -> Change:
    mark = session.machine(wish.name).mark
    image = wish.spec.image or lost(session, mark)
    system = image or (mark and mark.image_name) or None
    return machine.rebuild(
        RebuildRequest(
            wish.name,
            wish.spec,
            found=_image(session, image, watch),
            start=not wish.petition.no_start,
            first_boot=_first_boot(session, wish, replace(wish.spec, image=system)),
        )
    )


def _resize(_session: Session, wish: PetitionWish, _watch: "Watch | None") -> Change:
    asked = wish.petition
    if asked.size is asked.cpus is asked.memory is None:
        raise InputError("nothing is to be changed", resolution="say --size, --cpus or --memory")
    return machine.resize(
        ResizeRequest(wish.name, size=asked.size, memory=asked.memory, vcpus=asked.cpus)
    )


def _deprovision(_session: Session, wish: PetitionWish, _watch: "Watch | None") -> Change:
    return machine.deprovision(wish.name, 0.0 if wish.petition.force else None)


def _take(_session: Session, wish: PetitionWish, _watch: "Watch | None") -> Change:
    return snapshot.create(SnapshotRequest(wish.name, wish.petition.name, wish.petition.size))


def _restore(_session: Session, wish: PetitionWish, _watch: "Watch | None") -> Change:
    return snapshot.restore(wish.name, wish.petition.name)


def _delete(_session: Session, wish: PetitionWish, _watch: "Watch | None") -> Change:
    return snapshot.delete(wish.name, wish.petition.name or "")


def _share(_session: Session, wish: PetitionWish, _watch: "Watch | None") -> Change:
    asked = wish.petition
    grant, until = Grant(asked.grant), asked.until or NEVER
    return share.share(ShareRequest(wish.name, asked.other or "", grant, until))


def _unshare(_session: Session, wish: PetitionWish, _watch: "Watch | None") -> Change:
    return share.unshare(wish.name, wish.petition.other or "")


_CHANGES: Final[Mapping[str, Callable[[Session, PetitionWish, "Watch | None"], Change]]] = {
    "provision": _provision,
    "resize": _resize,
    "rebuild": _rebuild,
    "snapshot-create": _take,
    "snapshot-restore": _restore,
    "snapshot-delete": _delete,
    "deprovision": _deprovision,
    "share": _share,
    "share-end": _unshare,
}


def _first_boot(session: Session, wish: PetitionWish, spec: MachineSpec) -> FirstBoot | None:
    """Say whom the guest lets in; its tenant's keys to the host are nobody's business here."""
    boot, keys = first_boot(session, spec, wish.name), wish.petition.keys
    if keys is None:
        return boot
    if boot is None:
        raise InputError("keys: a disk without an image has no guest that they are for")
    return replace(boot, keys=(*map(str, parse_keys(keys)), *boot.keys))


def _image(session: Session, text: str | None, watch: "Watch | None") -> "Image | None":
    if text is None:
        return None
    return fetched(session, text, watch=watch) if watch else foreseen(session, text)
