"""Rows of this machine: start-up, planning, and a wipe without emulation. They need no lab."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain, Mark, State
from raptorctl.model.facts import HostFacts
from raptorctl.model.names import MachineName
from raptorctl.model.settings import Cpus, Settings
from raptorctl.model.sizes import GIB, MIB, Size
from raptorctl.model.slot import Bridge, Slot
from raptorctl.model.spec import MachineSpec
from raptorctl.model.topology import Cpu, Topology
from raptorctl.model.volume import CLEAN, Volume, VolumeGroup, device_path, ownership_tags
from raptorctl.plans.machine.choice import ProvisionRequest
from raptorctl.plans.machine.provision import plan_provision
from raptorctl.plans.plan import Identity
from tests.bench import contest
from tests.bench.contest import Contender
from tests.bench.figures import Row, memory_row, ratio_row, speed_row
from tests.fakes import settings as small_settings

FEW, MANY = 100, 1000
SLOTS = FEW
"""Of the settings; a host has at most 255."""

OTHER = 200
"""A place on the network that is none of them."""

ROUNDS = 21
LOOP_SIZE = 2 << 30
LOOP_ROUNDS = 31
"""Half a second each; of a busy machine, seven came to anything between 0.5 and 1.5."""

SCRIPTS = Path(__file__).with_name("scripts")

ONCE = 0.05
"""Seconds of CPU that one timing of a plan is made to last at least, by repeating it."""

JOB = Identity("j1", "5f0c1d6e-0000-4000-8000-000000000001", "carol", "2026-11-20T12:00:00Z")
TEMPLATE = "virtio-console"


def loop() -> list[Row]:
    """Compare a wipe with the same by hand, on a loop device: not emulated, unlike the lab's disk."""
    if os.geteuid() != 0:
        return []  # only root may have a loop device
    with loop_device(LOOP_SIZE) as device:
        ours = (sys.executable, str(SCRIPTS / "wipe_device.py"), device)
        theirs = ("bash", str(SCRIPTS / "wipe_by_hand.sh"), device, str(LOOP_SIZE >> 22))
        recipe = ("dd", "if=/dev/zero", f"of={device}", "bs=4M", "status=none")
        laps = contest.here(LOOP_ROUNDS, Contender("ours", ours), Contender("theirs", theirs))
        slow = contest.here(2, Contender("ours", ours), Contender("dd", recipe, ok=(1,)))
    what = "wipe of a 2 GiB loop device, read back in full"
    by_hand = contest.reported(laps, "ours"), contest.reported(laps, "theirs")
    by_recipe = contest.reported(slow, "ours"), contest.seconds(slow, "dd", "dd")[0]
    return [
        speed_row(what, "`blkdiscard -z`, then one `dd iflag=direct`", "here", 0.9, by_hand),
        speed_row(what, "`dd if=/dev/zero bs=4M`", "here", 20, by_recipe),
    ]


@contextmanager
def loop_device(size: int) -> Iterator[str]:
    """Give a loop device of `size` bytes, past the page cache."""
    with tempfile.NamedTemporaryFile(prefix="raptorctl-bench-") as file:
        file.truncate(size)
        attach = ["losetup", "--direct-io=on", "-f", "--show", file.name]
        device = subprocess.run(attach, capture_output=True, text=True, check=True).stdout.strip()
        try:
            yield device
        finally:
            subprocess.run(["losetup", "-d", device], check=True)


def start_up() -> list[Row]:
    """Compare our first word with an interpreter that does nothing."""
    ours = str(Path(sys.executable).with_name("raptorctl"))
    laps = contest.here(
        ROUNDS,
        Contender("version", (ours, "--version")),
        Contender("nothing", (sys.executable, "-c", "pass")),
        Contender("help", (ours, "--help")),
        Contender("doctor", (ours, "doctor"), ok=(0, 1, 3)),
    )
    took = contest.seconds(laps, "version", "nothing")
    return [
        ratio_row("`raptorctl --version`", "`python -c pass`", "here", 10, took),
        *(
            memory_row(f"`raptorctl {name}`, peak memory", "here", 80, contest.peaks(laps, name))
            for name in ("help", "doctor")
        ),
    ]


def planning() -> Row:
    """Compare planning on a host with many machines with planning on one with few."""
    few, many = (_planner(count) for count in (FEW, MANY))
    times = _loops(few), _loops(many)
    laps = [(_timed(many, times[1]), _timed(few, times[0])) for _ in range(ROUNDS)]
    took = [lap[0] for lap in laps], [lap[1] for lap in laps]
    return ratio_row(f"planning with {MANY} machines", f"with {FEW}", "here", 12, took)


def _loops(plan: Callable[[], object]) -> int:
    return max(1, round(ONCE / _timed(plan, 1)))


def _timed(plan: Callable[[], object], times: int) -> float:
    began = time.process_time()  # it waits for nothing, so others' work need not disturb it
    for _ in range(times):
        plan()
    return (time.process_time() - began) / times


def _planner(count: int) -> Callable[[], object]:
    """Return what plans one more machine on a host with `count` of them."""
    facts, settings = crowded(count), _settings()
    cpus = CpuSet((2 * count, 2 * count + 1))
    request = ProvisionRequest(MachineName("zoe", "new"), MachineSpec(Size(40 * GIB), cpus))
    return lambda: plan_provision(request, settings, facts, JOB)


def _settings() -> Settings:
    numbers = range(1, SLOTS + 1)
    return replace(small_settings(), slot=tuple(map(Slot, numbers)), cpus=Cpus())


def crowded(count: int) -> HostFacts:
    """Build the facts of a host with `count` machines of two CPUs each.

    All slots but the last are taken; the machines beyond are on a bridge of their own.
    """
    names = [MachineName(f"t{number % 50}", f"m{number}") for number in range(count)]
    slots = [number if number < SLOTS else OTHER for number in range(1, count + 1)]
    template = Path(__file__).parents[2] / f"domain_templates/{TEMPLATE}.xml"
    libvirt = small_settings().libvirt
    return HostFacts(
        topology=Topology(tuple(Cpu(n, 0, n // 2, 0) for n in range(2 * count + 2))),
        memory=Size(16 * count * GIB),
        group=VolumeGroup("lvm-data", Size(1 << 50), Size(1 << 49), Size(4 * MIB)),
        volumes=tuple(map(_volume, names, slots)),
        domains=tuple(map(_domain, names, slots, range(count))),
        bridges=tuple(Bridge(f"br-vm{n}", up=True) for n in range(1, SLOTS + 1)),
        templates={TEMPLATE: template.read_text()},
        files=frozenset({libvirt.firmware_code, libvirt.firmware_vars}),
    )


def _volume(name: MachineName, slot: int) -> Volume:
    tags = (*ownership_tags(name, "j0", slot), CLEAN)
    return Volume(f"uuid-{name.domain}", name.volume, "lvm-data", Size(40 * GIB), tags)


def _domain(name: MachineName, slot: int, number: int) -> Domain:
    place = Slot(slot)
    return Domain(
        name=name.domain,
        uuid=f"{number:08x}-0000-4000-8000-000000000001",
        state=State.RUNNING,
        memory=Size(4 * GIB),
        pins=CpuSet((2 * number, 2 * number + 1)),
        emulator=CpuSet((2 * number, 2 * number + 1)),
        macs=(place.mac,),
        bridges=(place.bridge,),
        disks=(device_path("lvm-data", name.volume),),
        mark=Mark(name.tenant, name.machine, slot, "j0", JOB.at, "carol", TEMPLATE),
    )
