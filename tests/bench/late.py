"""Rows about `wait`: how late it sees what is so.

In the lab: an address, and an ssh server, that come back. On this machine: cloud-init's end and the
agent, of a Debian machine of one's own. All are bounds from above: the clock runs from the moment
before the act by which it becomes so (of cloud-init: when its console says so) to the end of `wait`.
"""

import json
import random
import time
from collections.abc import Callable
from pathlib import Path

from raptorctl.model.first_boot import FINISHED
from tests import guest
from tests.bench.contest import PLACE, PYTHON
from tests.bench.figures import Row, seconds_row
from tests.bench.storage import prepare
from tests.guest.session_debian import PATIENCE, SessionDebian, ended
from tests.integration.session_account import somebody
from tests.lab.host import Lab

BUDGET = 1.0  # seconds
LOOKS = 8
BOOTS = 3
SMALL = (
    "raptorctl", "provision", "alice", "dev", "--size", "64M", "--cpus", "6-6", "--slot", "1",
    "--memory", "256M", "--image", "small-test", "-y",
)  # fmt: skip
AGENT = "qemu-guest-agent"


def answers(lab: Lab) -> list[Row]:
    """Measure `ip` and `ssh` of the small guest in the lab; see scripts/late.py."""
    prepare(lab)
    lab.push(str(guest.small()), "/root/small.raw")
    lab.run("raptorctl", "image", "pull", "/root/small.raw", "--name", "small-test", timeout=900)
    lab.run(*SMALL, timeout=900)
    lab.run("raptorctl", "wait", "alice", "dev", "--for", "ssh", timeout=900)
    return [_row(what, "lab", _in_lab(lab, what)) for what in ("ip", "ssh")]


def _in_lab(lab: Lab, what: str) -> list[float]:
    done = lab.run(PYTHON, "-I", f"{PLACE}/late.py", what, str(LOOKS), timeout=1800)
    times: list[float] = json.loads(done.stdout)
    return times


def _row(what: str, where: str, times: list[float]) -> Row:
    return seconds_row(f"`wait --for {what}`, late by", where, BUDGET, times)


def says() -> list[Row]:
    """Measure `cloud-init` and `agent` of the Debian guest on this machine, in an own session."""
    with somebody() as person:
        machine = SessionDebian(person)
        boots = []
        for _ in range(BOOTS):
            machine.remove()
            machine.provision()
            boots.append(_boot_seen(machine))
        agent = [_agent_seen(machine) for _ in range(LOOKS)]
        machine.remove()
    return [_row("cloud-init", "here", boots), _row("agent", "here", agent)]


def _boot_seen(machine: SessionDebian) -> float:
    """Return how long after its console `wait` says that cloud-init has ended."""
    (log,) = machine.person.state.glob("console/*.log")
    before = log.stat().st_size
    with machine.waiting("cloud-init") as waiting:
        _until(lambda: FINISHED.search(_since(log, before)) is not None)
        began = time.monotonic()
        ended(waiting)
        return time.monotonic() - began


def _agent_seen(machine: SessionDebian) -> float:
    """Return how long after its start `wait` sees the agent, with all that its start takes."""
    ended(machine.ssh("sudo", "systemctl", "stop", AGENT))
    with machine.waiting("agent") as waiting:
        time.sleep(random.uniform(1, 2))  # at no particular moment of its looks
        with machine.ssh(f"echo now; sudo systemctl start {AGENT}") as shell:
            assert shell.stdout
            shell.stdout.readline()
            began = time.monotonic()
            ended(waiting)
            return time.monotonic() - began


def _since(log: Path, offset: int) -> str:
    with log.open("rb") as file:
        file.seek(offset)
        return file.read().decode(errors="replace")


def _until(so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not so():
        if time.monotonic() > end:
            raise SystemExit(f"bench: the guest was not up within {PATIENCE:.0f} s")
        time.sleep(0.02)
