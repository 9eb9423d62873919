"""One machine or tenant of a file brought to what the file says: jobs, a start, a wait, steps."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from raptorctl.api import cdrom, change, disk, machine, power, seed, steps, tenant
from raptorctl.api.change import SILENT, Change
from raptorctl.api.guest import running, wait_for
from raptorctl.api.image import fetched
from raptorctl.api.steps import NOBODY, Audience, GuestEntry, JobKey
from raptorctl.errors import RaptorError, RefusedError, StoppedError, WaitError
from raptorctl.model.error_code import Code
from raptorctl.model.file_plan import Due, Row, WantedMachine, WantedTenant, counted
from raptorctl.model.image import Image
from raptorctl.model.names import MachineName
from raptorctl.model.seed import FirstBoot
from raptorctl.model.spec import MachineSpec

if TYPE_CHECKING:
    from raptorctl.api.up import Up
    from raptorctl.engine.report import Reporter

Subject = WantedTenant | WantedMachine | MachineName

LOSSES: Final = {"removed", "rebuilt"}
"""What is done to a machine whose disk is then wiped."""
NUMBERS: Final = {"size", "cpus", "memory"}
"""Keys that a resize changes."""


@dataclass(frozen=True)
class Show:
    """Whom all of it is shown to; nobody, if nothing else is said.

    Args:
        reporter: is told about each step of a job.
        audience: is told what steps in guests do, and what is waited for.
        begun: is told whose turn it is.
    """

    reporter: "Reporter" = SILENT
    audience: Audience = NOBODY
    begun: Callable[[str], None] = lambda _subject: None


@dataclass(frozen=True)
class Brought:
    """What came of one machine or tenant.

    Args:
        subject: its name.
        did: what was done, a few words each; nothing, where all was so already.
        jobs: the jobs that did it.
        error: why it is not as the file says.
        receipts: what was wiped, and how that is known, a line each.
    """

    subject: str
    did: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    error: RaptorError | None = None
    receipts: tuple[str, ...] = ()

    def encode(self) -> dict[str, Any]:
        """Return the shape that docs/json.md documents."""
        error = self.error.encode() if self.error else None
        return {
            "machine": self.subject,
            "did": list(self.did),
            "jobs": list(self.jobs),
            "error": error,
        }


def refuse_stuck(rows: tuple[Row, ...]) -> None:
    """Refuse what `up` cannot make true.

    Raises:
        RefusedError: says what, and what would.
    """
    if not rows:
        return
    first = rows[0]
    if first.key == "machine":
        brief, way = f"{first.subject} cannot be as the file says", first.how
    else:
        brief = f"{first.subject} differs in what cannot change while it stands"
        rebuilds = all(row.due is Due.NEEDS_REBUILD for row in rows)
        way = "--rebuild gives it a new disk" if rebuilds else "see below"
    error = RefusedError(
        brief,
        resolution=way,
        details="\n".join(map(_refused, rows)),
        code=Code.MACHINE_DIFFERS,
        subject=first.subject,
    )
    error.always_detailed = True
    raise error


def _refused(row: Row) -> str:
    said = f"{row.subject}: {row.key} {row.has}, not {row.wanted}: {row.due.value}"
    return f"{said}\n  {row.how}" if row.how else said


def is_absent(row: Row) -> bool:
    """Whether it says that a machine is to be made."""
    return row.key == "machine" and row.has == "absent" and row.due is Due.NOW


class Bringing:
    """What is done for one subject."""

    def __init__(self, up: "Up", subject: str) -> None:
        self._up, self._subject = up, subject
        self._did: list[str] = []
        self._jobs: list[str] = []
        self._receipts: list[str] = []

    def done(self, noun: Subject, rows: tuple[Row, ...]) -> Brought:
        """Do it, and say what came of it."""
        error = None
        try:
            refuse_stuck(tuple(row for row in rows if row.due.stuck))
            if rows:
                self._act(noun, rows)
        except StoppedError:
            raise
        except RaptorError as caught:
            caught.subject = caught.subject or self._subject
            error = caught
        did, jobs, receipts = map(tuple, (self._did, self._jobs, self._receipts))
        return Brought(self._subject, did, jobs, error, receipts)

    def _act(self, noun: Subject, rows: tuple[Row, ...]) -> None:
        match noun:
            case WantedTenant():
                self._tenant(noun, rows)
            case WantedMachine():
                self._machine(noun, rows)
            case MachineName():  # the file says nothing of it any more
                self._job("removed", machine.deprovision(noun))

    def _tenant(self, wanted: WantedTenant, rows: tuple[Row, ...]) -> None:
        """Make a tenant, or give them keys and a quota."""
        from raptorctl.model.tenant import Quota
        from raptorctl.plans.tenant.request import TenantRequest

        keys = {row.key for row in rows}
        if "tenant" in keys:
            quota = wanted.quota or Quota()
            request = TenantRequest(name=wanted.name, keys=wanted.keys, quota=quota)
            self._job("made", tenant.add(request))
            return
        if "keys" in keys:
            self._job("keys", tenant.add_keys(wanted.name, wanted.keys))
        if "quota" in keys and wanted.quota is not None:
            self._job("quota", tenant.set_quota(wanted.name, wanted.quota))

    def _machine(self, wanted: WantedMachine, rows: tuple[Row, ...]) -> None:
        """Make, change, rebuild and start a machine, wait for it and do its steps."""
        keys, due = {row.key for row in rows}, {row.due for row in rows}
        key = None
        if any(map(is_absent, rows)):
            key = self._made(wanted)
        else:
            self._changed(wanted, rows)
            if Due.REBUILD in due:
                key = self._rebuilt(wanted)
            elif Due.RESTART in due:
                self._restarted(wanted.name)
            elif "state" in keys:
                power.start(self._up.session, wanted.name)
                self._did.append("started")
        if {"machine", "state"} & keys or {Due.REBUILD, Due.RESTART} & due:
            self._waited(wanted)
        if any(row.key == "steps" and row.due is Due.NOW for row in rows):
            self._stepped(wanted, key)

    def _changed(self, wanted: WantedMachine, rows: tuple[Row, ...]) -> None:
        from raptorctl.plans.machine.disk import DiskRequest

        name = wanted.name
        asked = {r.key: getattr(wanted.spec, r.key) for r in rows if r.key in NUMBERS}
        if asked:
            self._job(", ".join(asked), _numbers(name, MachineSpec(**asked)))
        now = {row.key for row in rows if row.due is Due.NOW}
        if "keys" in now and wanted.spec.keys:
            self._job("keys", tenant.add_keys(name.tenant, wanted.spec.keys))
        if "seed" in now:
            self._job("seed", seed.detach(name))
        if "iso" in now and wanted.spec.iso:
            found = self._image(wanted.spec.iso)
            self._job("ISO", cdrom.insert(name, found or wanted.spec.iso))
        for one, spec in (wanted.spec.disks or {}).items():
            if f"disk {one}" in now:
                found = self._image(spec.image)
                self._job(f"disk {one}", disk.ensure(DiskRequest(name, one, spec, found)))

    def _made(self, wanted: WantedMachine) -> JobKey | None:
        from raptorctl.plans.machine.choice import ProvisionRequest

        boot, key = self._first_boot(wanted)
        request = ProvisionRequest(
            name=wanted.name,
            spec=wanted.spec,
            found=self._image(wanted.spec.image),
            found_disks={
                name: image
                for name, one in (wanted.spec.disks or {}).items()
                if (image := self._image(one.image))
            },
            found_iso=self._image(wanted.spec.iso),
            first_boot=boot,
            file=self._up.wish.mark,
        )
        self._job("made", machine.provision(request))
        return key

    def _rebuilt(self, wanted: WantedMachine) -> JobKey | None:
        from raptorctl.plans.machine.rebuild import RebuildRequest

        mark = self._up.session.machine(wanted.name).mark
        if mark and not wanted.spec.image:  # the file does not say: as it began last time
            wanted = replace(wanted, spec=replace(wanted.spec, image=mark.image_name or None))
        boot, key = self._first_boot(wanted)
        found = self._image(wanted.spec.image)
        request = RebuildRequest(wanted.name, wanted.spec, found=found, first_boot=boot)
        self._job("rebuilt", machine.rebuild(request))
        return key

    def _first_boot(self, wanted: WantedMachine) -> tuple[FirstBoot | None, JobKey | None]:
        return steps.with_job_key(seed.first_boot(wanted.spec, wanted.name), wanted.steps)

    def _image(self, image: str | None) -> Image | None:
        if image is None:
            return None
        return self._up.images.get(image) or fetched(self._up.session, image)

    def _restarted(self, name: MachineName) -> None:
        session = self._up.session

        def waits(seconds: float) -> None:
            said = f"{name} is asked to shut down; waiting {seconds:g} s at most"
            self._up.show.reporter.note(said)

        try:
            power.stop(session, name, waits=waits)
        except WaitError as error:
            error.resolution = f"`raptorctl stop {name} --force`, and the same command again"
            raise
        power.start(session, name)
        self._did.append("restarted")

    def _waited(self, wanted: WantedMachine) -> None:
        if wanted.wait:
            guest = running(self._up.session, wanted.name)
            wait_for(guest, wanted.wait, watched=self._up.show.audience.watched)

    def _stepped(self, wanted: WantedMachine, key: JobKey | None) -> None:
        session = self._up.session
        entry = GuestEntry(wanted.spec.account, None if key else self._up.identity, key)
        guest = running(session, wanted.name)
        steps.carry_out(guest, wanted.steps, entry, self._up.show.audience)
        self._did.append(counted(wanted.steps))
        self._job("", steps_done(wanted.name, wanted.digest))

    def _job(self, word: str, wanted: Change) -> None:
        done = change.carry_out(self._up.session, wanted, reporter=self._up.show.reporter)
        if done.job:
            self._jobs.append(done.job.id)
            self._did += [word] * bool(word)
            if word in LOSSES:
                self._receipts += done.receipts


def _numbers(name: MachineName, spec: MachineSpec) -> Change:
    from raptorctl.plans.file.work import plan_numbers

    return Change(
        verb="resize",
        name=str(name),
        decide=lambda settings, facts, job: plan_numbers(name, spec, settings, facts, job),
    )


def steps_done(name: MachineName, digest: str) -> Change:
    """Have a machine's mark say that a file's steps were done in its guest."""
    from raptorctl.plans.file.work import plan_steps_done

    return Change(
        verb="steps-done",
        name=str(name),
        decide=lambda _settings, facts, job: plan_steps_done(name, digest, facts, job),
    )
