"""Journal files as they lie on a disk: old ones stay readable, damaged ones are never acted upon.

The samples in tests/golden/journal were written by version 1 and are never rewritten: a version
that cannot read them any more cannot be installed on a host with a job in flight.
"""

import json
from pathlib import Path

import pytest

from raptorctl.engine.history import History
from raptorctl.engine.journal import SECTOR, Entry, Journal, read_journal
from raptorctl.engine.journals import Journals
from raptorctl.engine.recover import recover
from raptorctl.engine.report import Silent
from raptorctl.engine.stop import Stop
from raptorctl.errors import JournalError
from raptorctl.model.job import Outcome, StepState
from raptorctl.plans.plan import decode_plan
from tests.conftest import GOLDEN
from tests.fakes import World

SAMPLES = {
    # name: how it ended, whether recovery goes forward, which steps it would undo
    "provision-done": (Outcome.DONE, True, [0, 1, 2, 3, 4, 5, 6, 7]),
    "provision-rolled-back": (Outcome.ROLLED_BACK, False, []),
    "provision-cut-off": (Outcome.UNFINISHED, False, [0, 1, 2, 3]),
    "deprovision-done": (Outcome.DONE, True, [0, 1, 2, 3, 4, 5, 6, 7, 8]),
    "deprovision-dns-pending": (Outcome.PENDING, True, [3, 4, 5, 6, 7, 8]),
    "deprovision-cut-off-before-the-wipe": (Outcome.UNFINISHED, False, [0, 1, 2]),
    "deprovision-cut-off-in-the-wipe": (Outcome.UNFINISHED, True, [0, 1, 2, 3, 4, 5, 6, 7]),
    "tenant-add-done": (Outcome.DONE, True, [0, 1, 2]),
}
OPEN = ["provision-cut-off", "deprovision-cut-off-in-the-wipe"]


def sample(name: str) -> bytes:
    return (GOLDEN / "journal" / f"v1-{name}.jsonl").read_bytes()


class Disk:
    """A folder of journals with one file in it, which a test rewrites."""

    def __init__(self, folder: Path) -> None:
        self.journals = Journals(folder / "journal", folder / "audit.jsonl")
        self.journals.done.mkdir(parents=True)
        self.path = self.journals.directory / "20261124T120001Z-job.jsonl"

    def put(self, content: bytes, tail: int = 0) -> History:
        self.path.write_bytes(content + bytes(tail))
        return self.journals.read(self.path)

    def lines(self, content: bytes) -> tuple[tuple[Entry, ...], str]:
        self.path.write_bytes(content)
        entries, _, damage = read_journal(self.path)
        return entries, damage

    def is_refused(self) -> None:
        world, before = World(), self.path.read_bytes()
        untouched = world.picture()
        with pytest.raises(JournalError, match="is not acted on"):
            recover(world.host(), self.journals, Silent(), Stop())
        assert world.picture() == untouched
        assert self.path.read_bytes() == before


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


def test_there_is_a_sample_of_everything() -> None:
    assert {path.stem.removeprefix("v1-") for path in GOLDEN.glob("journal/*")} == set(SAMPLES)


@pytest.mark.parametrize("name", SAMPLES)
def test_version_1_stays_readable(disk: Disk, name: str) -> None:
    outcome, forward, to_undo = SAMPLES[name]
    history = disk.put(sample(name), tail=4096)
    assert history.damage == ""
    assert history.plan is not None
    assert (history.outcome, history.goes_forward) == (outcome, forward)
    assert history.to_undo() == to_undo
    recorded = json.loads(sample(name).splitlines()[0])["plan"]
    assert decode_plan(recorded) == history.plan
    for step, written in zip(history.plan.steps, recorded["steps"], strict=True):
        now = {**step.encode(), "title": step.title}
        assert {key: now[key] for key in written} == written


@pytest.mark.parametrize("name", SAMPLES)
def test_the_timeline_tells_every_act_once(disk: Disk, name: str) -> None:
    job = disk.put(sample(name)).job()
    begun = sample(name).count(b'"type":"INTENT"') + sample(name).count(b'"type":"UNDO"')
    assert len(job.timeline) == begun
    assert [act.started for act in job.timeline] == sorted(act.started for act in job.timeline)
    assert job.seconds is not None
    if job.ended:
        assert job.seconds == pytest.approx(job.seconds_until(job.ended))
    for number, step in enumerate(job.steps, start=1):
        acts = [act for act in job.timeline if act.step == number]
        assert bool(acts) is (step.state is not StepState.WAITING)
        known = [act.seconds for act in acts if act.seconds is not None]
        assert step.seconds == (pytest.approx(sum(known)) if known else None)


def test_undoing_is_told_apart_from_doing(disk: Disk) -> None:
    job = disk.put(sample("provision-rolled-back")).job()
    done = [act.step for act in job.timeline if not act.undo]
    assert [act.step for act in job.timeline if act.undo] == list(reversed(done))
    assert job.timeline[len(done) - 1].problem == "the disk is on fire"


@pytest.mark.long
@pytest.mark.parametrize("name", OPEN)
def test_any_flipped_bit_is_seen(disk: Disk, name: str) -> None:
    content = sample(name)
    whole, _ = disk.lines(content)
    for place in range(len(content)):
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        entries, damage = disk.lines(bytes(flipped))
        # Nothing is believed that was not written, and nothing that was written is forgotten.
        assert entries == whole[: len(entries)]
        assert damage or entries == whole, f"byte {place}"
        if damage and place % 211 == 0:
            disk.is_refused()


@pytest.mark.long
@pytest.mark.parametrize("name", OPEN)
def test_any_byte_that_became_zero_is_seen(disk: Disk, name: str) -> None:
    content = sample(name)
    whole, _ = disk.lines(content)
    for place in range(len(content)):
        entries, damage = disk.lines(content[:place] + b"\0" + content[place + 1 :])
        assert entries == whole[: len(entries)]
        assert damage or entries == whole, f"byte {place}"


@pytest.mark.parametrize("name", SAMPLES)
def test_any_missing_line_is_seen(disk: Disk, name: str) -> None:
    lines = sample(name).splitlines(keepends=True)
    for gone in range(len(lines) - 1):
        history = disk.put(b"".join(lines[:gone] + lines[gone + 1 :]))
        assert history.damage
        assert len(history.entries) == gone
        disk.is_refused()
    # The last one may be missing without a trace: then it was never written.
    assert not disk.put(b"".join(lines[:-1])).damage


@pytest.mark.parametrize("name", SAMPLES)
def test_any_two_lines_in_each_others_place_are_seen(disk: Disk, name: str) -> None:
    lines = sample(name).splitlines(keepends=True)
    for one in range(len(lines)):
        for other in range(one + 1, len(lines)):
            swapped = list(lines)
            swapped[one], swapped[other] = lines[other], lines[one]
            history = disk.put(b"".join(swapped))
            assert history.damage
            assert len(history.entries) == one
    disk.is_refused()


@pytest.mark.parametrize("name", OPEN)
def test_any_line_that_is_there_twice_is_seen(disk: Disk, name: str) -> None:
    lines = sample(name).splitlines(keepends=True)
    for twice in range(len(lines)):
        history = disk.put(b"".join([*lines[: twice + 1], *lines[twice:]]))
        assert len(history.entries) == twice + 1
        assert history.damage
        disk.is_refused()


@pytest.mark.long
@pytest.mark.parametrize("name", OPEN)
def test_a_file_cut_anywhere_was_not_written_from_there_on(disk: Disk, name: str) -> None:
    content = sample(name)
    whole, _ = disk.lines(content)
    for end in range(len(content)):
        history = disk.lines(content[:end] + bytes(64))
        lines = content[: end + 1].count(b"\n")  # the last byte of a line may be the one missing
        assert history == (whole[:lines], "")


def test_a_line_of_which_sectors_are_missing_was_not_written(disk: Disk) -> None:
    """The first line is many sectors long: a power cut may have kept any of them."""
    line = sample("provision-cut-off").split(b"\n")[0] + b"\n"
    sectors = range(0, len(line), SECTOR)
    assert len(sectors) > 8
    for missing in sectors:
        torn = line[:missing] + bytes(SECTOR) + line[missing + SECTOR :]
        assert disk.lines(torn) == ((), "")
        assert disk.put(torn).never_began
        if missing + SECTOR < len(line):
            wrong = line[: missing + 1] + bytes(SECTOR) + line[missing + 1 + SECTOR :]
            assert disk.lines(wrong)[1]  # no disk tears there


def test_a_line_that_only_lost_its_end_is_continued_properly(disk: Disk) -> None:
    content = sample("provision-cut-off")
    disk.put(content.rstrip(b"\n"), tail=4096)
    with Journal.reopen(disk.path) as journal:
        journal.write("UNDO", step=0)
    entries, _, damage = read_journal(disk.path)
    assert (len(entries), damage) == (content.count(b"\n") + 1, "")


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        ("INTENT", {"step": 99}, "line 9 speaks of a step that the plan does not have"),
        ("INTENT", {"step": -1}, "line 9 speaks of a step"),
        ("INTENT", {"step": True}, "line 9 speaks of a step"),
        ("DONE", {}, "line 9 speaks of a step"),
        ("TELEPORT", {"step": 0}, "line 9 is of a type that is not known here: 'TELEPORT'"),
        ("BEGIN", {}, "line 9 is of a type that is not known here"),
    ],
)
def test_a_good_line_that_makes_no_sense_is_not_acted_on(
    disk: Disk, kind: str, data: dict[str, object], said: str
) -> None:
    disk.put(sample("provision-cut-off"), tail=4096)
    with Journal.reopen(disk.path) as journal:
        journal.write(kind, **data)
    history = disk.journals.read(disk.path)
    assert said in history.damage
    assert history.reservation is not None  # what it holds stays taken
    assert said in history.job().damage
    disk.is_refused()


def test_a_journal_of_another_version_is_not_acted_on(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = json.loads(sample("provision-cut-off").splitlines()[0])["plan"]
    monkeypatch.setattr("raptorctl.engine.journal.VERSION", 2)
    with Journal.create(disk.path, plan, disk.journals.done) as journal:
        journal.write("INTENT", step=0)
    assert "of version 2" in disk.journals.read(disk.path).damage
    disk.is_refused()
