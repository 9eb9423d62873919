"""What a file of machines asks for, beside what stands. Pure: facts are read once for all of it."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from raptorctl.errors import RaptorError, RefusedError
from raptorctl.model.cpuset import cpu_count
from raptorctl.model.disk import disks
from raptorctl.model.error_code import Code
from raptorctl.model.facts import Coming, HostFacts
from raptorctl.model.file_plan import (
    Allowed,
    Due,
    FilePlan,
    FileWish,
    Row,
    WantedMachine,
    counted,
)
from raptorctl.model.seed import FirstBoot
from raptorctl.model.settings import Settings
from raptorctl.model.sizes import Size
from raptorctl.model.spec import MachineSpec
from raptorctl.model.volume import VolumeGroup, is_overlay
from raptorctl.plans.file import tenant as tenants
from raptorctl.plans.file.blame import blamed
from raptorctl.plans.machine import diff, existing
from raptorctl.plans.machine.choice import ProvisionRequest
from raptorctl.plans.machine.diff_disk import NONE
from raptorctl.plans.machine.difference import Difference, Standing, When
from raptorctl.plans.machine.existing import Existing
from raptorctl.plans.machine.provision import plan_provision
from raptorctl.plans.part import image as images
from raptorctl.plans.part import medium
from raptorctl.plans.plan import Identity

CHANGED: Final = frozenset({"size", "cpus", "memory", "keys", "seed", "disks", "iso", "expires"})
"""Keys that `up` changes while a machine stands; others are refused, or take a rebuild."""


def compare(
    wish: FileWish, may: Allowed, settings: Settings, facts: HostFacts, identity: Identity
) -> FilePlan:
    """Say what differs, key by key, and when each becomes so.

    Args:
        wish: what the file asks for.
        may: what `up` may do.
        settings: the host's.
        facts: the host.
        identity: of a job that might be; nothing is done by it.
    """
    rows = [row for tenant in wish.tenants for row in tenants.differing(tenant, facts)]
    later = replace(facts, tenants=tenants.laid_in(wish, facts, identity))
    for machine in wish.machines:
        found, later = _machine(machine, may, settings, later, identity)
        rows += found
    rows += _strangers(wish, may, facts)
    return FilePlan(tuple(rows), dict(_rests_on(wish, facts)))


def refuse_unsafe(plan: FilePlan, may: Allowed) -> None:
    """Refuse to lose the disks of more machines than was said.

    Raises:
        RefusedError: names them, and how to say it.
    """
    lost = plan.destroyed
    if len(lost) > may.allow:
        raise RefusedError(
            f"the disks of {len(lost)} machines would be lost: {', '.join(lost)}",
            resolution=f"--allow {len(lost)} if that is meant",
            code=Code.TOO_MANY_REMOVALS,
            subject=lost[0],
        )


def _machine(
    machine: WantedMachine,
    may: Allowed,
    settings: Settings,
    facts: HostFacts,
    identity: Identity,
) -> tuple[list[Row], HostFacts]:
    """Its rows, and the host as it is for the machines after it."""
    try:
        existing.refuse_reserved(machine.name, facts)
        if there := existing.find(machine.name, facts):
            return list(_standing(machine, there, may, facts)), facts
        return list(_coming(machine)), _with(machine, settings, facts, identity)
    except RaptorError as error:
        domain = facts.domain(machine.name)
        has, about = domain.state.value if domain else "absent", blamed(error, machine.spec)
        return [replace(_absent(machine, has), due=Due.REFUSED, how=str(error), about=about)], facts


def _with(
    machine: WantedMachine, settings: Settings, facts: HostFacts, identity: Identity
) -> HostFacts:
    """The host once the machine stands; what it takes is nobody else's. Refuses as its job does."""
    boot = FirstBoot() if machine.spec.tells_guest else None
    request = ProvisionRequest(
        machine.name,
        machine.spec,
        found=machine.found,
        first_boot=boot,
        found_iso=machine.found_iso,
    )
    taken = plan_provision(request, settings, facts, identity).reservation
    size = _size(machine, facts)
    coming = Coming(
        job=f"for {machine.name}",  # who is refused hears of the machine: of that job nobody knows
        machine=taken.machine,
        slot=taken.slot,
        cpus=taken.cpus,
        memory=machine.spec.memory or settings.machine.memory,
        size=size,
    )
    taken_by_all = (*facts.reservations, coming)
    return replace(facts, reservations=taken_by_all, group=_less(facts.group, size))


def _size(machine: WantedMachine, facts: HostFacts) -> Size:
    """Bytes of all disks that are made for it."""
    extent, spec = facts.group.extent if facts.group else 1, machine.spec
    sizes = (spec.size, *(one.size for one in (spec.disks or {}).values()))
    return Size(sum(size.rounded_up(extent) for size in sizes if size))


def _less(group: VolumeGroup | None, taken: Size) -> VolumeGroup | None:
    if group is None or is_overlay(group.name):
        return group
    return replace(group, free=Size(max(0, group.free - taken)))


def _coming(machine: WantedMachine) -> Iterator[Row]:
    yield _absent(machine)
    yield from _steps(machine, "", rebuilt=False)


def _absent(machine: WantedMachine, has: str = "absent") -> Row:
    spec, cpus = machine.spec, ""
    if spec.cpus:
        cpus = cpu_count(spec.cpus) if isinstance(spec.cpus, int) else f"CPUs {spec.cpus}"
    said = [str(one) for one in (spec.image, spec.size, cpus, spec.memory) if one]
    wanted = ", ".join(said) or "as by default"
    short = ", ".join(_short(spec, cpus)) or wanted
    return Row(str(machine.name), "machine", has, wanted, Due.NOW, short=short)


def _short(spec: MachineSpec, cpus: str) -> Iterator[str]:
    """What a machine is made of, in the order in which a narrow table may cut it off."""
    yield from (str(one) for one in (spec.size, cpus, spec.memory) if one)
    if count := len(spec.disks or {}):
        yield f"+{count} disk{'s' * (count != 1)}"
    for word, image in (("", spec.image), ("iso ", spec.iso)):
        if image:
            yield word + (image.rpartition("/")[2] or image)


def _standing(
    machine: WantedMachine, there: Existing, may: Allowed, facts: HostFacts
) -> Iterator[Row]:
    image = images.chosen(machine.found or machine.spec.image, facts)
    iso = medium.chosen(machine.found_iso or machine.spec.iso, facts)
    it = Standing(machine.spec, there, facts, image, iso)
    found = [one for one in diff.compare(it) if one.when is not When.SAME]
    rows = [_row(machine, one, may, active=there.domain.state.active) for one in found]
    rebuilt = any(row.due is Due.REBUILD for row in rows)
    for row in rows:  # what boots from a new disk is started by that
        yield replace(row, due=Due.RESTART) if rebuilt and row.due is Due.NEXT_START else row
    yield from _volume(machine, there)
    state = there.domain.state
    if not state.runs and not rebuilt:
        yield Row(str(machine.name), "state", state.value, "running", Due.NOW)
    yield from _steps(machine, there.mark.steps, rebuilt=rebuilt)


def _steps(machine: WantedMachine, done: str, *, rebuilt: bool) -> Iterator[Row]:
    if machine.digest and (rebuilt or done != machine.digest):
        again = bool(done) and not rebuilt
        yield Row(
            subject=str(machine.name),
            key="steps",
            has="others done" if again else "not done",
            wanted=counted(machine.steps),
            due=Due.NEXT_REBUILD if again else Due.NOW,
        )


def _row(machine: WantedMachine, one: Difference, may: Allowed, *, active: bool) -> Row:
    due = {
        When.NOW: Due.NOW,
        When.NEXT_START: (Due.RESTART if may.restart else Due.NEXT_START) if active else Due.NOW,
        When.REBUILD: _rebuild(may),
    }.get(one.when, Due.REFUSED)
    lost = one.key == "disks" and one.wanted == NONE  # what it holds goes with it
    if lost or (one.key not in CHANGED and not due.destroys and due is not Due.NEEDS_REBUILD):
        due = Due.REFUSED
    # What is told with other words than its key is a part of it: `it runs with memory`.
    key = one.key if one.label.split()[0] not in {"it", "disk"} else one.label
    has = one.has or ("not known" if one.when is When.UNKNOWN else "without")
    how = one.how if due.stuck else ""
    return Row(str(machine.name), key, has, one.wanted, due, how, one.key)


def _rebuild(may: Allowed) -> Due:
    return Due.REBUILD if may.rebuild else Due.NEEDS_REBUILD


def _volume(machine: WantedMachine, there: Existing) -> Iterator[Row]:
    if not there.volume.clean:
        how = "see `raptorctl doctor`"
        yield Row(str(machine.name), "volume", "not clean", "clean", Due.REFUSED, how)


def _strangers(wish: FileWish, may: Allowed, facts: HostFacts) -> Iterator[Row]:
    """Machines that the file made, and of which it says nothing any more."""
    due = Due.REMOVAL if may.prune else Due.NEEDS_PRUNE
    for domain in facts.domains if wish.mark and wish.whole else ():
        mark = domain.mark
        if domain.ours and mark and mark.file == wish.mark and mark.name not in wish.known:
            yield Row(str(mark.name), "machine", domain.state.value, "absent", due)


def _rests_on(wish: FileWish, facts: HostFacts) -> Iterator[tuple[str, str]]:
    """Digests of what the plan looked at, of each thing by itself, so that it can be named."""
    names = [machine.name for machine in wish.machines]
    names += [
        d.mark.name for d in facts.domains if wish.mark and d.mark and d.mark.file == wish.mark
    ]
    for name in dict.fromkeys(names):
        domain, volume = facts.domain(name), facts.volume(name)
        yield f"{name} domain", _digest(domain and (domain.uuid, domain.xml, domain.autostart))
        yield f"{name} state", _digest(domain and domain.state)
        yield f"{name} volume", _digest(volume and (volume.uuid, volume.size, volume.tags))
        further = [one.volume for one in disks(facts.volumes, name)]
        yield f"{name} disks", _digest([(one.uuid, one.size, one.tags) for one in further])
    for tenant in sorted({name.tenant for name in names} | {one.name for one in wish.tenants}):
        found = facts.tenant(tenant)
        yield f"tenant {tenant}", _digest(found and (found.record_file, found.keys))
    for image in {m.found.name: m.found for m in wish.machines if m.found}.values():
        yield f"image {image.name}", image.digest[:16]
    said = [(m.name, vars(m.spec), m.digest, m.wait) for m in wish.machines]
    yield "file", _digest((wish.mark, wish.tenants, said))


def _digest(noun: object) -> str:
    return hashlib.sha256(repr(noun).encode()).hexdigest()[:16] if noun else ""
