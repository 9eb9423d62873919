"""Deprovision: nothing of a machine is left, provably."""

from collections.abc import Iterable
from dataclasses import replace

from raptorctl.errors import RefusedError
from raptorctl.model.disk import disks
from raptorctl.model.domain import Domain
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.names import MachineName
from raptorctl.model.session_host import login_key_path
from raptorctl.model.settings import Settings
from raptorctl.model.snapshot import snapshots
from raptorctl.model.volume import KEEP, Volume
from raptorctl.plans.machine import existing
from raptorctl.plans.machine.snapshot import copies_gone, split_off, wiped
from raptorctl.plans.part import address, disk, medium, records, room, share
from raptorctl.plans.part.log import step_log
from raptorctl.plans.part.seed import attached, seed_path
from raptorctl.plans.plan import Identity, Plan
from raptorctl.plans.tenant.quota import machines_of
from raptorctl.steps.domain import StopDomain, UndefineDomain
from raptorctl.steps.log import RemoveLog
from raptorctl.steps.secret import RemoveLoginKey, RemoveNvram, RemoveTpm
from raptorctl.steps.seed import RemoveSeed
from raptorctl.steps.step import Step
from raptorctl.steps.volume import RetireVolume


def plan_deprovision(
    name: MachineName,
    settings: Settings,
    facts: HostFacts,
    identity: Identity,
    timeout: float | None = None,
) -> Plan:
    """Decide how a machine goes, or why it cannot. Half a machine goes as well as a whole one.

    Args:
        name: whose, and which.
        settings: the host's.
        facts: the host.
        identity: of the job.
        timeout: seconds that its guest has to shut down, 0 for none; None for the settings'.

    Raises:
        RefusedError: a domain or volume of its name is somebody else's, or somebody else's
            snapshot hangs on it.
    """
    existing.refuse_reserved(name, facts)
    existing.refuse_foreign(name, facts)
    refuse_snapshots(name, facts)
    refuse_in_use(name, facts)
    if _going(name, facts):
        room.refuse_missing_disks(facts)
    _refuse_nameless(name, facts)
    wait = settings.libvirt.shutdown_timeout if timeout is None else timeout
    steps = tuple(_steps(name, settings, facts, wait))
    return Plan(
        verb="deprovision",
        identity=identity,
        reservation=Reservation(identity.job, name.domain),
        steps=steps,
        summary=_summary(name, facts) if steps else f"there is no machine {name}",
        notes=(
            *existing.save_notes(facts.domain(name)),
            *_disk_notes(name, settings, facts),
            *_dns_notes(facts),
            *_tenant_notes(name, settings, facts),
        ),
    )


def with_data(name: MachineName, facts: HostFacts) -> HostFacts:
    """The host as if none of a machine's disks was to outlive it: all of them then go with it."""
    found = disks(facts.volumes, name)
    own = {one.volume.uuid for one in found if not one.volume.retired}
    volumes = (
        replace(volume, tags=tuple(tag for tag in volume.tags if tag != KEEP))
        if volume.uuid in own
        else volume
        for volume in facts.volumes
    )
    return replace(facts, volumes=tuple(volumes))


def _summary(name: MachineName, facts: HostFacts) -> str:
    kept = ", ".join(one.label for one in disks(facts.volumes, name) if one.volume.kept)
    return f"nothing of {name} is left" + (f" but kept disks: {kept}" if kept else "")


def _steps(name: MachineName, settings: Settings, facts: HostFacts, wait: float) -> Iterable[Step]:
    yield from records.gone(name, settings, facts)
    yield from share.ended(name, facts)
    act = "wiped" if settings.has_lvm else "removed"
    yield from domain_steps(name, facts, wait, act)
    yield from _volume_steps(name, settings, facts)


def domain_steps(name: MachineName, facts: HostFacts, wait: float, act: str) -> Iterable[Step]:
    """What takes a machine's domain away, and stops it, so that its disk can be wiped, or kept."""
    domain = facts.domain(name)
    if domain is None:
        return
    yield UndefineDomain(
        reason="nobody may start it again",
        name=domain.name,
        uuid=domain.uuid,
        xml=domain.xml,
        autostart=domain.autostart,
        was_active=domain.state.active,
    )
    yield StopDomain(
        reason=f"nothing may write while it is {act}",
        name=domain.name,
        uuid=domain.uuid,
        timeout=wait,
    )
    yield from address.released(domain)


def _volume_steps(name: MachineName, settings: Settings, facts: HostFacts) -> Iterable[Step]:
    going, nvram = _going(name, facts), own_nvram(name, settings, facts)
    hanging = snapshots(facts.volumes, name)
    if not settings.has_lvm:
        yield from _secret_steps(nvram, facts.domain(name))
        yield from copies_gone(hanging)
        for volume in going:
            yield from disk.gone(volume)
        yield from _paper_steps(name, settings, facts)
        return
    yield from split_off(hanging)
    for volume in going:
        yield RetireVolume(
            reason="the name is free at once",
            uuid=volume.uuid,
            name=volume.name,
            was_clean=volume.clean,
        )
    yield from _secret_steps(nvram, facts.domain(name))
    yield from _paper_steps(name, settings, facts)
    for volume in going:
        yield from disk.gone(volume)
    yield from wiped(hanging)


def _secret_steps(nvram: str, domain: Domain | None) -> Iterable[Step]:
    """What the firmware and the TPM kept; there is no way back from here."""
    if nvram:
        yield RemoveNvram(reason="boot keys are the owner's", path=nvram)
    if domain and domain.tpm:
        yield RemoveTpm(reason="its keys are the owner's", name=domain.name, uuid=domain.uuid)


def _going(name: MachineName, facts: HostFacts) -> tuple[Volume, ...]:
    """The disks that go with their machine: the first, and those that were not to outlive it."""
    first, others = facts.volume(name), disks(facts.volumes, name)
    leaving = (one.volume for one in others if not one.volume.kept)
    return (*((first,) if first else ()), *leaving)


def _paper_steps(name: MachineName, settings: Settings, facts: HostFacts) -> Iterable[Step]:
    """What a machine leaves in files; before the wipe, which keeps nobody else waiting."""
    yield from _seed_steps(name, settings, facts)
    if (key := login_key_path(name, settings)) in facts.files:
        yield RemoveLoginKey(reason="it lets in to nothing any more", path=key)
    yield from medium.gone(facts.domain(name))
    yield from log_steps(name, settings, facts)


def log_steps(name: MachineName, settings: Settings, facts: HostFacts) -> Iterable[Step]:
    """What removes what a machine said, and what its steps said."""
    domain, path = facts.domain(name), f"{settings.libvirt.console_log_dir}/{name.log}"
    if path in facts.files or (domain and path in domain.logs):
        yield RemoveLog(reason="what it said is its owner's", path=path)
    if (steps := step_log(name, settings)) in facts.files:
        yield RemoveLog(reason="what its steps said goes with it", path=steps)


def _seed_steps(name: MachineName, settings: Settings, facts: HostFacts) -> Iterable[Step]:
    if path := own_seed(name, settings, facts):
        yield RemoveSeed(reason="its keys are its owner's", path=path)


def own_seed(name: MachineName, settings: Settings, facts: HostFacts) -> str:
    """The machine's seed, wherever the settings had it when it was made, or ""."""
    domain, path = facts.domain(name), seed_path(name, settings)
    here = path if path in facts.files else ""
    return (attached(domain) if domain else "") or here


def own_nvram(name: MachineName, settings: Settings, facts: HostFacts) -> str:
    """The file of the machine's UEFI variables, or "": a file of its name may be another's."""
    domain = facts.domain(name)
    path = domain.nvram if domain else f"{settings.libvirt.nvram_dir}/{name.nvram}"
    others = (other for other in facts.domains if other.name != name.domain)
    used = {file for other in others for file in other.held_nvram}
    ours = domain is not None or (facts.volume(name) is not None and path in facts.files)
    return path if ours and path.endswith(f"/{name.nvram}") and path not in used else ""


def refuse_in_use(name: MachineName, facts: HostFacts) -> None:
    """Refuse disks that another domain uses, or a process of the host.

    Raises:
        RefusedError: says which.
    """
    own = facts.domain(name)
    for volume in _going(name, facts):
        for domain in facts.domains:
            if domain.name != name.domain and volume.path in domain.held_disks:
                raise RefusedError(
                    f"domain {domain.name} uses volume {volume.name} too",
                    resolution="take the disk out of it first",
                    code=Code.IN_USE,
                    subject=volume.name,
                )
        if volume.is_open and not (own and own.state.active):
            raise RefusedError(
                f"volume {volume.name} is open",
                resolution="see `lsof`, `dmsetup ls`",
                code=Code.IN_USE,
                subject=volume.name,
            )


def _refuse_nameless(name: MachineName, facts: HostFacts) -> None:
    """Refuse a half whose names nobody knows: without its domain, only DNS tells them."""
    domain = facts.domain(name)
    if facts.dns_problem and facts.volume(name) and not (domain and domain.mark):
        raise RefusedError(
            f"DNS does not answer, and without a domain nobody else knows the records of {name}",
            resolution="try again when it does",
            code=Code.DNS_UNREACHABLE,
            subject=str(name),
        )


def refuse_snapshots(name: MachineName, facts: HostFacts) -> None:
    """Refuse snapshots of a machine's disks that are not ours.

    Raises:
        RefusedError: says which.
    """
    ours = {one.volume.uuid for one in snapshots(facts.volumes, name)}
    going = {one.name for one in _going(name, facts)}
    for volume in facts.volumes:
        if volume.origin in going and volume.uuid not in ours:
            room.refuse_origin(volume)


def _disk_notes(name: MachineName, settings: Settings, facts: HostFacts) -> Iterable[str]:
    domain, going = facts.domain(name), {one.path for one in _going(name, facts)}
    kept = disks(facts.volumes, name)
    own = {own_seed(name, settings, facts), *(image.path for image in facts.images)}
    own |= set(medium.copies(domain)) | going | {one.volume.path for one in kept}
    for path in domain.held_disks if domain else ():
        if path not in own:
            yield f"{path} is attached too; it is left as it is"
    for one in kept:
        if one.volume.kept:
            yield f"disk {one.label} stays, with its {one.volume.size}: it is kept"


def _dns_notes(facts: HostFacts) -> Iterable[str]:
    if facts.dns_problem:
        yield "DNS does not answer; its records wait for `raptorctl recover`"


def _tenant_notes(name: MachineName, settings: Settings, facts: HostFacts) -> Iterable[str]:
    """Provision may have made the tenant on the way; only their own removal takes them away."""
    tenant = facts.tenant(name.tenant)
    last = machines_of(name.tenant, facts) == (str(name),)
    if settings.has_tenants and last and tenant and tenant.record:
        yield (
            f"it is the last machine of {name.tenant}, whose account stays: "
            f"`raptorctl tenant remove {name.tenant}` takes that away"
        )
