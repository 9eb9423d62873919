"""Machines that are there by half: volumes, domains, and files of UEFI variables left alone."""

from pathlib import PurePosixPath

from raptorctl.model.domain import Domain
from raptorctl.model.names import MachineName, split_domain
from raptorctl.model.volume import Volume, device_path
from raptorctl.plans.doctor.fault import NOBODY, Fault, Faults, Scene, mended
from raptorctl.plans.machine import wipe
from raptorctl.plans.machine.deprovision import plan_deprovision
from raptorctl.plans.part import cpus, slots
from raptorctl.render.read_domain import read_domain
from raptorctl.steps.domain import RestoreDomain, StartDomain
from raptorctl.steps.secret import RemoveNvram
from raptorctl.steps.step import Step

CHECK = "machines"


def machines(scene: Scene) -> Faults:
    """Find every half of a machine."""
    yield from _volumes(scene)
    yield from _domains(scene)
    yield from _dirty(scene)
    yield from _nvram(scene)


def _volumes(scene: Scene) -> Faults:
    domains = {domain.name for domain in scene.facts.domains}
    for volume in scene.facts.volumes:
        name = volume.machine if volume.ours and volume.clean else None
        if name is None or name.domain in domains or scene.in_work(volume.job, name.domain):
            continue
        steps = tuple(_restored(scene, volume, name))
        again = "--fix defines it as its job did, or " if steps else ""
        yield Fault(
            CHECK,
            volume.name,
            f"volume {volume.name} has no domain",
            f"{again}raptorctl deprovision {name}",
            steps=steps,
        )


def _restored(scene: Scene, volume: Volume, name: MachineName) -> list[Step]:
    """Define the domain again as its job defined it, if nobody else has its place by now."""
    made = scene.past.definition(volume)
    if made is None or made.name != name.domain or _place_taken(scene, read_domain(made.xml)):
        return []
    steps: list[Step] = [
        RestoreDomain("its volume is there", made.job, made.name, made.uuid, made.volume, made.xml)
    ]
    if scene.past.started(made.job):
        steps.append(
            StartDomain("it ran from its first day", made.job, made.name, made.uuid, made.volume)
        )
    return steps


def _place_taken(scene: Scene, wanted: Domain) -> bool:
    own = {f"volume guest-{wanted.name}"}
    places = [slot for slot in scene.settings.slot if slot.bridge in wanted.bridges]
    on_it = {who for slot in places for who in slots.holders(slot, scene.facts)} - own
    claims = (taken for _, taken in cpus.claims(scene.facts))
    return bool(on_it) or any(wanted.pins & taken for taken in claims)


def _domains(scene: Scene) -> Faults:
    volumes = {volume.name for volume in scene.facts.volumes}
    for domain in scene.facts.domains:
        mark = domain.mark if domain.ours else None
        if mark is None or mark.name.volume in volumes or scene.in_work(mark.job, domain.name):
            continue
        own = device_path(scene.settings.storage.volume_group, mark.name.volume)
        if own not in domain.disks:
            # It may be whole, and the settings look for it in another group than it lies in.
            what = f"domain {domain.name} has its disk elsewhere, not at {own}"
            yield Fault(CHECK, domain.name, what, "see storage.volume_group in the settings")
            continue
        yield Fault(
            CHECK,
            domain.name,
            f"domain {domain.name} has no volume",
            f"raptorctl deprovision {mark.name}",
            steps=() if domain.state.active else _removal(scene, mark.name),
        )


def _removal(scene: Scene, name: MachineName) -> tuple[Step, ...]:
    return mended(lambda: plan_deprovision(name, scene.settings, scene.facts, NOBODY).steps)


def _dirty(scene: Scene) -> Faults:
    for waiting in wipe.unwiped(scene.facts.volumes, scene.past):
        volume = waiting.volume
        name = volume.owner.domain if volume.owner else None
        # Whose business a wipe- volume is stands in a journal, and one that cannot be read may
        # be just that: then its job is what is told of.
        unknown = volume.owner is None and scene.busy and waiting.job is None
        if waiting.held or unknown or scene.in_work(volume.job, name):
            continue
        wrong = "wiped, and was not removed" if volume.wiped else "not clean"
        yield Fault(
            CHECK,
            volume.name,
            f"volume {volume.name} is {wrong}",
            waiting.advice,
            steps=_wiped(scene, volume),
        )


def _wiped(scene: Scene, volume: Volume) -> tuple[Step, ...]:
    def steps() -> tuple[Step, ...]:
        wipe.refuse_in_use(volume, scene.facts)
        return tuple(wipe.resumed([volume]))

    return mended(steps)


def _nvram(scene: Scene) -> Faults:
    used = {file for domain in scene.facts.domains for file in domain.held_nvram}
    ours = scene.past.nvram_files()
    for path in sorted(scene.facts.files - used):
        name = split_domain(PurePosixPath(path).name.removesuffix("_VARS.fd"))
        left = path.startswith(f"{scene.settings.libvirt.nvram_dir}/") and name is not None
        if not left or name is None or _stands(scene, name) or scene.in_work(name.domain):
            continue
        reason = "boot keys are their owner's"
        steps = (RemoveNvram(reason, path),) if path in ours else ()
        advice = f"rm {path}" if steps else f"no job made it: find out whose it was, then rm {path}"
        yield Fault(CHECK, path, f"{path} belongs to no domain", advice, steps=steps)


def _stands(scene: Scene, name: MachineName) -> bool:
    return bool(scene.facts.volume(name) or scene.facts.domain(name))
