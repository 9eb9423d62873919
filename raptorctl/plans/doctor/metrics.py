"""Metrics of a host: only what nobody else knows; a hypervisor's counters are an exporter's."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime

from raptorctl.model.cpu_map import CpuUse, cpu_map
from raptorctl.model.domain import State
from raptorctl.model.expiry import is_expiry
from raptorctl.model.facts import HostFacts
from raptorctl.model.job import Job, Outcome
from raptorctl.model.machine import NO_DOMAIN
from raptorctl.model.metric import Metric, MetricKind, Sample
from raptorctl.model.names import MachineName
from raptorctl.model.part import AnyPart, Part
from raptorctl.model.probe import Finding, Verdict
from raptorctl.model.settings import Settings
from raptorctl.model.slot_map import SlotUse
from raptorctl.model.volume import Volume
from raptorctl.model.wipe import waits
from raptorctl.plans.part.slots import slot_uses
from raptorctl.plans.past import Past
from raptorctl.plans.tenant.quota import Usage, usage

STATES = (*(state.value for state in State), NO_DOMAIN)

Samples = Iterator[Sample]


@dataclass(frozen=True)
class Seen:
    """What the metrics of a host are made of.

    Args:
        settings: the host's.
        facts: the host, as far as it could be read.
        past: all jobs whose plans can be read.
        unfinished: those that recover has work with, whether their plans can be read or not.
        findings: doctor's.
        blind: parts of the host that could not be read.
        version: raptorctl's own.
        at: when, in seconds since 1970.
    """

    settings: Settings
    facts: HostFacts
    past: Past
    unfinished: tuple[Job, ...]
    findings: tuple[Finding, ...]
    blind: frozenset[AnyPart]
    version: str
    at: float


def measured(seen: Seen) -> tuple[Metric, ...]:
    """Measure a host. What depends on a part that could not be read has no samples."""
    told = (_build, _moment, _slots, _cpus, _machines, _states, _limits, _used, _group, _wipes,
            _jobs, _durations, _findings, _names, _expiry, _cache)  # fmt: skip
    return tuple(_metric(seen, *one(seen)) for one in told)


Told = tuple[str, str, tuple[Part, ...], Samples]
"""A metric's name without its prefix, its help, what it depends on, and its samples."""


def _metric(seen: Seen, name: str, text: str, needs: tuple[Part, ...], samples: Samples) -> Metric:
    found = () if seen.blind.intersection(needs) else tuple(samples)
    kind = MetricKind.SUMMARY if any(one.suffix for one in found) else MetricKind.GAUGE
    return Metric(f"raptorctl_{name}", text, found, kind)


def _build(seen: Seen) -> Told:
    text = "The version of raptorctl that measured; always 1."
    return "build_info", text, (), iter([Sample(1, {"version": seen.version})])


def _moment(seen: Seen) -> Told:
    text = "When the host was looked at."
    return "measured_timestamp_seconds", text, (), iter([Sample(int(seen.at))])


def _slots(seen: Seen) -> Told:
    uses = slot_uses(seen.settings, seen.facts) if seen.settings.has_slots else ()
    found = _counted("state", map(_slot_state, uses), ("free", "used", "unusable") if uses else ())
    text = "Slots: free, used by a machine or a job, or with a bridge that is not up."
    return "slots", text, (Part.LVM, Part.LIBVIRT, Part.LINKS), found


def _slot_state(use: SlotUse) -> str:
    return "used" if use.holders else "free" if use.free else "unusable"


def _cpus(seen: Seen) -> Told:
    uses = cpu_map(seen.facts, seen.settings.cpus.reserved).cpus
    states = ("free", "used", "reserved", "unusable")
    text = "Host CPUs: free, pinned to, reserved for the host, or not usable by machines."
    return "cpus", text, (Part.CPUS, Part.LIBVIRT), _counted("state", map(_cpu_state, uses), states)


def _cpu_state(use: CpuUse) -> str:
    if use.reserved:
        return "reserved"
    return "free" if use.free else "used" if use.pins or use.emulators else "unusable"


def _counted(label: str, found: Iterable[str], known: Iterable[str]) -> Samples:
    count = Counter(found)
    return (Sample(count[state], {label: state}) for state in known)


def _machines(seen: Seen) -> Told:
    def samples() -> Samples:
        domains = {domain.name: domain for domain in seen.facts.domains}
        volumes = {volume.name: volume for volume in seen.facts.volumes}
        for name, _ in _known(seen.facts):
            domain, volume = domains.get(name.domain), volumes.get(name.volume)
            mark = domain.mark if domain else None
            slot = mark.place if mark else volume.slot if volume else None
            yield Sample(1, {
                "tenant": name.tenant,
                "machine": name.machine,
                "domain": name.domain,
                "slot": "" if slot is None else str(slot),
                "image": mark.image_name if mark else "",
            })  # fmt: skip

    text = "A machine, its slot, and the image that its disk began as; always 1."
    return "machine_info", text, (Part.LVM, Part.LIBVIRT), samples()


def _states(seen: Seen) -> Told:
    found = (
        Sample(state == one, {"domain": name.domain, "state": one})
        for name, state in _known(seen.facts)
        for one in STATES
    )
    text = "Whether a machine is in that state, in libvirt's words: 1 of one state, 0 of the rest."
    return "machine_state", text, (Part.LVM, Part.LIBVIRT), found


def _known(facts: HostFacts) -> list[tuple[MachineName, str]]:
    """Every machine with its state, by name."""
    found = {volume.machine: NO_DOMAIN for volume in facts.volumes if volume.ours}
    found |= {d.mark.name: d.state.value for d in facts.domains if d.ours and d.mark}
    return sorted((name, state) for name, state in found.items() if name)


def _limits(seen: Seen) -> Told:
    found = (
        Sample(limit, {"tenant": tenant.name, "resource": one.name})
        for tenant in seen.facts.tenants
        for one in fields(Usage)
        if tenant.record and (limit := getattr(tenant.record.quota, one.name)) is not None
    )
    text = "A tenant's quota of machines, cpus, memory and size, the last two in bytes."
    return "quota_limit", text, (Part.TENANTS,), found


def _used(seen: Seen) -> Told:
    found = (
        Sample(getattr(has, one.name), {"tenant": tenant.name, "resource": one.name})
        for tenant in seen.facts.tenants
        for has in [usage(tenant.name, seen.facts)]
        for one in fields(Usage)
    )
    text = "What a tenant has of what a quota limits, in the same units."
    return "quota_used", text, (Part.TENANTS, Part.LVM, Part.LIBVIRT), found


def _group(seen: Seen) -> Told:
    def samples() -> Samples:
        group = seen.facts.group
        if group is None:
            return
        sizes: Counter[str] = Counter()
        for volume in seen.facts.volumes:
            sizes[_volume_state(volume)] += volume.size
        used = {state: sizes[state] for state in ("machines", "kept", "wipe_pending")}
        other = max(0, group.size - group.free - sum(used.values()))
        for state, size in {"free": group.free, **used, "other": other}.items():
            yield Sample(size, {"state": state})

    text = "Room of the volume group: free, and what takes the rest."
    return "volume_group_bytes", text, (Part.LVM,), samples()


def _volume_state(volume: Volume) -> str:
    if not volume.ours:
        return "other"
    return "wipe_pending" if waits(volume) else "kept" if volume.kept else "machines"


def _wipes(seen: Seen) -> Told:
    found = sum(waits(volume) for volume in seen.facts.volumes)
    text = "Volumes that are out of use and not wiped yet, or were never finished."
    return "wipe_pending", text, (Part.LVM,), iter([Sample(found)])


def _jobs(seen: Seen) -> Told:
    found = sum(job.outcome is not Outcome.PENDING for job in seen.unfinished)
    text = "Jobs that were interrupted or left something behind, and that recover ends."
    return "jobs_unfinished", text, (Part.JOURNAL,), iter([Sample(found)])


def _names(seen: Seen) -> Told:
    found = sum(job.outcome is Outcome.PENDING for job in seen.unfinished)
    text = "Jobs that only wait for DNS to take their records back."
    return "dns_pending", text, (Part.JOURNAL,), iter([Sample(found)])


def _durations(seen: Seen) -> Told:
    def samples() -> Samples:
        by_verb: defaultdict[str, list[Job]] = defaultdict(list)
        for job, _ in seen.past.jobs:
            if not job.outcome.is_open and job.seconds is not None:
                by_verb[job.verb].append(job)
        for verb, jobs in sorted(by_verb.items()):
            yield Sample(sum(job.seconds or 0 for job in jobs), {"verb": verb}, "_sum")
            yield Sample(len(jobs), {"verb": verb}, "_count")

    text = "How long jobs took that have ended, from the first line of their journal to the last."
    return "job_duration_seconds", text, (Part.JOURNAL,), samples()


def _findings(seen: Seen) -> Told:
    count = Counter((one.verdict, one.check) for one in seen.findings)
    found = (
        Sample(count[verdict, check], {"severity": verdict.value, "check": check})
        for check in dict.fromkeys(str(one.check) for one in seen.findings)
        for verdict in (Verdict.WARN, Verdict.FAIL)
    )
    return "doctor_findings", "What doctor finds, by check: warn or fail.", (), found


def _expiry(seen: Seen) -> Told:
    found = (
        Sample(datetime.fromisoformat(f"{mark.expires}T00:00:00+00:00").timestamp(),
               {"domain": domain.name})
        for domain in seen.facts.domains
        if (mark := domain.mark) and domain.ours and is_expiry(mark.expires)
    )  # fmt: skip
    text = "When a machine expires; absent for one that does not."
    return "machine_expires_timestamp_seconds", text, (Part.LIBVIRT,), found


def _cache(seen: Seen) -> Told:
    stored = {image.path: image.stored for image in seen.facts.images}
    text = "Room that the cache of images takes on its file system."
    return "image_cache_bytes", text, (Part.IMAGES,), iter([Sample(sum(stored.values()))])
