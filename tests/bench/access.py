"""Rows in the lab: what default deny costs a tenant, and whether a tenant can hold an admin up."""

from pathlib import Path

from tests.bench import contest
from tests.bench.contest import PLACE, PYTHON, Contender
from tests.bench.figures import Row, ratio_row, seconds_row
from tests.bench.listing import MACHINES
from tests.bench.storage import prepare
from tests.lab.host import Lab

ROUNDS = 5
IDLE = 40
IDLER = Path(__file__).parents[1] / "lab/attack/idle.py"
RULES = "/etc/polkit-1/rules.d/10-raptorctl.rules"

# He owns all machines, so that both rules show him the same list.
TENANT = "many"

SWAP = """
cp --preserve=mode {source} {rules}
sleep 3  # polkitd notices by itself
runuser -u {tenant} -- virsh -c qemu:///system list --all --name >/dev/null
"""

YES = "polkit.addRule(function (action, subject) { return polkit.Result.YES; });\n"


def rows(lab: Lab) -> list[Row]:
    """Measure both; the lab is reset at the end rather than tidied up."""
    prepare(lab)
    lab.account(TENANT, "vm-users")
    lab.run(PYTHON, f"{PLACE}/many.py", str(MACHINES), f"{PLACE}/hand.xml", timeout=1800)
    return [_cost_of_the_rule(lab), _admin_beside_idlers(lab)]


def _cost_of_the_rule(lab: Lab) -> Row:
    lab.run("cp", RULES, f"{PLACE}/ours.rules")
    lab.put(YES, f"{PLACE}/yes.rules")
    asked = ("runuser", "-u", TENANT, "--", "virsh", "-c", "qemu:///system", "list", "--all")
    laps = contest.in_lab(
        lab,
        ROUNDS,
        Contender("ours", asked, before=_swap("ours")),
        Contender("yes", asked, before=_swap("yes")),
    )
    what = f"`virsh list --all` of a tenant with {MACHINES} machines"
    times = contest.seconds(laps, "ours", "yes")
    return ratio_row(what, "a rule that always says yes", "lab", 1.05, times)


def _swap(name: str) -> str:
    return SWAP.format(source=f"{PLACE}/{name}.rules", rules=RULES, tenant=TENANT)


def _admin_beside_idlers(lab: Lab) -> Row:
    """The tenant says nothing on many connections while an admin lists; on an empty host.

    How long `list` takes with many machines is another row's.
    """
    lab.reset()
    prepare(lab)
    lab.account(TENANT, "vm-users")
    lab.put(IDLER.read_text(), "/usr/local/lib/idle.py")
    words = ("python3", "-I", "/usr/local/lib/idle.py", str(IDLE), "/run/libvirt/libvirt-sock")
    with lab.start("runuser", "-u", TENANT, "--", *words) as held:
        try:
            assert held.stdout is not None
            if int(held.stdout.readline()) != IDLE:
                raise SystemExit("bench: the tenant did not get his idle connections")
            laps = contest.in_lab(lab, ROUNDS, Contender("list", ("raptorctl", "list")))
        finally:
            held.communicate()
    what = f"`list` of an admin while a tenant holds {IDLE} idle connections"
    return seconds_row(what, "lab", 2.0, [lap["seconds"] for lap in laps["list"]])
