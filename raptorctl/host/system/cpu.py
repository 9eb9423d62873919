"""The host's CPUs and memory, from sysfs and procfs."""

import os
from pathlib import Path
from typing import Final

from raptorctl.errors import CommandError, InputError, MissingError
from raptorctl.host.system import procfs
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.sizes import HUGE_PAGES, KIB, Size
from raptorctl.model.topology import SLICE, Cpu, Topology

SYSFS: Final = Path("/sys/devices/system")
CGROUPS: Final = Path("/sys/fs/cgroup")
PROC: Final = Path("/proc")
HUGE: Final = Path("/sys/kernel/mm/hugepages")


def topology(sysfs: Path = SYSFS, cgroups: Path = CGROUPS, *, session: bool = False) -> Topology:
    """Read which CPUs are online, how they are arranged, and which machines may use.

    The files are described in the kernel's Documentation/ABI/stable/sysfs-devices-system-cpu and
    -node, and admin-guide/cgroup-v2.rst. A kernel without NUMA has no nodes; then all CPUs are in
    node 0.

    Args:
        sysfs: where it is.
        cgroups: likewise.
        session: machines are those of libvirt's session, which run outside of machine.slice.

    Raises:
        MissingError: /sys is not there.
    """
    nodes = _nodes(sysfs / "node")
    online = _cpus(sysfs / "cpu/online")
    if not online:
        raise MissingError(f"{sysfs}/cpu/online names no CPU", resolution="is /sys mounted?")
    cpus = tuple(_cpu(sysfs / "cpu", n, nodes.get(n, 0)) for n in online)
    told = dict.fromkeys(_threads(sysfs / f"cpu/cpu{n}/topology", n) for n in online)
    return Topology(cpus, None if session else _allowed(cgroups), tuple(filter(None, told)))


def memory(proc: Path = PROC, cgroups: Path = CGROUPS, *, session: bool = False) -> Size:
    """Read how many bytes machines may have: what the kernel manages, less what sessions may take.

    The files are described in proc_meminfo(5), whose kB are KiB, and admin-guide/cgroup-v2.rst.

    Args:
        proc: where /proc is.
        cgroups: where the control groups are.
        session: whether machines are in a session themselves.

    Raises:
        MissingError: /proc is not there.
    """
    for line in procfs.read(proc / "meminfo").splitlines():
        if line.startswith("MemTotal:"):
            total = int(line.split()[1]) * KIB
            return Size(total - (0 if session else _sessions(cgroups, total)))
    raise MissingError(f"{proc}/meminfo has no MemTotal")


def hugepages(sysfs: Path = HUGE) -> dict[str, Size]:
    """Read how many bytes the kernel keeps in huge pages, by the page's size, such as `1G`.

    See the kernel's Documentation/admin-guide/mm/hugetlbpage.rst; there may be none.
    """
    found = {}
    for page in map(Size, HUGE_PAGES):
        count = "".join(_lines(sysfs / f"hugepages-{page // KIB}kB/nr_hugepages")).strip()
        found[str(page)] = Size(page * int(count) if count.isdigit() else 0)
    return found


def _sessions(cgroups: Path, total: int) -> int:
    """The bound on all accounts' sessions; without one, nothing is known of them."""
    bound = "".join(_lines(cgroups / "user.slice/memory.max")).strip()
    return int(bound) if bound.isdigit() and int(bound) < total else 0


def _cpu(directory: Path, number: int, node: int) -> Cpu:
    # An offline sibling has no topology folder, and neither has any CPU of some containers.
    place = directory / f"cpu{number}/topology"
    socket, core = _number(place / "physical_package_id", 0), _number(place / "core_id", number)
    return Cpu(number, socket=socket, core=core, node=node)


def _threads(place: Path, number: int) -> CpuSet:
    """The CPUs of a core, by the list's new name or its old one (admin-guide/cputopology.rst)."""
    if not place.is_dir():
        return CpuSet((number,))
    texts = ("".join(_lines(place / f"{name}_list")) for name in ("core_cpus", "thread_siblings"))
    return next(filter(None, map(_told, texts)), CpuSet())


def _allowed(cgroups: Path) -> CpuSet | None:
    """What machine.slice may use: cgroup v2, v1, or systemd's word before its first machine."""
    for file in (
        cgroups / SLICE / "cpuset.cpus.effective",
        cgroups / "cpuset" / SLICE / "cpuset.effective_cpus",
    ):
        if found := _told("".join(_lines(file))):
            return found
    # It is there without a cpuset, or not for us to ask systemd of.
    if cgroups != CGROUPS or (cgroups / SLICE).is_dir() or os.geteuid() != 0:
        return None
    from raptorctl.host.system import command

    try:
        said = command.run("systemctl", "show", "--property", "AllowedCPUs", "--value", SLICE)
    except (CommandError, MissingError):
        return None
    return _told(",".join(said.split())) or None


def _told(text: str) -> CpuSet:
    try:
        return CpuSet.parse(text.strip())
    except InputError:
        return CpuSet()


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
