"""Doctor: from what was probed to what is wrong and what to do about it. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from typing import Final

from raptorctl.model.job import Outcome
from raptorctl.model.part import Part
from raptorctl.model.probe import Finding, Probe
from raptorctl.model.settings import Settings
from raptorctl.model.sizes import GIB
from raptorctl.model.slot import Slot
from raptorctl.plans.doctor.access import access
from raptorctl.plans.doctor.clash import clashes
from raptorctl.plans.doctor.disk import overdue, stray_disks
from raptorctl.plans.doctor.fault import Fault, Scene, scene
from raptorctl.plans.doctor.finding import FAIL, OK, WARN, Findings, trouble
from raptorctl.plans.doctor.form import forms
from raptorctl.plans.doctor.hypervisor import (
    emulator,
    firmware,
    libvirt_works,
    templates,
    tpm_emulator,
)
from raptorctl.plans.doctor.image import cache
from raptorctl.plans.doctor.machine import machines
from raptorctl.plans.doctor.medium import media
from raptorctl.plans.doctor.number import numbers
from raptorctl.plans.doctor.record import records
from raptorctl.plans.doctor.seed import lost_seeds
from raptorctl.plans.doctor.share import shares
from raptorctl.plans.doctor.snapshot import lost_snapshots
from raptorctl.plans.doctor.tenant import tenants
from raptorctl.plans.doctor.trial import readiness
from raptorctl.plans.doctor.walls import walls
from raptorctl.plans.doctor.way import granted, leases, reserved, ways
from raptorctl.plans.doctor.web import web
from raptorctl.plans.past import NOTHING, Past

GUEST_PORTS: Final = ("vnet", "keep-vm")
"""libvirt's names for guests' interfaces (virnetdev.h), and the role's that keep a bridge up."""

LARGEST_ARCHIVE: Final = 2000
"""Files. A machine's life is about ten, and LVM keeps each for 30 days (lvm.conf(5))."""


def examine(probe: Probe, past: Past = NOTHING) -> tuple[Finding, ...]:
    """Judge a host; every check answers, in a fixed order.

    Args:
        probe: what was seen.
        past: what journals tell of how it came to be.
    """
    found = [*_root(probe), *_settings(probe)]
    if probe.settings is not None:
        for check in _CHECKS:
            found += check(probe, probe.settings)
        found += _ready(probe, probe.settings, found)
        found += _belonging(probe, _scene(probe, probe.settings, past))
    return (*found, *_jobs(probe))


def faults(scene: Scene, today: str) -> Iterator[Fault]:
    """Find everything that does not belong: what `doctor --fix` mends is among it.

    Args:
        scene: where to look.
        today: ISO 8601.
    """
    yield from machines(scene)
    yield from stray_disks(scene)
    yield from overdue(scene, today)
    yield from lost_snapshots(scene)
    yield from lost_seeds(scene)
    yield from media(scene)
    yield from forms(scene)
    yield from clashes(scene)
    yield from records(scene)
    yield from tenants(scene, today)
    yield from numbers(scene)
    yield from shares(scene)


def _root(probe: Probe) -> Findings:
    if probe.root:
        yield Finding("rights", OK, "runs as root")
    else:
        yield Finding("rights", FAIL, "does not run as root", "sudo raptorctl doctor")


def _settings(probe: Probe) -> Findings:
    yield from trouble(probe, Part.SETTINGS)
    if probe.settings is not None:
        yield Finding(Part.SETTINGS, OK, f"{probe.settings_file} reads well")


def _group(probe: Probe, settings: Settings) -> Findings:
    yield from trouble(probe, Part.LVM)
    if Part.LVM in probe.troubles:
        return
    group = probe.facts.group
    if group is None:
        advice = f"vgcreate {settings.storage.volume_group} DISK, or correct the settings"
        yield Finding(Part.LVM, FAIL, f"there is no {settings.storage.volume_group}", advice)
    elif group.missing or group.free < group.extent:  # told with what provision needs
        return
    elif group.free < GIB:
        yield Finding(Part.LVM, WARN, f"{group.name} has {group.free} free", "add a disk to it")
    else:
        yield Finding(Part.LVM, OK, f"{group.name} has {group.free} of {group.size} free")


def _scan(probe: Probe, settings: Settings) -> Findings:
    yield from trouble(probe, Part.SCAN)
    if Part.SCAN in probe.troubles:
        return
    if probe.scan_lvs:
        advice = "set devices/scan_lvs=0 in /etc/lvm/lvm.conf"
        yield Finding(Part.SCAN, FAIL, "the host's LVM reads volumes inside guests' disks", advice)
    else:
        yield Finding(Part.SCAN, OK, "the host's LVM does not look inside guests' disks")


def _slots(probe: Probe, settings: Settings) -> Findings:
    yield from trouble(probe, Part.LINKS)
    if Part.LINKS in probe.troubles:
        return
    bad = [finding for slot in settings.slot for finding in _place(probe, slot)]
    yield from bad
    good = len(settings.slot) - len({finding.check for finding in bad})
    if good:
        yield Finding(
            Part.LINKS, OK, f"{good} of {len(settings.slot)} are up, without foreign ports"
        )


def _place(probe: Probe, slot: Slot) -> Findings:
    found = tuple(_bridge(probe, slot))
    yield from found or ways(probe, slot)
    yield from leases(probe, slot)


def _bridge(probe: Probe, slot: Slot) -> Findings:
    bridge, check = probe.facts.bridge(slot.bridge), f"slot {slot.number}"
    if bridge is None:
        yield Finding(check, FAIL, f"bridge {slot.bridge} is not there", "run the role raptor_host")
        return
    if not bridge.up:
        yield Finding(check, FAIL, f"bridge {slot.bridge} is down", f"ip link set {bridge.name} up")
    if foreign := [port for port in bridge.ports if not port.startswith(GUEST_PORTS)]:
        what = f"bridge {slot.bridge} has a foreign port: {', '.join(foreign)}"
        yield Finding(check, FAIL, what, f"ip link set {foreign[0]} nomaster")


def _dns(probe: Probe, settings: Settings) -> Findings:
    yield from trouble(probe, Part.KEY)
    if Part.KEY not in probe.troubles:
        yield Finding(Part.KEY, OK, f"{settings.dns.key_file} is for root only")
    yield from trouble(probe, Part.DNS)
    for zone, found in probe.zones.items():
        if found:
            yield Finding(Part.DNS, FAIL, found.what, found.advice)
        else:
            yield Finding(Part.DNS, OK, f"{zone} takes our updates")


def _cpus(probe: Probe, settings: Settings) -> Findings:
    yield from trouble(probe, Part.CPUS)
    if Part.CPUS not in probe.troubles:
        left = probe.facts.topology.usable - settings.cpus.reserved
        if left:
            yield Finding(Part.CPUS, OK, f"{left} are for machines")


def _programs(probe: Probe, _settings: Settings) -> Findings:
    for program, advice in probe.programs.items():
        if advice:
            verdict = FAIL if program == "qemu-img" else WARN  # others unpack some images alone
            yield Finding("programs", verdict, f"{program} is not there", advice, program)
    if not any(probe.programs.values()):
        yield Finding("programs", OK, "those for images are there")


def _images(probe: Probe, _settings: Settings) -> Findings:
    yield from trouble(probe, Part.IMAGES)
    if Part.IMAGES not in probe.troubles:
        yield from cache(probe.facts)


def _ready(probe: Probe, settings: Settings, found: list[Finding]) -> Findings:
    """Try what provision would refuse; nobody knows where a part of the host does not answer."""
    if not probe.troubles:
        failed = frozenset(finding.check for finding in found if finding.verdict is FAIL)
        yield from readiness(settings, probe.facts, failed)


def _archive(probe: Probe, settings: Settings) -> Findings:
    if probe.archive > LARGEST_ARCHIVE:
        what = f"LVM keeps {probe.archive} files of earlier metadata in /etc/lvm/archive"
        advice = "lower backup/retain_days in /etc/lvm/lvm.conf, and delete the oldest"
        yield Finding("lvm archive", WARN, what, advice, "/etc/lvm/archive")
    else:
        yield Finding("lvm archive", OK, f"{probe.archive} files of earlier metadata")


def _scene(probe: Probe, settings: Settings, past: Past) -> Scene:
    seen = scene(settings, probe.facts, past, probe)
    unfinished = {name for job in probe.jobs for name in (job.id, job.machine)}
    return replace(seen, busy=seen.busy | unfinished)


def _belonging(probe: Probe, seen: Scene) -> Findings:
    blind = bool({Part.LVM, Part.LIBVIRT} & set(probe.troubles))
    answered = not (blind or {Part.DNS, Part.KEY} & set(probe.troubles) or seen.facts.dns_problem)
    yield from trouble(probe, Part.TENANTS)
    if not blind:
        left = (lost_snapshots(seen), lost_seeds(seen), media(seen))
        whole = chain(machines(seen), *left, forms(seen))
        yield from _told(whole, "machines", "every one is whole, and nothing is left over")
        yield from _told(clashes(seen), "places", "no slot, MAC or CPU has two machines")
    if answered:
        yield from _told(records(seen), "records", "DNS knows every machine, and no other")
    if not blind and Part.TENANTS not in probe.troubles:
        found = chain(tenants(seen, probe.today), numbers(seen), shares(seen))
        yield from _told(found, Part.TENANTS, "every one is whole")


def _told(found: Iterator[Fault], check: str, good: str) -> Findings:
    findings = [fault.finding for fault in found]
    yield from findings or [Finding(check, OK, good)]


def _jobs(probe: Probe) -> Findings:
    yield from trouble(probe, Part.JOURNAL)
    for job in probe.jobs:
        verdict = WARN if job.outcome is Outcome.PENDING else FAIL
        what = f"job {job.id} ({job.verb} {job.machine}) is {job.outcome.value}"
        yield Finding(Part.JOURNAL, verdict, what, f"raptorctl recover {job.id}")
    if not probe.jobs and Part.JOURNAL not in probe.troubles:
        yield Finding(Part.JOURNAL, OK, "no job is unfinished")


_CHECKS: Final[tuple[Callable[[Probe, Settings], Findings], ...]] = (
    _group, _scan, libvirt_works, emulator, _cpus, _programs, _images, firmware, tpm_emulator,
    templates, _slots, granted, reserved, _dns, access, walls, web, _archive,
)  # fmt: skip
