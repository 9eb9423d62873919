"""The folder of journals: open ones at its top, ended ones below `done/`."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from raptorctl.engine.audit import AUDIT, AuditLog
from raptorctl.engine.history import History, understand
from raptorctl.engine.journal import Journal, is_held, now, read_journal, settle
from raptorctl.errors import HostError, InputError, LeftoversError, RefusedError
from raptorctl.model.audit import AuditEntry
from raptorctl.model.error_code import Code
from raptorctl.model.facts import Reservation
from raptorctl.model.job import Job, Outcome
from raptorctl.model.names import shown
from raptorctl.plans.plan import Plan

Tell = Callable[[str], None]
"""Told what a person has to know, and what changes nothing in how a job ended."""

DIRECTORY: Final = Path("/var/lib/raptorctl/journal")


class Journals:
    """All journals of a host.

    Args:
        directory: where they are; made with mode 0700 when missing.
        audit: the file of the log of how jobs ended.
        official: the log is the host's own; see `AuditLog`.
    """

    def __init__(
        self, directory: Path = DIRECTORY, audit: Path = AUDIT, *, official: bool = False
    ) -> None:
        self.directory = directory
        self.done = directory / "done"
        self.audit = AuditLog(audit, official=official)

    def begin(self, plan: Plan) -> Journal:
        """Start a job's journal.

        Raises:
            RefusedError: it cannot be written, or there is a job of that name; nothing has been
                touched.
        """
        stamp = plan.identity.at.replace("-", "").replace(":", "")
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.done.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise RefusedError(f"cannot make {self.done}: {error.strerror}") from error
        path = self.directory / f"{stamp}-{plan.identity.job}.jsonl"
        return Journal.create(path, plan.encode(), self.done)

    def open_files(self) -> tuple[Path, ...]:
        """Journals of jobs that have not ended, oldest first."""
        files = sorted(self.directory.glob("*.jsonl"))
        return tuple(path for path in files if self.read(path).outcome.is_open)

    def read(self, path: Path) -> History:
        """Read one journal."""
        try:
            held = is_held(path)
            entries, _, damage = read_journal(path)
        except FileNotFoundError:
            return understand((), "", path.stem)  # it ended and moved while we looked
        except OSError as error:
            return understand((), f"it cannot be read: {error.strerror}", path.stem)
        given_up = path.parent == self.done
        return understand(entries, damage, path.stem, held=held, given_up=given_up)

    def jobs(self) -> tuple[Job, ...]:
        """Every job, oldest first."""
        histories = [self.read(path) for path in self._files()]
        return tuple(history.job() for history in histories if not history.never_began)

    def told(self) -> tuple[tuple[Job, Plan], ...]:
        """Every job whose plan can be read, with the plan, oldest first."""
        histories = [self.read(path) for path in self._files()]
        told = [(history.job(), history.plan) for history in histories if history.plan]
        # A file's name knows seconds only.
        return tuple(sorted(told, key=lambda pair: pair[0].started))

    def sweep(self, tell: Tell) -> None:
        """Tidy up after jobs that were killed just before they began or just after they ended.

        Args:
            tell: told what the audit log could not take.
        """
        for path in self.directory.glob("*.jsonl"):
            history = self.read(path)
            if history.held:
                continue  # it is at its own end just now
            if history.never_began:
                path.unlink(missing_ok=True)
            elif not history.outcome.is_open:
                self._settle(path, tell)

    def unfinished(self) -> tuple[Job, ...]:
        """Jobs that `recover` has work with, oldest first. Reads no ended journal."""
        jobs = (self.read(path).job() for path in self.open_files())
        return tuple(job for job in jobs if job.outcome is not Outcome.RUNNING)

    def find(self, text: str) -> Job:
        """Return the job with that identifier, or the only one that begins so.

        Raises:
            InputError: none, or several.
        """
        found = [job for job in self.jobs() if job.id.startswith(text)]
        exact = [job for job in found if job.id == text] or found
        if len(exact) != 1 or not text:
            many = "several jobs begin with" if found else "there is no job"
            raise InputError(
                f"{many} {shown(text)}",
                resolution="see `raptorctl job list`",
                code=Code.JOB_NOT_FOUND,
                subject=text,
            )
        return exact[0]

    def reservations(self) -> tuple[Reservation, ...]:
        """What jobs keep that are at work or unfinished."""
        kept = (self.read(path).reservation for path in self.open_files())
        return tuple(reservation for reservation in kept if reservation)

    def close(self, journal: Journal, kind: str, tell: Tell) -> Job:
        """Write a job's last line, move its journal to the ended ones, note it in the audit log.

        Args:
            journal: the job's.
            kind: how it ends.
            tell: told if the audit log could not take it: the job has ended all the same.

        Raises:
            LeftoversError: the end could not be written, so the job stays open.
        """
        try:
            journal.finish(kind)
        except OSError as error:
            job = self.read(journal.path).job()
            raise LeftoversError(
                f"the end of job {job.id} could not be written: {error.strerror}", job.id, []
            ) from error
        return self._settle(journal.path, tell)

    def abandon(self, path: Path, by: str, tell: Tell) -> None:
        """Give a job up: a person has cleaned up after it, or its journal is damaged.

        Args:
            path: its journal.
            by: the person.
            tell: as of `close`.

        Raises:
            RefusedError: a living process is at work on it.
        """
        if is_held(path):
            raise RefusedError(
                f"the job of {path} is still at work", code=Code.BUSY, subject=path.name
            )
        settle(path, self.done)
        self._note(self.read(self.done / path.name).job(), tell, abandoned_by=by)

    def _note(self, job: Job, tell: Tell, *, abandoned_by: str = "") -> None:
        """Append how a job ended to the audit log, with the receipts of what it wiped."""
        entry = AuditEntry(
            at=now(),
            job=job.id,
            verb=job.verb,
            machine=job.machine,
            by=job.by,
            outcome=job.outcome.value,
            wiped=job.wiped,
            abandoned_by=abandoned_by,
        )
        try:
            self.audit.append(entry)
        except HostError as error:
            tell(str(error))

    def _settle(self, path: Path, tell: Tell) -> Job:
        """First the audit log, then the move: a kill in between notes a job twice, not never."""
        job = self.read(path).job()
        try:
            self._note(job, tell)
        finally:
            settle(path, self.done)
        return job

    def _files(self) -> Iterator[Path]:
        both = [*self.directory.glob("*.jsonl"), *self.done.glob("*.jsonl")]
        yield from sorted(both, key=lambda path: path.name)
