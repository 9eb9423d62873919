import json
from pathlib import Path

import pytest

from raptorctl.model.sizes import GIB
from tests.fakes import Killed, Tripwire, World
from tests.unit.cli.session import PROVISION, CommandLine


@pytest.fixture(autouse=True)
def machine(raptorctl: CommandLine) -> None:
    assert raptorctl(*PROVISION).code == 0


def resize(raptorctl: CommandLine, *words: str) -> tuple[int, str, str]:
    done = raptorctl("resize", "alice", "dev", *words)
    return done.code, done.out, done.err


def test_a_running_guest_sees_its_larger_disk(raptorctl: CommandLine, world: World) -> None:
    code, out, err = resize(raptorctl, "--size", "80G")
    assert (code, out) == (
        0, "machine alice-dev: 80G on guest-alice-dev, CPUs 4-7, 4G of memory\n"
    )  # fmt: skip
    assert "growpart" in err
    (volume,) = world.volumes.list()
    assert (volume.size, world.volumes.tails[volume.uuid]) == (80 * GIB, "")
    assert list(world.domains.seen.values()) == [80 * GIB]
    assert resize(raptorctl, "--size", "80G")[1] == "machine alice-dev is already so\n"


def test_what_it_was_zeroed_by_is_in_the_audit_log(raptorctl: CommandLine) -> None:
    resize(raptorctl, "--size", "80G")
    entry = json.loads(raptorctl("audit", "-o", "json").out)["entries"][-1]
    assert (entry["verb"], entry["wiped"][0]["size"]) == ("resize", 40 * GIB)


def test_memory_waits_for_the_next_start_and_that_is_said(raptorctl: CommandLine) -> None:
    code, _, err = resize(raptorctl, "--memory", "8G")
    assert code == 0
    assert "when it is stopped and started, not at a reboot; until then it runs with 4G" in err
    assert json.loads(raptorctl("show", "alice-dev", "-o", "json").out)["memory"] == 8 * GIB


def test_dry_run_changes_nothing(raptorctl: CommandLine, world: World) -> None:
    before = world.picture()
    code, out, _ = resize(raptorctl, "--size", "80G", "--cpus", "2-3", "--dry-run")
    assert code == 0
    assert "grow volume guest-alice-dev from 40G to 80G" in out
    assert world.picture() == before


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ((), 2, "say --size, --cpus or --memory"),
        (("--size", "80"), 2, "--size: '80' is not a size: name the unit, e.g. 80G"),
        (("--cpus", "7-4"), 2, "--cpus: '7-4' runs backwards"),
        (("--memory", "lots"), 2, "--memory: 'lots' is not a size"),
        (("--memory", "0"), 2, "--memory: '0' is too little memory for any machine"),
        (("--memory", "1K"), 2, "--memory: '1K' is too little memory for any machine"),
        (("--size", "20G"), 3, "a disk only grows"),
        (("--cpus", "0-3"), 3, "kept for the host"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    raptorctl: CommandLine, world: World, words: tuple[str, ...], code: int, says: str
) -> None:
    before = world.picture()
    done = raptorctl("resize", "alice", "dev", *words)
    assert (done.code, says in done.complaint) == (code, True), done.complaint
    assert world.picture() == before


def test_at_a_terminal_it_asks(raptorctl: CommandLine, world: World, tmp_path: Path) -> None:
    words = ("resize", "alice", "dev", "--size", "80G")
    before = world.picture()
    refused = raptorctl(*words, terminal=True, answer="n\n")
    assert (refused.code, world.picture()) == (2, before)
    assert raptorctl(*words, terminal=True, answer="y\n").code == 0


def test_what_a_job_that_was_given_up_left_waits_for_its_wipe(
    raptorctl: CommandLine, world: World
) -> None:
    words = ("resize", "alice", "dev", "--size", "80G")
    session = raptorctl.session(*words)
    session.wire = Tripwire(at=5, after=True)
    with pytest.raises(Killed):
        raptorctl(*words, session=session)
    (job,) = json.loads(raptorctl("wipe", "list", "-o", "json").out)["volumes"]
    assert job["outcome"] == "unfinished"
    assert raptorctl("recover", "--abandon", job["job"]).code == 0
    assert "a machine's disk was to grow by it" in raptorctl("wipe", "list").out
    assert raptorctl("wipe", "resume", "--all", "-y").code == 0
    assert [volume.name for volume in world.volumes.list()] == ["guest-alice-dev"]
