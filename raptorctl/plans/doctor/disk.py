"""Further disks that nothing uses, that nobody is there for, or that a machine lacks."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import PurePosixPath
from typing import Final

from raptorctl.model.disk import ExtraDisk, disks
from raptorctl.model.facts import HostFacts
from raptorctl.model.names import split_disk
from raptorctl.model.probe import Verdict
from raptorctl.model.retired import retired
from raptorctl.model.settings import Settings
from raptorctl.model.volume import OVERLAY, device_path
from raptorctl.plans.doctor.fault import Fault, Faults, Scene

CHECK: Final = "disks"


LATE: Final = timedelta(days=3)
"""How long after its time what is kept should be wiped: there are two looks, a day apart."""


def stray_disks(scene: Scene) -> Faults:
    """Find every such disk; what becomes of its bytes is for a person to decide."""
    return told(scene.settings, scene.facts, scene.in_work)


def overdue(scene: Scene, today: str) -> Faults:
    """Find what is kept of machines that were removed, and should have been wiped by now.

    Args:
        scene: where to look.
        today: ISO 8601.
    """
    last = date.fromisoformat(today) - LATE
    for gone in retired(scene.facts.volumes):
        if date.fromisoformat(gone.until[:10]) < last and not scene.in_work(gone.name.domain):
            what = f"what is kept of {gone.name} was to be wiped on {gone.until[:10]}"
            advice = "systemctl status raptorctl-expire.timer; by hand: raptorctl expire, twice"
            yield Fault(CHECK, str(gone.name), what, advice)


def told(settings: Settings, facts: HostFacts, in_work: Callable[..., bool]) -> Faults:
    """Find them among these volumes and domains.

    Args:
        settings: the host's.
        facts: the host.
        in_work: whether one of these, a job or a machine, is an unfinished job's business.
    """
    for one in disks(facts.volumes):
        busy = in_work(one.volume.job, one.machine.domain)
        if one.volume.clean and not busy and not one.user(facts.domains):
            yield from _unused(one, settings, facts)
    yield from _lacking(settings, facts, in_work)


def _unused(one: ExtraDisk, settings: Settings, facts: HostFacts) -> Faults:
    advice = f"raptorctl disk remove {one}"
    if not one.volume.kept:
        what = f"disk {one} is not kept, and no domain uses it"
        yield Fault(CHECK, one.volume.name, what, advice)
        return
    tenant = facts.tenant(one.machine.tenant)
    if settings.has_tenants and (tenant is None or tenant.record is None):
        what = f"disk {one} is kept, and there is no tenant {one.machine.tenant}"
        yield Fault(CHECK, one.volume.name, what, f"{advice}, or raptorctl tenant add")


def _lacking(settings: Settings, facts: HostFacts, in_work: Callable[..., bool]) -> Faults:
    there = {volume.path for volume in facts.volumes}
    for domain in facts.domains:
        mark = domain.mark if domain.ours else None
        if mark is None or in_work(mark.job, domain.name):
            continue
        for path in sorted(set(domain.disks) - there):
            name = PurePosixPath(path).name.removesuffix(OVERLAY)
            said = split_disk(name)
            if said and path == device_path(settings.storage.volume_group, name):
                what = f"domain {domain.name} lacks its disk {said[1]}, and does not start"
                advice = f"bring {path} back, or raptorctl disk remove {mark.name} {said[1]}"
                yield Fault(CHECK, domain.name, what, advice, Verdict.FAIL)
