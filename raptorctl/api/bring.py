"""One machine or tenant of a file brought to what the file says: jobs, a start, a wait, steps."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from raptorctl.api import cdrom, change, disk, machine, power, seed, steps, tenant
from raptorctl.api.brought import Brought, Show
from raptorctl.api.change import Change
from raptorctl.api.guest import running, wait_for
from raptorctl.api.image import fetched
from raptorctl.api.located import located
from raptorctl.api.steps import GuestEntry, JobKey
from raptorctl.errors import RaptorError, RefusedError, StoppedError, WaitError
from raptorctl.model.error_code import Code
from raptorctl.model.file_plan import Due, Row, WantedMachine, WantedTenant, counted
from raptorctl.model.image import Image
from raptorctl.model.names import MachineName
from raptorctl.model.raptor_file import RaptorFile
from raptorctl.model.seed import FirstBoot
from raptorctl.model.spec import MachineSpec
from raptorctl.plans.file.blame import blamed

if TYPE_CHECKING:
    from raptorctl.api.up import Up

Subject = WantedTenant | WantedMachine | MachineName

LOSSES: Final = {"removed", "rebuilt"}
"""What is done to a machine whose disk is then wiped."""
NUMBERS: Final = {"size", "cpus", "memory"}
"""Keys that a resize changes."""


def refuse_stuck(rows: tuple[Row, ...], file: RaptorFile | None = None) -> None:
    """Refuse what `up` cannot make true.

    Args:
        rows: that are refused.
        file: that they are of, for their places.

    Raises:
        RefusedError: says what, and what would.
    """
    if rows:
        raise _stuck(rows, file)


def _stuck(rows: tuple[Row, ...], file: RaptorFile | None) -> RefusedError:
    first = rows[0]
    if first.key == "machine":
        brief, way = first.how or f"{first.subject} cannot be as the file says", ""
    else:
        brief = f"{first.subject} differs in what cannot change while it stands"
        rebuilds = all(row.due is Due.NEEDS_REBUILD for row in rows)
        way = "--rebuild gives it a new disk" if rebuilds else "see below"
    error = RefusedError(
        brief,
        resolution=way,
        details="\n".join(_refused(row, file) for row in rows),
        code=Code.MACHINE_DIFFERS,
        subject=first.subject,
    )
    error.always_detailed = True
    return located(error, file, first.subject, first.about or first.key)


def _refused(row: Row, file: RaptorFile | None) -> str:
    place = file.place(row.subject, row.about or row.key) if file else ""
    said = f"{row.subject}: {row.key} {row.has}, not {row.wanted}: {row.due.value}"
    said = f"{place}: {said}" if place else said
    return f"{said}\n  {row.how}" if row.how else said


def _blamed(error: RaptorError, noun: Subject, rows: tuple[Row, ...]) -> str:
    """The key that a job failed at; "" where it may be any."""
    asked = {row.about or row.key for row in rows}
    only = asked.pop() if len(asked) == 1 else ""
    return only or (blamed(error, noun.spec) if isinstance(noun, WantedMachine) else "")


def is_absent(row: Row) -> bool:
    """Whether it says that a machine is to be made."""
    return row.key == "machine" and row.has == "absent" and row.due is Due.NOW


class Bringing:
    """What is done for one subject, with drivers of its own: others are at work beside it."""

    def __init__(self, up: "Up", subject: str) -> None:
        self._up, self._subject = up, subject
        self._session, self._show = up.session, Show()
        self._aside: Callable[[], None] = lambda: None
        self._did: list[str] = []
        self._jobs: list[str] = []
        self._receipts: list[str] = []

    def done(self, noun: Subject, rows: tuple[Row, ...], aside: Callable[[], None]) -> Brought:
        """Do it, and say what came of it.

        Args:
            noun: what the file says of the subject.
            rows: what differs.
            aside: called before what takes long and needs no lock.
        """
        error, self._aside = None, aside
        if rows:
            self._session = self._up.session.beside(aside)
            self._show = self._up.shows(self._subject)
        if stuck := tuple(row for row in rows if row.due.stuck):
            return Brought(self._subject, error=_stuck(stuck, self._up.wish.file))
        try:
            if rows:
                self._act(noun, rows)
        except StoppedError:
            raise
        except RaptorError as caught:
            caught.subject = caught.subject or self._subject
            key = _blamed(caught, noun, rows)
            error = located(caught, self._up.wish.file, self._subject, key)
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
                power.start(self._session, wanted.name)
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
        if "expires" in now and wanted.spec.expires:
            self._job("expires", machine.extend(name, wanted.spec.expires))
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

        mark = self._session.machine(wanted.name).mark
        if mark and not wanted.spec.image:  # the file does not say: as it began last time
            wanted = replace(wanted, spec=replace(wanted.spec, image=mark.image_name or None))
        boot, key = self._first_boot(wanted)
        found = self._image(wanted.spec.image)
        request = RebuildRequest(wanted.name, wanted.spec, found=found, first_boot=boot)
        self._job("rebuilt", machine.rebuild(request))
        return key

    def _first_boot(self, wanted: WantedMachine) -> tuple[FirstBoot | None, JobKey | None]:
        return steps.with_job_key(
            seed.first_boot(self._session, wanted.spec, wanted.name), wanted.steps
        )

    def _image(self, image: str | None) -> Image | None:
        if image is None:
            return None
        return self._up.images.get(image) or fetched(self._session, image)

    def _restarted(self, name: MachineName) -> None:
        session = self._session

        def waits(seconds: float) -> None:
            said = f"{name} is asked to shut down; waiting {seconds:g} s at most"
            self._show.reporter.note(said)

        self._aside()
        try:
            power.stop(session, name, waits=waits)
        except WaitError as error:
            error.resolution = f"`raptorctl stop {name} --force`, and the same command again"
            raise
        power.start(session, name)
        self._did.append("restarted")

    def _waited(self, wanted: WantedMachine) -> None:
        if wanted.wait:
            self._aside()
            guest = running(self._session, wanted.name)
            wait_for(guest, wanted.wait, watched=self._show.audience.watched)

    def _stepped(self, wanted: WantedMachine, key: JobKey | None) -> None:
        session = self._session
        self._aside()
        entry = GuestEntry(wanted.spec.account, None if key else self._up.identity, key)
        guest = running(session, wanted.name)
        steps.carry_out(guest, wanted.steps, entry, self._show.audience)
        self._did.append(counted(wanted.steps))
        self._job("", steps_done(wanted.name, wanted.digest))

    def _job(self, word: str, wanted: Change) -> None:
        done = change.carry_out(self._session, wanted, reporter=self._show.reporter)
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
