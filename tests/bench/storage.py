"""Rows in the lab: a machine made, and a volume wiped, against the same by hand."""

import json
from pathlib import Path
from typing import Any

from tests.bench import contest
from tests.bench.contest import PLACE, PYTHON, Contender, Laps
from tests.bench.figures import Row, memory_row, ratio_row, speed_row
from tests.lab.host import Lab

MIB = 1 << 20
PIECE = 4 * MIB
"""Bytes of one read or write by hand: the `bs=4M` of every recipe."""

MACHINE_ROUNDS = 3
PLAN_ROUNDS = 5
WIPE_ROUNDS = 3
RECIPE_ROUNDS = 1
"""The recipe writes every byte; one round of it takes longer than all others."""

OURS, THEIRS, DISK = "alice-ours", "alice-hand", "alice-plan"
WISH = ("alice", "ours", "--size", "4G", "--cpus", "4-7", "--slot", "1")
PROVISION = ("raptorctl", "provision", *WISH, "-y", "-o", "json")
REMOVAL = ("raptorctl", "deprovision", OURS, "-y")
FULL, SAMPLED = "2G", "4G"
"""The lab's settings read back up to 2G in full, and samples above."""

CLEAR = f"""
virsh -q destroy {OURS} || true
raptorctl deprovision {OURS} -y
virsh -q destroy {THEIRS} || true
virsh -q undefine --nvram {THEIRS} || true
lvremove -qq -y lvm-data/guest-{THEIRS} || true
nsupdate -k /etc/raptorctl/tsig.key {PLACE}/hand.remove
"""
"""Takes both machines away, whichever is there."""

FORWARD = f"{THEIRS}.raptor.example."
ADDRESSES = {"A": "198.51.100.1", "AAAA": "2001:db8:0:1::1"}
POINTERS = {
    "100.51.198.in-addr.arpa": "1.100.51.198.in-addr.arpa.",
    "0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa":
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.",
}  # fmt: skip


def machine(lab: Lab) -> list[Row]:
    """Compare provision with its by-hand twin; both machines are removed in between."""
    prepare(lab)
    by_hand = ("bash", f"{PLACE}/by_hand.sh", str(bytes_read_back(lab, PROVISION) // PIECE))
    laps = contest.in_lab(
        lab,
        MACHINE_ROUNDS,
        Contender("provision", PROVISION, before=CLEAR),
        Contender("by hand", by_hand, before=CLEAR),
    )
    removed = contest.in_lab(
        lab, 2, Contender("deprovision", REMOVAL, before=f"{CLEAR}{' '.join(PROVISION)}")
    )
    took = contest.seconds(laps, "provision", "by hand")
    return [
        ratio_row("`provision`, 4 GiB, started", "the same by hand", "lab", 1.25, took),
        memory_row("`provision`, peak memory", "lab", 80, contest.peaks(laps, "provision")),
        _memory(removed, "deprovision"),
    ]


def plan(lab: Lab) -> list[Row]:
    """Compare `--dry-run` with virt-install's, for a like domain on a volume that is there."""
    prepare(lab)
    lab.sh(f"lvcreate -qq -y -L 64M -n guest-{DISK} lvm-data")
    laps = contest.in_lab(
        lab,
        PLAN_ROUNDS,
        Contender("dry run", ("raptorctl", "provision", *WISH, "--dry-run")),
        Contender("virt-install", VIRT_INSTALL),
    )
    lab.sh(f"lvremove -qq -y lvm-data/guest-{DISK}")
    took = contest.seconds(laps, "dry run", "virt-install")
    theirs = "`virt-install --dry-run --print-xml`"
    return [
        ratio_row("`provision --dry-run`", theirs, "lab", 0.5, took),
        memory_row("`provision --dry-run`, peak memory", "lab", 80, contest.peaks(laps, "dry run")),
    ]


VIRT_INSTALL = (
    "virt-install", "--dry-run", "--print-xml", "--name", DISK, "--virt-type", "qemu",
    "--machine", "pc-q35-9.1", "--memory", "256", "--vcpus", "4",
    "--cputune", "vcpupin0.vcpu=0,vcpupin0.cpuset=4,vcpupin1.vcpu=1,vcpupin1.cpuset=5,"
    "vcpupin2.vcpu=2,vcpupin2.cpuset=6,vcpupin3.vcpu=3,vcpupin3.cpuset=7,emulatorpin.cpuset=6-7",
    "--osinfo", "detect=off,require=off", "--import",
    "--boot", "loader=/usr/share/OVMF/OVMF_CODE_4M.fd,loader.readonly=yes,loader.type=pflash,"
    "nvram.template=/usr/share/OVMF/OVMF_VARS_4M.fd",
    "--disk", f"path=/dev/lvm-data/guest-{DISK},format=raw,bus=virtio,cache=none,driver.io=native",
    "--network", "bridge=br-vm1,mac=52:54:00:00:00:01,model=virtio",
    "--graphics", "none", "--console", "pty,target.type=virtio", "--rng", "/dev/urandom",
)  # fmt: skip


def wipe(lab: Lab) -> list[Row]:
    """Compare a wipe with read-back with two programs that do the same, and with the old recipe.

    The volumes are as large as the settings' limit of a full read-back, and twice that.
    """
    return [*_wiped(lab, FULL, "read back in full"), *_wiped(lab, SAMPLED, "read back in samples")]


def _wiped(lab: Lab, size: str, how: str) -> list[Row]:
    prepare(lab)
    device = f"/dev/lvm-data/bench-{size}"
    lab.sh(f"lvcreate -qq -y -Zn -Wn -L {size} -n bench-{size} lvm-data")
    ours = (PYTHON, f"{PLACE}/wipe_once.py", f"bench-{size}")
    report = json.loads(lab.run(*ours).stdout)
    theirs = ("bash", f"{PLACE}/wipe_by_hand.sh", device, str(report["verified"] // PIECE))
    recipe = ("dd", "if=/dev/zero", f"of={device}", "bs=4M", "status=none")
    by_hand = contest.in_lab(lab, WIPE_ROUNDS, Contender("ours", ours), Contender("theirs", theirs))
    # The recipe ends with 1: it writes until there is no space left on the device.
    by_recipe = contest.in_lab(
        lab, RECIPE_ROUNDS, Contender("ours", ours), Contender("recipe", recipe, ok=(1,))
    )
    lab.sh(f"lvremove -qq -y lvm-data/bench-{size}")
    what = f"wipe of {size}, {how}"
    pair = (contest.reported(by_hand, "ours"), contest.reported(by_hand, "theirs"))
    recipe_pair = (
        contest.reported(by_recipe, "ours"),
        contest.seconds(by_recipe, "recipe", "recipe")[0],
    )
    return [
        speed_row(what, "`blkdiscard -z`, then one `dd iflag=direct`", "lab", 0.9, pair),
        speed_row(what, "`dd if=/dev/zero bs=4M`", "lab", 20, recipe_pair),
    ]


def prepare(lab: Lab) -> None:
    """Put into the lab what a person would have at hand before beginning."""
    for path in sorted(Path(__file__).parent.glob("scripts/*")):
        lab.put(path.read_text(), f"{PLACE}/{path.name}")
    for act in ("add", "remove"):
        lab.put(_updates(act), f"{PLACE}/hand.{act}")
    lab.sh(CLEAR)
    lab.sh(f"raptorctl render xml {' '.join(WISH)} | sed 's/{OURS}/{THEIRS}/g' >{PLACE}/hand.xml")


def _updates(act: str) -> str:
    """Return nsupdate's input: one update for each zone, as raptorctl sends."""
    if act == "add":
        lines = [f"update add {FORWARD} 300 {kind} {said}" for kind, said in ADDRESSES.items()]
        lines.append(f'update add {FORWARD} 300 TXT "by hand"')
    else:
        lines = [f"update delete {FORWARD}"]
    text = "server 127.0.0.1\nzone raptor.example\n" + "\n".join([*lines, "send\n"])
    for zone, pointer in POINTERS.items():
        said = f"add {pointer} 300 PTR {FORWARD}" if act == "add" else f"delete {pointer}"
        text += f"zone {zone}\nupdate {said}\nsend\n"
    return text


def bytes_read_back(lab: Lab, provision: tuple[str, ...]) -> int:
    """Carry a provision out; return how many bytes of the empty volume it read back."""
    steps: list[dict[str, Any]] = json.loads(lab.run(*provision).stdout)["job"]["steps"]
    return next(int(s["observed"]["wipe"]["verified"]) for s in steps if "wipe" in s["observed"])


def _memory(laps: Laps, name: str) -> Row:
    return memory_row(f"`{name}`, peak memory", "lab", 80, contest.peaks(laps, name))
