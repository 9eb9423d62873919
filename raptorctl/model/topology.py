"""The host's CPUs: which share a core, which share a memory node."""

from dataclasses import dataclass
from typing import Final

from raptorctl.model.cpuset import CpuSet

SLICE: Final = "machine.slice"
"""Where systemd-machined puts libvirt's machines (systemd.special(7))."""


@dataclass(frozen=True)
class Cpu:
    """One logical CPU that is online.

    Args:
        number: the kernel's number.
        socket: physical package (sysfs topology/physical_package_id).
        core: core within the package (sysfs topology/core_id), for its name only: firmware
            numbers cores anew in each die, or all alike.
        node: NUMA node.
    """

    number: int
    socket: int
    core: int
    node: int


@dataclass(frozen=True)
class Topology:
    """All CPUs that are online.

    Args:
        cpus: those.
        allowed: what machine.slice may use (its cpuset.cpus.effective); None for all.
        cores: the threads of each core, as the kernel tells (sysfs topology/thread_siblings_list).
    """

    cpus: tuple[Cpu, ...] = ()
    allowed: CpuSet | None = None
    cores: tuple[CpuSet, ...] = ()

    @property
    def online(self) -> CpuSet:
        """Every CPU that is online, ascending."""
        return CpuSet(tuple(sorted(cpu.number for cpu in self.cpus)))

    @property
    def usable(self) -> CpuSet:
        """Every CPU that a machine can run on, ascending."""
        return self.online if self.allowed is None else self.online & self.allowed

    def siblings(self, number: int) -> CpuSet:
        """The SMT siblings of a CPU, itself included."""
        told = next((core for core in self.cores if number in set(core)), None)
        return (told or self._alike(number)) & self.online

    def _alike(self, number: int) -> CpuSet:
        """The CPUs that have one's numbers, of those whose siblings the kernel does not tell."""
        own = next(cpu for cpu in self.cpus if cpu.number == number)
        told = {thread for core in self.cores for thread in core}
        left = (cpu for cpu in self.cpus if cpu.number not in told)
        return CpuSet(tuple(c.number for c in left if (c.socket, c.core) == (own.socket, own.core)))

    def whole_first(self, left: CpuSet) -> CpuSet:
        """Put the CPUs of whole cores first, siblings side by side; others follow.

        Args:
            left: the CPUs there are to choose from.
        """
        there, cores, others = set(left), list[int](), list[int]()
        for cpu in left.ascending():
            core = self.siblings(cpu).ascending()
            if cpu == core.cpus[0] and set(core) <= there:
                cores += core
            elif not set(core) <= there:
                others.append(cpu)
        return CpuSet((*cores, *others))

    def nodes(self, chosen: CpuSet) -> tuple[int, ...]:
        """The NUMA nodes that `chosen` touches."""
        return tuple(sorted({cpu.node for cpu in self.cpus if cpu.number in set(chosen)}))
