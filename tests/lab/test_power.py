"""Power cuts: the host is reset, not shut down, at a random moment of a job; then it boots.

`RAPTOR_POWER_CUTS=50 pytest tests/lab/test_power.py` is the long form; `make lab-long` makes do with few.
"""

import json
import os
import random
import time

import pytest

from tests.lab.host import Lab
from tests.lab.test_machine import dig, domains, nothing_is_left, nvram, volumes

CUTS = int(os.environ.get("RAPTOR_POWER_CUTS", "2"))
SEED = int(os.environ.get("RAPTOR_SEED", "1"))
SMALL = ("raptorctl", "provision", "alice", "dev", "--size", "64M", "--memory", "64M", "--cpus",
         "6-6", "--no-start", "-y")  # fmt: skip
REMOVE = ("raptorctl", "deprovision", "alice", "dev", "-y")


@pytest.fixture(scope="module")
def seconds(lab: Lab) -> dict[str, float]:
    """How long each job takes here when nothing cuts it off."""
    found = {}
    for name, words in (("provision", SMALL), ("deprovision", REMOVE)):
        began = time.monotonic()
        lab.run(*words)
        found[name] = time.monotonic() - began
    return found


def whole(lab: Lab) -> bool:
    """Whether all of the machine is there, rather than a part of it."""
    found = volumes(lab).get("guest-alice-dev", "").split(",")
    there = [
        "raptor.clean" in found and "raptor.dirty" not in found,
        domains(lab) == ["alice-dev"],
        dig(lab, "alice-dev.raptor.example", "A") == ["198.51.100.1"],
        dig(lab, "-x", "198.51.100.1") == ["alice-dev.raptor.example."],
    ]
    assert len(set(there)) == 1, f"half a machine: {there}"
    return all(there)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", range(CUTS))
def test_after_a_power_cut_there_is_a_whole_machine_or_none(
    lab: Lab, seconds: dict[str, float], number: int
) -> None:
    dice = random.Random(f"{SEED}-{number}")
    verb = "deprovision" if domains(lab) else "provision"
    job = lab.start(*(REMOVE if verb == "deprovision" else SMALL))
    time.sleep(dice.uniform(0, seconds[verb]))
    lab.cut_power()
    job.kill()
    job.communicate()

    told = json.loads(lab.run("raptorctl", "job", "list", "-o", "json").stdout)["jobs"]
    assert {job["outcome"] for job in told} <= {"done", "rolled back"}
    assert not any(job["damage"] for job in told)
    assert lab.sh("ls /var/lib/raptorctl/journal/*.jsonl", check=False).stdout == ""
    if not whole(lab):
        nothing_is_left(lab)
    assert [name for name in volumes(lab) if name.startswith("wipe-")] == []
    assert set(nvram(lab)) <= {"alice-dev_VARS.fd"}
    assert "there is nothing to recover" in lab.run("raptorctl", "recover").stdout
