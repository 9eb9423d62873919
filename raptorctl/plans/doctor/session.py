"""Doctor on a host of one's own: what provision needs there, and machines that are not whole."""

from collections.abc import Callable, Iterator
from typing import Final

from raptorctl.errors import RaptorError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Mark
from raptorctl.model.domain_spec import DomainSpec
from raptorctl.model.names import MachineName
from raptorctl.model.part import Part, SessionPart
from raptorctl.model.probe import Finding, SessionProbe, Verdict
from raptorctl.model.session_host import LOOPBACK
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.volume import device_path
from raptorctl.plans.doctor import disk, medium, snapshot
from raptorctl.plans.doctor.form import told
from raptorctl.plans.doctor.image import cache, founded
from raptorctl.plans.doctor.tpm import tpm
from raptorctl.plans.doctor.trial import readiness
from raptorctl.render.domain_xml import render_domain

OK, WARN, FAIL = Verdict.OK, Verdict.WARN, Verdict.FAIL
Findings = Iterator[Finding]


def examine_session(probe: SessionProbe) -> tuple[Finding, ...]:
    """Judge a host of one's own; every check answers, in a fixed order."""
    found = [finding for check in _CHECKS for finding in check(probe)]
    told = {finding.check for finding in found}
    for part, trouble in probe.troubles.items():
        if part not in told:
            found.append(Finding(part, FAIL, trouble.what, trouble.advice))
    if not probe.troubles:
        failed = frozenset(finding.check for finding in found if finding.verdict is FAIL)
        found += readiness(probe.settings, probe.facts, failed)
    return tuple(found)


def _kind(probe: SessionProbe) -> Findings:
    yield Finding("host", OK, f"is your own: machines of {probe.settings.owner}, without root")


def _libvirt(probe: SessionProbe) -> Findings:
    if trouble := probe.troubles.get(Part.LIBVIRT):
        yield Finding(Part.LIBVIRT, FAIL, trouble.what, trouble.advice)
    else:
        version = ".".join(map(str, probe.libvirt_version))
        yield Finding(Part.LIBVIRT, OK, f"{version} answers at {probe.settings.libvirt.uri}")


def _qemu(probe: SessionProbe) -> Findings:
    if Part.LIBVIRT in probe.troubles:
        return
    if trouble := probe.troubles.get(Part.QEMU):
        yield Finding(Part.QEMU, FAIL, trouble.what, trouble.advice)
    elif not probe.emulator:
        what = "libvirt finds no QEMU for x86_64"
        yield Finding(Part.QEMU, FAIL, what, "install it (Debian: qemu-system-x86)")
    elif not probe.user_network:
        what = f"{probe.emulator} was built without its user network"
        yield Finding(Part.QEMU, FAIL, what, "install one that has it: no machine has a network")
    else:
        yield Finding(Part.QEMU, OK, f"{probe.emulator}, with its user network")


def _kvm(probe: SessionProbe) -> Findings:
    if probe.facts.no_kvm:
        what = f"machines are emulated, and slow: {probe.facts.no_kvm}"
        yield Finding("kvm", WARN, what)
    else:
        yield Finding("kvm", OK, "machines run on the CPU itself")


def _tpm(probe: SessionProbe) -> Findings:
    if Part.LIBVIRT not in probe.troubles:
        yield tpm(probe.facts)


def _firmware(probe: SessionProbe) -> Findings:
    libvirt = probe.settings.libvirt
    wanted = (libvirt.firmware_code, libvirt.firmware_vars)
    if missing := [path for path in wanted if path not in probe.facts.files]:
        advice = "install OVMF (Debian: ovmf; Fedora, Arch: edk2-ovmf)"
        yield Finding("firmware", FAIL, f"there is no {missing[0]}", advice)
    else:
        yield Finding("firmware", OK, libvirt.firmware_code)


def _programs(probe: SessionProbe) -> Findings:
    if trouble := probe.troubles.get(SessionPart.QEMU_IMG):
        yield Finding(SessionPart.QEMU_IMG, FAIL, trouble.what, "install it (Debian: qemu-utils)")
    else:
        yield Finding(SessionPart.QEMU_IMG, OK, probe.qemu_img)


def _images(probe: SessionProbe) -> Findings:
    if Part.IMAGES not in probe.troubles:
        yield from cache(probe.facts)


def _directories(probe: SessionProbe) -> Findings:
    for path in probe.unwritable:
        yield Finding("directories", FAIL, f"{path} cannot be written", "chown it", path)
    if not probe.unwritable:
        yield Finding("directories", OK, probe.settings.storage.volume_group)


def _ports(probe: SessionProbe) -> Findings:
    if probe.facts.ports:
        yield Finding("ports", OK, f"{LOOPBACK}:{probe.facts.ports[0]} is free to forward ssh from")
    else:
        what = f"no port of {LOOPBACK} is free to forward ssh from"
        yield Finding("ports", FAIL, what, "deprovision a machine that is not needed")


def _templates(probe: SessionProbe) -> Findings:
    if trouble := probe.troubles.get(Part.TEMPLATES):
        yield Finding(Part.TEMPLATES, FAIL, trouble.what, trouble.advice)
        return
    bad = [name for name in sorted(probe.facts.templates) if not _renders(name, probe)]
    for name in bad:
        yield Finding(Part.TEMPLATES, FAIL, f"template {name} cannot be used", "mend it", name)
    if not bad:
        yield Finding(Part.TEMPLATES, OK, ", ".join(sorted(probe.facts.templates)))


def _machines(probe: SessionProbe) -> Findings:
    """Halves of machines, unless a job has made them so; and those not as they are defined."""
    domains = {d.mark.name for d in probe.facts.domains if d.ours and d.mark}
    volumes = {volume.machine for volume in probe.facts.volumes if volume.ours and volume.machine}
    busy = {job.machine for job in probe.jobs}
    blind = probe.troubles.keys() & {Part.LIBVIRT, SessionPart.VOLUMES}  # half of it is not known
    half = [name for name in sorted(domains ^ volumes) if name.domain not in busy and not blind]
    for name in half:
        what = f"{name} has {'no disk' if name in domains else 'no domain'}"
        yield Finding("machines", FAIL, what, f"raptorctl deprovision {name}", name.domain)
    differing = [fault.finding for fault in told(probe.facts.domains, probe.facts.topology)]

    def in_work(*names: str | None) -> bool:
        return bool(busy.intersection(names))

    if not blind:
        differing += [fault.finding for fault in disk.told(probe.settings, probe.facts, in_work)]
        differing += [fault.finding for fault in medium.unreadable(probe.facts, in_work)]
        differing += [fault.finding for fault in snapshot.told(probe.facts, in_work)]
    yield from differing
    lost = [] if Part.IMAGES in probe.troubles else list(founded(probe.facts))
    yield from lost
    if not (half or differing or lost or blind):
        yield Finding("machines", OK, "every one is whole")


def _jobs(probe: SessionProbe) -> Findings:
    for job in probe.jobs:
        what = f"job {job.id} ({job.verb} {job.machine}) is {job.outcome.value}"
        yield Finding(Part.JOURNAL, FAIL, what, f"raptorctl recover {job.id}")
    if trouble := probe.troubles.get(Part.JOURNAL):
        yield Finding(Part.JOURNAL, FAIL, trouble.what, trouble.advice)
    elif not probe.jobs:
        yield Finding(Part.JOURNAL, OK, "no job is unfinished")


_CHECKS: Final[tuple[Callable[[SessionProbe], Findings], ...]] = (
    _kind, _libvirt, _qemu, _kvm, _firmware, _tpm, _programs, _images, _directories,
    _ports, _templates, _machines, _jobs,
)  # fmt: skip


def _renders(template: str, probe: SessionProbe) -> bool:
    """Whether a machine that nobody asked for could be made of a template."""
    name = MachineName(probe.settings.owner, "trial")
    spec = DomainSpec(
        mark=Mark(
            name.tenant, name.machine, 0, "trial", "1970-01-01T00:00:00Z", "doctor", template
        ),
        uuid="00000000-0000-4000-8000-000000000000",
        accelerator=probe.facts.accelerator,
        memory=Size(GIB),
        cpus=CpuSet(),
        emulator=CpuSet(),
        disk=device_path(probe.settings.storage.volume_group, name.volume),
        slot=None,
        libvirt=probe.settings.libvirt,
        vcpus=1,
    )
    try:
        render_domain(probe.facts.templates[template], spec)
    except RaptorError:
        return False
    return True
