"""CPUs and memory, from trees like /sys and /proc."""

from pathlib import Path

import pytest

from raptorctl.errors import MissingError
from raptorctl.host import cpu
from raptorctl.model.sizes import GIB
from raptorctl.model.topology import Cpu


def write(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def two_sockets(tmp_path: Path) -> Path:
    """Give 2 sockets of 2 cores of 2 threads, numbered as Linux does: siblings 4 apart; 7 is off."""
    root = write(tmp_path, cpu__online="0-6\n", node__node0__cpulist="0-1,4-5\n")
    write(root, node__node1__cpulist="2-3,6\n", node__node2__cpulist="\n")
    for number in range(8):
        at = root / f"cpu/cpu{number}/topology"
        write(at, physical_package_id=f"{number % 4 // 2}\n", core_id=f"{number % 2}\n")
    return root


def test_sockets_cores_and_nodes(two_sockets: Path) -> None:
    found = cpu.topology(two_sockets)
    assert found.online.cpus == (0, 1, 2, 3, 4, 5, 6)
    assert found.cpus[6] == Cpu(6, socket=1, core=0, node=1)
    assert found.siblings(1).cpus == (1, 5)
    assert found.siblings(3).cpus == (3,)  # its sibling is off
    assert found.nodes(found.online) == (0, 1)


def test_without_numa_and_topology_every_cpu_is_a_core_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, cpu__online="0-1\n")
    write(tmp_path / "cpu/cpu0/topology", physical_package_id="-1\n", core_id="-1\n")
    found = cpu.topology(tmp_path)
    assert found.cpus == (Cpu(0, 0, 0, 0), Cpu(1, 0, 1, 0))


@pytest.mark.parametrize("text", ["", "\n", "nonsense\n"])
def test_no_cpus_is_said(tmp_path: Path, text: str) -> None:
    with pytest.raises(MissingError, match="cpu/online"):
        cpu.topology(write(tmp_path, cpu__online=text))


def test_memory_is_in_bytes(tmp_path: Path) -> None:
    write(tmp_path, meminfo="MemTotal:       16777216 kB\nMemFree:         1234 kB\n")
    assert cpu.memory(tmp_path) == 16 * GIB


def test_no_memory_is_said(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="meminfo cannot be read"):
        cpu.memory(tmp_path)
    write(tmp_path, meminfo="MemFree: 1 kB\n")
    with pytest.raises(MissingError, match="MemTotal"):
        cpu.memory(tmp_path)


def test_this_very_machine_can_be_read() -> None:
    assert cpu.topology().cpus
    assert cpu.memory() > GIB // 4
