"""Rows in the lab: looking at a host with 300 machines, libvirt's access driver on."""

from tests.bench import contest
from tests.bench.contest import PLACE, PYTHON, Contender, Laps
from tests.bench.figures import Row, memory_row, ratio_row
from tests.bench.storage import prepare
from tests.lab.host import Lab

MACHINES = 300
ROUNDS = 3

BULK = (
    "import libvirt; "
    "libvirt.open('qemu:///system').getAllDomainStats(libvirt.VIR_DOMAIN_STATS_STATE)"
)
"""The bare bulk call: names and states of all domains in one answer."""


def rows(lab: Lab) -> list[Row]:
    """Measure all of them; the lab is reset at the end rather than tidied up."""
    prepare(lab)
    lab.run(PYTHON, f"{PLACE}/many.py", str(MACHINES), f"{PLACE}/hand.xml", timeout=1800)
    laps = contest.in_lab(
        lab,
        ROUNDS,
        Contender("list", ("raptorctl", "list")),
        Contender("virsh", ("virsh", "list", "--all")),
        Contender("bulk", (PYTHON, "-I", "-c", BULK)),
    )
    others = contest.in_lab(
        lab,
        2,
        Contender("show", ("raptorctl", "show", "many", "m0")),
        Contender("doctor", ("raptorctl", "doctor"), ok=(0, 1, 3)),
    )
    what = f"`list`, {MACHINES} machines"
    return [
        ratio_row(what, "`virsh list --all`", "lab", 0.7, contest.seconds(laps, "list", "virsh")),
        ratio_row(what, "one bulk call", "lab", 1.3, contest.seconds(laps, "list", "bulk")),
        _memory(laps, "list"),
        _memory(others, "show"),
        _memory(others, "doctor"),
    ]


def _memory(laps: Laps, name: str) -> Row:
    what = f"`{name}`, {MACHINES} machines, peak memory"
    return memory_row(what, "lab", 80, contest.peaks(laps, name))
