"""What a machine asks of a host beside CPUs and disks: a TPM, other firmware, huge pages."""

from dataclasses import replace

from raptorctl.errors import InputError, MissingError, RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.session_host import FIRMWARE, SECURE_FIRMWARE
from raptorctl.model.settings import Libvirt, Settings
from raptorctl.model.sizes import Size
from raptorctl.model.spec import MachineSpec


def refuse(spec: MachineSpec, settings: Settings, facts: HostFacts) -> None:
    """Refuse what the host does not have.

    Raises:
        InputError: the memory is no whole number of huge pages.
        MissingError: there is no swtpm, or no such firmware.
        RefusedError: not enough huge pages are there.
    """
    if spec.tpm and not facts.tpm:
        raise MissingError(
            "--tpm: libvirt finds no swtpm here, which emulates a TPM",
            resolution="install it (Debian: swtpm swtpm-tools)",
            subject="swtpm",
        )
    firmware(spec, settings, facts)
    if spec.hugepages:
        _refuse_pages(spec.hugepages, spec.memory or settings.machine.memory, facts)


def firmware(spec: MachineSpec, settings: Settings, facts: HostFacts) -> Libvirt:
    """Return libvirt's settings with the firmware that a machine is to have.

    Raises:
        MissingError: there is none of that kind where distributions put it.
    """
    libvirt = settings.libvirt
    if spec.secure_boot in {None, libvirt.secure_boot}:
        return libvirt
    known = SECURE_FIRMWARE if spec.secure_boot else FIRMWARE
    for code, variables in known:
        if {code, variables} <= facts.files:
            return replace(
                libvirt,
                firmware_code=code,
                firmware_vars=variables,
                secure_boot=not libvirt.secure_boot,
            )
    kind = "with" if spec.secure_boot else "without"
    raise MissingError(
        f"--secure-boot: there is no firmware {kind} secure boot at {known[0][0]}",
        resolution="install OVMF (Debian: ovmf; Fedora: edk2-ovmf)",
        subject="firmware",
    )


def refuse_uneven(memory: Size, page: Size) -> None:
    """Refuse memory that is no whole number of huge pages.

    Raises:
        InputError: says how much would be.
    """
    if page and memory % page:
        raise InputError(
            f"{memory} of memory is no whole number of huge pages of {page}",
            resolution=f"give it {memory.rounded_up(page)}",
        )


def _refuse_pages(page: Size, memory: Size, facts: HostFacts) -> None:
    refuse_uneven(memory, page)
    held = sum(d.held_memory for d in facts.domains if d.hugepages == page)
    there = facts.hugepages.get(str(page), Size(0))
    if held + memory > there:
        promised = f", of which {Size(held)} is promised to other machines" if held else ""
        raise RefusedError(
            f"{memory} of memory asked in huge pages of {page}; the host has {there}{promised}",
            resolution="have the kernel reserve more as it boots: hugepagesz= and hugepages=",
            code=Code.MEMORY_UNAVAILABLE,
        )
