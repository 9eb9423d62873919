"""The host's CPUs and memory, from sysfs and procfs."""

from pathlib import Path
from typing import Final

from raptorctl.errors import InputError, MissingError
from raptorctl.host import procfs
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.sizes import KIB, Size
from raptorctl.model.topology import Cpu, Topology

SYSFS: Final = Path("/sys/devices/system")
PROC: Final = Path("/proc")


def topology(sysfs: Path = SYSFS) -> Topology:
    """Read which CPUs are online, and how they are arranged.

    The files are described in the kernel's Documentation/ABI/stable/sysfs-devices-system-cpu and
    -node. A kernel without NUMA has no nodes; then all CPUs are in node 0.

    Raises:
        MissingError: /sys is not there.
    """
    nodes = _nodes(sysfs / "node")
    online = _cpus(sysfs / "cpu/online")
    if not online:
        raise MissingError(f"{sysfs}/cpu/online names no CPU", resolution="is /sys mounted?")
    return Topology(tuple(_cpu(sysfs / "cpu", n, nodes.get(n, 0)) for n in online))


def memory(proc: Path = PROC) -> Size:
    """Read how many bytes of RAM the kernel manages (proc_meminfo(5); its kB are KiB).

    Raises:
        MissingError: /proc is not there.
    """
    for line in procfs.read(proc / "meminfo").splitlines():
        if line.startswith("MemTotal:"):
            return Size(int(line.split()[1]) * KIB)
    raise MissingError(f"{proc}/meminfo has no MemTotal")


def _cpu(directory: Path, number: int, node: int) -> Cpu:
    # An offline sibling has no topology folder, and neither has any CPU of some containers.
    place = directory / f"cpu{number}/topology"
    socket, core = _number(place / "physical_package_id", 0), _number(place / "core_id", number)
    return Cpu(number, socket=socket, core=core, node=node)


def _nodes(directory: Path) -> dict[int, int]:
    paths = directory.glob("node[0-9]*")
    return {n: int(path.name[4:]) for path in paths for n in _cpus(path / "cpulist")}


def _cpus(file: Path) -> CpuSet:
    # A node may have memory and no CPU; its list is an empty line.
    text = "".join(_lines(file)).strip()
    try:
        return CpuSet.parse(text) if text else CpuSet()
    except InputError as error:
        raise MissingError(f"{file} is not a list of CPUs: {error}") from error


def _number(file: Path, otherwise: int) -> int:
    text = "".join(_lines(file)).strip()
    # The kernel says -1 where the firmware told it nothing.
    return int(text) if text.isdecimal() else otherwise


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:
        return []
