"""The host's CPUs: which share a core, which share a memory node."""

from dataclasses import dataclass

from raptorctl.model.cpuset import CpuSet


@dataclass(frozen=True)
class Cpu:
    """One logical CPU that is online.

    Args:
        number: the kernel's number.
        socket: physical package (sysfs topology/physical_package_id).
        core: core within the package (sysfs topology/core_id).
        node: NUMA node.
    """

    number: int
    socket: int
    core: int
    node: int


@dataclass(frozen=True)
class Topology:
    """All CPUs that are online."""

    cpus: tuple[Cpu, ...] = ()

    @property
    def online(self) -> CpuSet:
        """Every usable CPU, ascending."""
        return CpuSet(tuple(sorted(cpu.number for cpu in self.cpus)))

    def siblings(self, number: int) -> CpuSet:
        """The SMT siblings of a CPU, itself included."""
        own = next(cpu for cpu in self.cpus if cpu.number == number)
        return CpuSet(
            tuple(c.number for c in self.cpus if (c.socket, c.core) == (own.socket, own.core))
        )

    def nodes(self, chosen: CpuSet) -> tuple[int, ...]:
        """The NUMA nodes that `chosen` touches."""
        return tuple(sorted({cpu.node for cpu in self.cpus if cpu.number in set(chosen)}))
