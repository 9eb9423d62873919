"""What a domain is to be, for the renderer."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from raptorctl.model.cpuset import CpuSet
from raptorctl.model.net import Forward, Nic
from raptorctl.model.sizes import Size
from raptorctl.model.slot import Slot

if TYPE_CHECKING:
    from raptorctl.model.settings import Libvirt
    from raptorctl.model.spec import BootDevice, Graphics
from raptorctl.model.domain import DiskDevice, Mark


@dataclass(frozen=True)
class DomainSpec:
    """Everything a template needs to become a domain: nothing of it is left open, as in a spec.

    Args:
        mark: whose it is, and which job makes it.
        uuid: chosen before acting.
        accelerator: `kvm` or `qemu`, libvirt's domain type.
        memory: bytes.
        cpus: one host CPU for each virtual CPU, in order.
        emulator: host CPUs for the emulator's threads.
        disk: block device path, or the file of an overlay.
        slot: bridge and MAC; None for QEMU's own network, by which `mark.ssh` is forwarded, or
            for no network where that is empty.
        libvirt: machine type and firmware paths.
        qemu_id: uid and gid of its QEMU; None for libvirt's own choice.
        log: the file that its console is logged to, or "".
        seed: the file that tells cloud-init what to do at first boot, or "".
        graphics: what shows its screen; None for what the template has.
        vcpus: how many virtual CPUs, where none is pinned.
        backing: what an overlay lies over, as path and format.
        tpm: whether it has a TPM; None for what the template has.
        boot: what the firmware tries, in order; empty for what the template has.
        hugepages: bytes of the huge pages its memory is made of; None for what the template has.
        pages_by_memfd: whether QEMU asks the kernel for them by memfd_create(2), which anybody may;
            else libvirt takes them from a mounted hugetlbfs, which root alone has.
        disks: those beside the first, in order.
        forwards: what QEMU's own network forwards beside ssh.
        iso: the file in its CD drive; "" for no drive.
        nics: interfaces beside slot and user network, in order.
    """

    mark: Mark
    uuid: str
    accelerator: str
    memory: Size
    cpus: CpuSet
    emulator: CpuSet
    disk: str
    slot: Slot | None
    libvirt: "Libvirt"
    qemu_id: int | None = None
    log: str = ""
    seed: str = ""
    graphics: "Graphics | None" = None
    vcpus: int = 0
    backing: tuple[str, str] | None = None
    tpm: bool | None = None
    boot: "tuple[BootDevice, ...]" = ()
    hugepages: Size | None = None
    pages_by_memfd: bool = False
    disks: tuple[DiskDevice, ...] = ()
    forwards: tuple[Forward, ...] = ()
    iso: str = ""
    nics: tuple[Nic, ...] = ()

    @property
    def count(self) -> int:
        """How many virtual CPUs."""
        return self.vcpus or len(self.cpus)
