"""Journals: durable, checked, and never believed past a damage."""

from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.engine.apply import apply
from raptorctl.engine.journal import Journal, read_journal
from raptorctl.engine.journals import Journals
from raptorctl.engine.recover import recover
from raptorctl.engine.report import Silent
from raptorctl.engine.stop import Stop
from raptorctl.errors import HostError, InputError, JournalError, RefusedError, RolledBackError
from raptorctl.model.job import Outcome, StepState
from raptorctl.model.override import override
from raptorctl.plans.plan import Plan
from tests.fakes import Killed, Tripwire, World
from tests.unit.plans.machine.test_provision import JOB, planned


def killed(tmp_path: Path, at: int = 8) -> tuple[Journals, World, Path]:
    journals, world = Journals(tmp_path / "journal", tmp_path / "log" / "audit.jsonl"), World()
    with pytest.raises(Killed):
        apply(planned(), world.host(Tripwire(at)), journals, Silent(), Stop())
    (path,) = journals.open_files()
    return journals, world, path


def plan() -> Plan:
    return planned()


def test_an_ended_job_tells_its_story(tmp_path: Path) -> None:
    journals = Journals(tmp_path / "journal", tmp_path / "log" / "audit.jsonl")
    job = apply(plan(), World().host(), journals, Silent(), Stop())
    assert (job.outcome, job.machine, job.by) == (Outcome.DONE, "alice-dev", "carol")
    assert all(step.seconds is not None and step.seconds >= 0 for step in job.steps)
    assert job.steps[1].observed["wipe"]["coverage"] == "full"
    assert journals.find("j").id == "j1"
    assert '"coverage": "full"' in journals.audit.path.read_text()
    with pytest.raises(InputError):
        journals.find("nope")


def test_a_torn_last_line_was_never_written(tmp_path: Path) -> None:
    _, _, path = killed(tmp_path)
    whole, end, _ = read_journal(path)
    with path.open("r+b") as file:
        file.seek(end)
        file.write(b'{"crc":"0000')
    assert read_journal(path)[0] == whole
    assert read_journal(path)[2] == ""
    with Journal.reopen(path) as journal:
        journal.write("UNDO", step=0)
    entries, _, damage = read_journal(path)
    assert (len(entries), damage) == (len(whole) + 1, "")


@pytest.mark.parametrize("kind", ["flipped", "reordered", "dropped"])
def test_a_damaged_line_is_reported_and_nothing_is_touched(tmp_path: Path, kind: str) -> None:
    journals, world, path = killed(tmp_path)
    lines = path.read_bytes().rstrip(b"\0").splitlines(keepends=True)
    if kind == "flipped":
        lines[1] = lines[1].replace(b"INTENT", b"INTFNT")
    elif kind == "reordered":
        lines[1], lines[2] = lines[2], lines[1]
    else:
        del lines[1]
    path.write_bytes(b"".join(lines))
    before = world.picture()
    with pytest.raises(JournalError, match="is not acted on") as caught:
        recover(world.host(), journals, Silent(), Stop())
    assert caught.value.exit_code == 4
    assert world.picture() == before
    assert journals.reservations()[0].machine == "alice-dev"


def test_space_for_the_end_is_taken_at_the_beginning(tmp_path: Path) -> None:
    _, _, path = killed(tmp_path)
    _, end, _ = read_journal(path)
    assert path.stat().st_size - end > 32 << 10
    assert path.stat().st_blocks * 512 >= path.stat().st_size


def test_what_was_killed_in_the_middle_says_so(tmp_path: Path) -> None:
    journals, _, _ = killed(tmp_path, at=5)
    (job,) = journals.unfinished()
    assert job.outcome is Outcome.UNFINISHED
    assert [step.state for step in job.steps][:2] == [StepState.DONE, StepState.MAYBE]


def test_an_abandoned_job_is_out_of_the_way_and_in_the_audit_log(tmp_path: Path) -> None:
    journals, _, path = killed(tmp_path)
    journals.abandon(path, "carol", Silent().note)
    assert not journals.open_files()
    assert not journals.reservations()
    assert '"abandoned_by": "carol"' in journals.audit.path.read_text()
    assert journals.jobs()[-1].outcome is Outcome.ABANDONED


def test_a_job_at_work_is_neither_abandoned_nor_recovered(tmp_path: Path) -> None:
    journals, world, path = killed(tmp_path)
    with Journal.reopen(path):
        with pytest.raises(RefusedError, match="at work"):
            journals.abandon(path, "carol", Silent().note)
        assert recover(world.host(), journals, Silent(), Stop()) == ()
    assert len(recover(world.host(), journals, Silent(), Stop())) == 1


@pytest.mark.parametrize("ended", [True, False], ids=["that has ended", "at work"])
def test_no_two_jobs_have_one_name(tmp_path: Path, *, ended: bool) -> None:
    """What is a job's bears its name: another one of that name would take it for its own."""
    journals = Journals(tmp_path / "journal", tmp_path / "log" / "audit.jsonl")
    with journals.begin(plan()) as first:
        if ended:
            journals.close(first, "END", Silent().note)
        with pytest.raises(RefusedError, match="already") as caught:
            journals.begin(plan())
    assert "nothing was touched" in str(caught.value.resolution)
    assert len([*journals.directory.rglob("*.jsonl")]) == 1


def test_a_plan_of_another_version_is_shown_and_not_acted_on(tmp_path: Path) -> None:
    journals = Journals(tmp_path / "journal", tmp_path / "log" / "audit.jsonl")
    journals.done.mkdir(parents=True)
    path = journals.directory / "20991231T000000Z-jx.jsonl"
    strange = {**plan().encode(), "steps": [{"kind": "teleport", "title": "teleport"}]}
    with Journal.create(path, strange, journals.done) as journal:
        journal.write("INTENT", step=0)
    (job,) = journals.jobs()
    assert "teleport" in job.damage
    with pytest.raises(JournalError, match="is not acted on"):
        recover(World().host(), journals, Silent(), Stop())


def test_only_the_end_was_not_written_so_the_machine_stays(tmp_path: Path) -> None:
    journals, world = Journals(tmp_path / "journal", tmp_path / "log" / "audit.jsonl"), World()
    really_finish = Journal.finish
    Journal.finish = dying  # type: ignore[method-assign, assignment]
    try:
        with pytest.raises(Killed):
            apply(plan(), world.host(), journals, Silent(), Stop())
    finally:
        Journal.finish = really_finish  # type: ignore[method-assign]
    before = world.picture()
    (job,) = recover(world.host(), journals, Silent(), Stop())
    assert job.outcome is Outcome.DONE
    assert world.picture() == before
    assert not world.wiper.wiped[1:]
    assert job.steps[1].observed["wipe"]["coverage"] == "full"


class Heard(Silent):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    @override
    def note(self, text: str) -> None:
        self.notes.append(text)


def unwritable(folder: Path) -> Journals:
    """Journals whose audit log nobody can write."""
    (folder / "audit.jsonl").mkdir()
    return Journals(folder / "journal", folder / "audit.jsonl")


def test_a_log_that_cannot_be_written_is_told_and_the_job_is_done(tmp_path: Path) -> None:
    journals, heard = unwritable(tmp_path), Heard()
    job = apply(plan(), World().host(), journals, heard, Stop())
    assert (job.outcome, journals.open_files()) == (Outcome.DONE, ())
    (note,) = heard.notes
    assert note.startswith(f"job {job.id} is done, but {journals.audit.path} does not say so: ")


def test_nor_does_it_hide_why_a_job_was_rolled_back(tmp_path: Path) -> None:
    world, heard = World(), Heard()
    world.domains.define = fails  # type: ignore[method-assign, assignment]
    with pytest.raises(RolledBackError, match="the disk is on fire"):
        apply(plan(), world.host(), unwritable(tmp_path), heard, Stop())
    assert [" is rolled back, but " in note for note in heard.notes] == [True]


def fails(_xml: str) -> None:
    raise HostError("the disk is on fire")


def test_nor_does_it_keep_journals_from_being_tidied_up_or_given_up(tmp_path: Path) -> None:
    journals, heard = unwritable(tmp_path), Heard()
    with journals.begin(plan()) as ended:
        ended.finish("COMMIT")  # and killed before it moved
    assert recover(World().host(), journals, heard, Stop()) == ()
    assert [" is done, but " in note for note in heard.notes] == [True]

    with journals.begin(replace(plan(), identity=replace(JOB, job="j2"))) as cut_off:
        cut_off.write("INTENT", step=0)
    journals.abandon(cut_off.path, "carol", heard.note)
    assert " is abandoned, but " in heard.notes[-1]
    assert not [*journals.directory.glob("*.jsonl")]


def dying(_journal: Journal, _kind: str) -> None:
    raise Killed


def test_a_damaged_beginning_can_be_given_up_and_listed(tmp_path: Path) -> None:
    journals, _, path = killed(tmp_path)
    path.write_bytes(b"x" + path.read_bytes())
    journals.abandon(path, "carol", Silent().note)
    assert [job.outcome for job in journals.jobs()] == [Outcome.ABANDONED]


def test_a_journal_that_moves_while_it_is_read_is_not_damage(tmp_path: Path) -> None:
    journals = Journals(tmp_path / "journal", tmp_path / "log" / "audit.jsonl")
    assert not journals.read(tmp_path / "journal" / "gone.jsonl").outcome.is_open
