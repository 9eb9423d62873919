"""What doctor says of libvirt, QEMU, firmware and templates."""

from ipaddress import IPv4Address

from raptorctl.errors import RaptorError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Mark
from raptorctl.model.domain_spec import DomainSpec
from raptorctl.model.part import Part
from raptorctl.model.probe import OLDEST_LIBVIRT, OLDEST_PACKAGE, Finding, Probe
from raptorctl.model.settings import Settings
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.slot import Slot
from raptorctl.plans.doctor.finding import FAIL, OK, WARN, Findings, trouble
from raptorctl.plans.doctor.tpm import tpm
from raptorctl.render.domain_xml import render_domain


def libvirt_works(probe: Probe, settings: Settings) -> Findings:
    """Check libvirt's version and access to it, and KVM."""
    yield from trouble(probe, Part.LIBVIRT)
    if Part.LIBVIRT in probe.troubles:
        return
    version = probe.libvirt_package or _dotted(probe.libvirt_version)
    if probe.libvirt_version < OLDEST_LIBVIRT or probe.libvirt_patched is False:
        wanted = OLDEST_PACKAGE if probe.libvirt_package else _dotted(OLDEST_LIBVIRT)
        advice = f"upgrade to {wanted} or later"
        yield Finding(Part.LIBVIRT, WARN, f"libvirt {version} has known holes", advice)
    else:
        yield Finding(Part.LIBVIRT, OK, f"libvirt {version} answers at {settings.libvirt.uri}")
    if probe.facts.accelerator == "kvm":
        yield Finding("accelerator", OK, "KVM works")
    else:
        advice = "switch virtualization on in the firmware, if the CPU has it"
        yield Finding("accelerator", WARN, "no KVM: machines are emulated and slow", advice)


def emulator(probe: Probe, settings: Settings) -> Findings:
    """Check that QEMU has the machine type of the settings, and is not root."""
    yield from trouble(probe, Part.QEMU)
    if probe.emulator and Part.QEMU not in probe.troubles:
        what = f"{probe.emulator} has {settings.libvirt.machine_type}"
        yield Finding(Part.QEMU, OK, what)
    if probe.qemu_uid == 0:
        what = "libvirt runs QEMU as root: who breaks out of a machine has the host"
        advice = 'user = "libvirt-qemu" in /etc/libvirt/qemu.conf, then restart libvirt\'s daemon'
        yield Finding(Part.QEMU, WARN, what, advice)


def tpm_emulator(probe: Probe, settings: Settings) -> Findings:
    """Check that machines can have a TPM."""
    if Part.LIBVIRT not in probe.troubles:
        yield tpm(probe.facts)


def firmware(probe: Probe, settings: Settings) -> Findings:
    """Check that the firmware's two files are there."""
    paths = (settings.libvirt.firmware_code, settings.libvirt.firmware_vars)
    missing = [path for path in paths if path not in probe.facts.files]
    if missing:
        advice = "install OVMF (Debian: apt install ovmf), or correct libvirt in the settings"
        yield Finding("firmware", FAIL, f"not there: {', '.join(missing)}", advice)
    else:
        yield Finding("firmware", OK, paths[0])


def templates(probe: Probe, settings: Settings) -> Findings:
    """Check that each template can be rendered."""
    yield from trouble(probe, Part.TEMPLATES)
    for name, text in probe.facts.templates.items():
        try:
            render_domain(text, _trial(name, probe, settings))
        except RaptorError as error:
            yield Finding(Part.TEMPLATES, FAIL, f"{name}: {error.brief}", error.resolution)
        else:
            yield Finding(Part.TEMPLATES, OK, f"{name} renders")
    if settings.machine.template not in probe.facts.templates:
        advice = "correct machine.template in the settings"
        what = f"the default, {settings.machine.template}, is not there"
        yield Finding(Part.TEMPLATES, FAIL, what, advice)


def _trial(template: str, probe: Probe, settings: Settings) -> DomainSpec:
    """A machine that nobody asked for, to see whether a template works."""
    return DomainSpec(
        mark=Mark("doctor", "trial", 1, "trial", "1970-01-01T00:00:00Z", "doctor", template),
        uuid="00000000-0000-4000-8000-000000000000",
        accelerator=probe.facts.accelerator,
        memory=Size(GIB),
        cpus=CpuSet((0, 1)),
        emulator=CpuSet((0, 1)),
        disk="/dev/null",
        slot=Slot(1, IPv4Address("192.0.2.1")),
        libvirt=settings.libvirt,
    )


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
