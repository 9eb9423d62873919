"""CPUs and memory, from trees like /sys and /proc."""

import os
from pathlib import Path

import pytest

from raptorctl.errors import MissingError
from raptorctl.host.system import command, cpu
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
    assert cpu.memory(tmp_path, tmp_path) == 16 * GIB


@pytest.mark.parametrize(
    ("bound", "left"), [("4294967296", 12), ("max", 16), ("", 16), (str(17 * GIB), 16)]
)
def test_what_sessions_may_take_is_not_for_machines(tmp_path: Path, bound: str, left: int) -> None:
    write(tmp_path, meminfo="MemTotal:       16777216 kB\n")
    write(tmp_path, **{"user.slice__memory.max": f"{bound}\n"})
    assert cpu.memory(tmp_path, tmp_path) == left * GIB
    assert cpu.memory(tmp_path, tmp_path, session=True) == 16 * GIB


def test_no_memory_is_said(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="meminfo cannot be read"):
        cpu.memory(tmp_path)
    write(tmp_path, meminfo="MemFree: 1 kB\n")
    with pytest.raises(MissingError, match="MemTotal"):
        cpu.memory(tmp_path)


def test_this_very_machine_can_be_read() -> None:
    assert cpu.topology().cpus
    assert cpu.memory() > GIB // 4


class TestSiblings:
    """What the kernel tells of a core wins over the numbers of its firmware."""

    def test_are_those_that_the_kernel_lists(self, two_sockets: Path) -> None:
        for number in range(7):  # Opteron 6100: core numbers repeat, and no core has two threads
            at = two_sockets / f"cpu/cpu{number}/topology"
            write(at, core_id="0\n", physical_package_id="0\n", thread_siblings_list=f"{number}\n")
        found = cpu.topology(two_sockets)
        assert [found.siblings(number).cpus for number in range(7)] == [(n,) for n in range(7)]

    @pytest.mark.parametrize("name", ["core_cpus_list", "thread_siblings_list"])
    def test_are_listed_under_either_name(self, two_sockets: Path, name: str) -> None:
        for number, said in ((0, "0,2"), (2, "0,2"), (1, "1,3"), (3, "1,3")):
            write(two_sockets / f"cpu/cpu{number}/topology", **{name: f"{said}\n"})
        found = cpu.topology(two_sockets)
        assert (found.siblings(0).cpus, found.siblings(3).cpus) == ((0, 2), (1, 3))
        assert found.siblings(4).cpus == (4,)  # alone of its numbers that are not told of

    def test_of_one_without_a_topology_is_itself_whatever_number_a_core_has(
        self, tmp_path: Path
    ) -> None:
        write(tmp_path, cpu__online="0-1,5\n")
        for number in (0, 1):
            at = tmp_path / f"cpu/cpu{number}/topology"
            write(at, physical_package_id="0\n", core_id="5\n")
        found = cpu.topology(tmp_path)
        assert (found.siblings(0).cpus, found.siblings(5).cpus) == ((0, 1), (5,))

    def test_that_are_offline_are_none(self, two_sockets: Path) -> None:
        write(two_sockets / "cpu/cpu3/topology", thread_siblings_list="3,7\n")
        assert cpu.topology(two_sockets).siblings(3).cpus == (3,)

    def test_that_are_no_list_are_not_told(self, two_sockets: Path) -> None:
        write(two_sockets / "cpu/cpu1/topology", thread_siblings_list="nonsense\n")
        assert cpu.topology(two_sockets).siblings(1).cpus == (1, 5)


class TestMachineSlice:
    @pytest.mark.parametrize(
        "file",
        ["machine.slice/cpuset.cpus.effective", "cpuset/machine.slice/cpuset.effective_cpus"],
    )
    def test_its_cpuset_bounds_what_machines_may_use(
        self, two_sockets: Path, tmp_path: Path, file: str
    ) -> None:
        groups = write(tmp_path / "groups", **{file.replace("/", "__"): "0-2,7\n"})
        found = cpu.topology(two_sockets, groups)
        assert (found.online.cpus[-1], found.usable.cpus) == (6, (0, 1, 2))

    @pytest.mark.parametrize(("said", "usable"), [("0-1 5\n", (0, 1, 5)), ("\n", tuple(range(7)))])
    def test_before_its_first_machine_systemd_is_asked(
        self,
        two_sockets: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        said: str,
        usable: tuple[int, ...],
    ) -> None:
        monkeypatch.setattr(cpu, "CGROUPS", tmp_path / "groups")
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(command, "run", lambda *_words: said)
        assert cpu.topology(two_sockets, tmp_path / "groups").usable.cpus == usable

    def test_a_sessions_machines_are_not_in_it(self, two_sockets: Path, tmp_path: Path) -> None:
        file = "machine.slice__cpuset.cpus.effective"
        groups = write(tmp_path / "groups", **{file: "0\n"})
        found = cpu.topology(two_sockets, groups, session=True)
        assert found.usable == found.online

    def test_without_a_cpuset_it_may_use_all(self, two_sockets: Path, tmp_path: Path) -> None:
        (tmp_path / "groups/machine.slice").mkdir(parents=True)
        found = cpu.topology(two_sockets, tmp_path / "groups")
        assert found.usable == found.online
