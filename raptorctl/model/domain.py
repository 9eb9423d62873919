"""Domains: what libvirt has, and what we ask it to have."""

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from raptorctl.model.cpuset import CpuSet
from raptorctl.model.names import MachineName
from raptorctl.model.sizes import Size
from raptorctl.model.slot import Slot

if TYPE_CHECKING:
    from raptorctl.model.profile import Graphics
    from raptorctl.model.settings import Libvirt

NAMESPACE: Final = "https://raptorctl.dev/xmlns/machine/1"


class State(enum.Enum):
    """A domain's state, in libvirt's words (virDomainState)."""

    RUNNING = "running"
    BLOCKED = "idle"
    PAUSED = "paused"
    SHUTTING_DOWN = "in shutdown"
    OFF = "shut off"
    CRASHED = "crashed"
    SUSPENDED = "pmsuspended"
    UNKNOWN = "unknown"

    @property
    def active(self) -> bool:
        """Whether a QEMU process holds the disk."""
        return self not in {State.OFF, State.CRASHED}


@dataclass(frozen=True)
class Mark:
    """What we write into a domain's metadata.

    Args:
        tenant, machine: whose it is.
        slot: its place on the network; 0 for none, on a host of one's own.
        job: the job that made it.
        created: when, in UTC, ISO 8601.
        created_by: the admin who did it.
        template: what it was rendered from.
        image: name and digest of what its disk began as, `debian:13 sha256:...`; or "".
        host_key: the guest's public ssh host key, by which it is known; or "".
        ssh: where this host forwards the guest's ssh from, `127.0.0.1:2201`; or "".
        named: the job that its DNS names were given by, where that is an earlier one; or "".
    """

    tenant: str
    machine: str
    slot: int
    job: str
    created: str
    created_by: str
    template: str
    image: str = ""
    host_key: str = ""
    ssh: str = ""
    named: str = ""

    @property
    def names_job(self) -> str:
        """The job that its ownership TXT tells."""
        return self.named or self.job

    @property
    def place(self) -> int | None:
        """The number of its slot, if it has one."""
        return self.slot or None

    @property
    def name(self) -> MachineName:
        """The machine's name."""
        return MachineName(self.tenant, self.machine)

    @property
    def image_name(self) -> str:
        """What its disk began as, or ""."""
        return self.image.rpartition(" sha256:")[0]

    @property
    def image_digest(self) -> str:
        """The digest of that image, or ""."""
        return self.image.rpartition(" sha256:")[2]


@dataclass(frozen=True)
class Domain:
    """A domain as libvirt reports it, ours or not.

    Args:
        uuid, name: libvirt's identifiers.
        state: running or not.
        memory: bytes at boot.
        pins: host CPUs its virtual CPUs may run on, in order of virtual CPU.
        emulator: host CPUs of the emulator's own threads.
        macs, bridges: of its network interfaces.
        disks: host paths it uses.
        nvram: its file of UEFI variables.
        mark: ours, when it carries one.
        xml: its persistent definition, to define it again if a removal must be undone.
        autostart: whether it starts with the host.
        logs: files that its consoles are logged to.
        persistent: whether it has a definition; one without is gone once it stops.
        vcpus: how many virtual CPUs it has, pinned or not.
    """

    uuid: str
    name: str
    state: State = State.OFF
    memory: Size = Size(0)
    pins: CpuSet = CpuSet()
    emulator: CpuSet = CpuSet()
    macs: tuple[str, ...] = ()
    bridges: tuple[str, ...] = ()
    disks: tuple[str, ...] = ()
    nvram: str = ""
    mark: Mark | None = None
    xml: str = ""
    autostart: bool = False
    logs: tuple[str, ...] = ()
    persistent: bool = True
    vcpus: int = 0

    @property
    def ours(self) -> bool:
        """Marked by us, and the mark agrees with the name that polkit will judge by."""
        return self.mark is not None and self.mark.name.domain == self.name


@dataclass(frozen=True)
class DomainSpec:
    """Everything a template needs to become a domain.

    Args:
        mark: whose it is, and which job makes it.
        uuid: chosen before acting.
        accelerator: `kvm` or `qemu`, libvirt's domain type.
        memory: bytes.
        cpus: one host CPU for each virtual CPU, in order.
        emulator: host CPUs for the emulator's threads.
        disk: block device path, or the file of an overlay.
        slot: bridge and MAC; None for QEMU's own network, by which `mark.ssh` is forwarded.
        libvirt: machine type and firmware paths.
        qemu_id: uid and gid of its QEMU; None for libvirt's own choice.
        log: the file that its console is logged to, or "".
        seed: the file that tells cloud-init what to do at first boot, or "".
        graphics: what shows its screen; None for what the template has.
        vcpus: how many virtual CPUs, where none is pinned.
        backing: what an overlay lies over, as path and format.
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

    @property
    def count(self) -> int:
        """How many virtual CPUs."""
        return self.vcpus or len(self.cpus)
