"""Many admins at once: real processes, the real lock, real journals, one host in memory."""

import fcntl
import itertools
import os
import random
import re
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from raptorctl.engine import lock
from raptorctl.model.domain import Domain
from raptorctl.model.job import Outcome
from raptorctl.model.volume import Volume
from tests.integration.shared import FORK, Manager, Site

SLOTS = 5


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("SUDO_USER", "carol")
    with Manager(ctx=FORK) as manager:
        yield Site(manager.Hub(), tmp_path)  # type: ignore[attr-defined]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a crowd wait for the lock for longer than one person would, on a machine of any speed."""
    monkeypatch.setattr(lock, "hold_lock", partial(lock.hold_lock, timeout=800))


def provision(number: int) -> tuple[str, ...]:
    """Everybody wants CPUs of his own and any slot."""
    return (
        "provision",
        f"t{number}",
        "vm",
        "--size=1G",
        f"--cpus={2 + number}-{2 + number}",
        "--memory=1G",
        "-y",
    )


def volumes(site: Site) -> tuple[Volume, ...]:
    found: tuple[Volume, ...] = site.hub.call("volumes", "list")
    return found


def domains(site: Site) -> tuple[Domain, ...]:
    found: tuple[Domain, ...] = site.hub.call("domains", "list")
    return found


def is_whole(site: Site) -> None:
    """Every place has one machine, and every machine is whole."""
    for one, other in itertools.combinations(domains(site), 2):
        assert one.name != other.name
        assert one.uuid != other.uuid
        assert not set(one.macs) & set(other.macs)
        assert not set(one.bridges) & set(other.bridges)
        assert not set(one.pins) & set(other.pins)
    assert {f"guest-{d.name}" for d in domains(site)} == {v.name for v in volumes(site)}
    assert all(volume.clean for volume in volumes(site))
    assert not site.session().journals.open_files()


def wait_for(condition: object, what: str) -> None:
    end = time.monotonic() + 600
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, f"no {what}"
        time.sleep(0.01)


@pytest.mark.usefixtures("patient")
def test_a_hundred_want_five_slots(site: Site) -> None:
    processes = [site.start(*provision(number)) for number in range(100)]
    results = [site.result(process) for process in processes]
    made = [result for result in results if result.code == 0]
    refused = [result for result in results if result.code == 3]
    strange = {r.err for r in results if r.code and "no slot is free" not in r.err}
    assert not strange
    assert (len(made), len(refused)) == (SLOTS, 100 - SLOTS)
    holders = {domain.name for domain in domains(site)}
    assert len(holders) == SLOTS
    for result in refused:
        assert set(re.findall(r"\bt\d+-vm\b", result.complaint)) == holders
    is_whole(site)
    jobs = site.session().journals.jobs()
    assert [job.outcome for job in jobs] == [Outcome.DONE] * SLOTS


@pytest.mark.usefixtures("patient")
def test_twenty_want_the_same_machine(site: Site) -> None:
    processes = [site.start(*provision(1)) for _ in range(20)]
    assert {site.result(process).code for process in processes} == {0}
    assert len(site.session().journals.jobs()) == 1
    is_whole(site)


def test_a_long_wipe_keeps_nobody_waiting(site: Site) -> None:
    assert site(*provision(1)).code == 0
    (site.folder / "hold").touch()
    for path in site.folder.glob("wiping-*"):
        path.unlink()
    removal = site.start("deprovision", "t1", "vm", "-y")
    wait_for(lambda: list(site.folder.glob("wiping-*")), "wipe")
    for words in (("list",), ("wipe", "list"), ("job", "list"), ("doctor",)):
        assert site(*words).code in {0, 3}
    assert "at work on it" in site("wipe", "list").out
    # Not a provision: that has a wipe of its own. Whatever changes the host takes the lock.
    assert site("recover").out == "there is nothing to recover\n"
    assert "wait for it" in site("wipe", "resume", volumes(site)[0].name, "-y").err
    assert "works on t1-vm" in site("provision", "t1", "vm", "--size=1G", "--cpus=9-9").err
    assert removal.is_alive()
    (site.folder / "hold").unlink()
    assert site.result(removal).code == 0
    is_whole(site)


def test_another_machine_is_made_while_one_is_wiped(site: Site) -> None:
    assert site(*provision(1)).code == 0
    (site.folder / "hold").touch()
    removal = site.start("deprovision", "t1", "vm", "-y")
    wait_for((site.folder / f"wiping-{removal.pid}").exists, "wipe")
    os.kill(removal.pid or 0, signal.SIGSTOP)  # the wipe goes on, as far as others can see
    (site.folder / "hold").unlink()
    try:
        assert site(*provision(2)).code == 0
        assert site("deprovision", "t2", "vm", "-y").code == 0
    finally:
        os.kill(removal.pid or 0, signal.SIGCONT)
    assert site.result(removal).code == 0
    assert not volumes(site)
    is_whole(site)


@pytest.mark.parametrize(
    "words",
    ["list", "list t1", "show t1 vm", "slot list", "cpu map", "job list", "audit", "wipe list", "doctor",
     "provision t2 vm --size=1G --cpus=9-9 --dry-run", "deprovision t1 vm --dry-run"],
)  # fmt: skip
def test_who_only_looks_never_waits_for_the_lock(site: Site, words: str) -> None:
    assert site(*provision(1)).code == 0
    with (site.folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        # The lock's own patience ends with exit code 3 and these words.
        done = site(*words.split())
        assert "another raptorctl is at work" not in done.err
        assert done.code == 0


@pytest.mark.usefixtures("patient")
def test_some_are_killed_and_the_rest_is_recovered(site: Site) -> None:
    """Which are killed, and when, is chance; the seed says which chance it was."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    for _ in range(5):
        processes = [site.start(*provision(number)) for number in range(12)]
        processes += [site.start("deprovision", f"t{n}", "vm", "-y") for n in range(12)]
        for process in chance.sample(processes, 8):
            time.sleep(chance.random() / 20)
            process.kill()
        for process in processes:
            assert site.result(process).code in {-9, 0, 3}
        assert site("recover").code == 0
        is_whole(site)
