"""What is asked for of a new machine, and what was chosen for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from raptorctl.model.cpuset import CpuSet, cpu_count
from raptorctl.model.image import Image
from raptorctl.model.names import MachineName
from raptorctl.model.seed import FirstBoot
from raptorctl.model.session_host import CPUS
from raptorctl.model.sizes import Size
from raptorctl.model.spec import MachineSpec
from raptorctl.plans.part import extra, net
from raptorctl.plans.part.owner import Owner
from raptorctl.plans.tenant.quota import Usage


@dataclass(frozen=True)
class ProvisionRequest:
    """What a person asks for, and what this run has found and made for it.

    Args:
        name: whose machine, and which.
        spec: what it should be.
        start: whether to start it.
        found: the image of the spec, where the caller has looked it up: two names may have one
            content.
        first_boot: whom the guest lets in; None where cloud-init is told nothing.
        found_disks, found_iso: those of its further disks, by name, and of its CD drive, likewise.
        login: type and blob of the key that its steps log in with; "" for none that is known.
        file: the file of machines that asks for it; "" where a person does.
    """

    name: MachineName
    spec: MachineSpec = MachineSpec()
    start: bool = True
    found: Image | None = None
    first_boot: FirstBoot | None = None
    login: str = ""
    file: str = ""
    found_disks: Mapping[str, Image] = field(default_factory=dict)
    found_iso: Image | None = None

    @property
    def boot(self) -> FirstBoot | None:
        """What cloud-init is told, with the keys that the owner is given on the way."""
        return self.first_boot and self.first_boot.with_named(self.spec.keys)

    @property
    def pins(self) -> CpuSet:
        """The host CPUs that were named."""
        return self.spec.cpus if isinstance(self.spec.cpus, CpuSet) else CpuSet()

    @property
    def vcpus(self) -> int:
        """How many CPUs, where none is named; 0 where some are."""
        return 0 if self.pins else self.spec.cpus if isinstance(self.spec.cpus, int) else CPUS


@dataclass(frozen=True)
class Choice:
    """A request with every default and every free choice filled in.

    Unlike in a spec nothing is open here, and it has what no spec says: an owner and a place.
    """

    name: MachineName
    size: Size
    cpus: CpuSet
    memory: Size
    wiring: net.Wiring
    template: str
    owner: Owner
    image: Image | None = None
    vcpus: int = 0
    disks: tuple[extra.AddedDisk, ...] = ()
    iso: Image | None = None

    @property
    def all_disks(self) -> Size:
        """Bytes of the first disk, and of all others that are made."""
        return Size(self.size + extra.grown(self.disks))

    @property
    def usage(self) -> Usage:
        """What it takes of its owner's quota."""
        return Usage(1, len(self.cpus), self.memory, self.all_disks)

    @property
    def place(self) -> int | None:
        """The number of its slot, if it gets one."""
        return self.wiring.slot.number if self.wiring.slot else None

    @property
    def processors(self) -> str:
        """Its CPUs, as people read them."""
        return f"CPUs {self.cpus}" if self.cpus else cpu_count(self.vcpus)
