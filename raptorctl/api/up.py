"""A file of machines made true: one job after the other, in the file's order."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from raptorctl.api.bring import Bringing, Brought, Show, Subject, is_absent, refuse_stuck
from raptorctl.api.image import UNWATCHED, fetched
from raptorctl.api.session import Session
from raptorctl.api.steps import refuse_keyless
from raptorctl.model.file_plan import Due, FilePlan, FileWish, WantedMachine
from raptorctl.model.image import Image
from raptorctl.model.names import split_domain

if TYPE_CHECKING:
    from raptorctl.drivers.image import Watch


@dataclass(frozen=True)
class Up:
    """One run: the file's wish, and what is to be done for it.

    Args:
        session: the host.
        wish: what the file asks for.
        plan: what differs.
        identity: a file with a private key, to log in to guests that stood before.
        keep_going: go on after a failure.
        show: whom it is shown to.
        images: what machines begin as, once `pull` has it.
    """

    session: Session
    wish: FileWish
    plan: FilePlan
    identity: Path | None = None
    keep_going: bool = False
    show: Show = field(default_factory=Show)
    images: dict[str, Image] = field(default_factory=dict)

    def pull(self, watch: "Watch" = UNWATCHED) -> None:
        """Have all images here that a disk is to begin as, each once.

        Raises:
            HostError: one cannot be had.
        """
        asked = (image for one in self.wish.machines for image in self._images(one))
        for image in dict.fromkeys(filter(None, asked)):
            self.images[image] = fetched(self.session, image, watch=watch)

    def _images(self, wanted: WantedMachine) -> Iterator[str | None]:
        rows = self.plan.of(wanted.name)
        if any(row.due is Due.REBUILD or is_absent(row) for row in rows):
            yield wanted.spec.image
        keys = {row.key for row in rows}
        if {"iso", "machine"} & keys:
            yield wanted.spec.iso
        for name, disk in (wanted.spec.disks or {}).items():
            if {f"disk {name}", "machine"} & keys:
                yield disk.image

    def run(self) -> Iterator[Brought]:
        """Do it, one subject after the other; after a failure no more is begun.

        Raises:
            RefusedError: something in the plan is refused; nothing was touched.
            InputError: there is no key to log in with; likewise.
            StoppedError: a signal came.
        """
        from raptorctl.engine.stop import Stop

        if not self.keep_going:
            refuse_stuck(self.plan.stuck)
        self._refuse_keyless()
        with Stop() as stop:
            for subject, noun in self._subjects():
                stop.check()
                rows = self.plan.of(subject)
                if rows:
                    self.show.begun(subject)
                brought = Bringing(self, subject).done(noun, rows)
                yield brought
                if brought.error and not self.keep_going:
                    return

    def _refuse_keyless(self) -> None:
        """Refuse steps that nobody could log in for; on a session host ssh's own files may do."""
        for wanted in self.wish.machines:
            rows = self.plan.of(wanted.name)
            due = any(row.key == "steps" and row.due is Due.NOW for row in rows)
            fresh = any(is_absent(row) or row.due is Due.REBUILD for row in rows)
            told = fresh and wanted.spec.tells_guest  # by a key that is made for the job
            if due and not told and not self.session.own:
                refuse_keyless(self.identity)

    def _subjects(self) -> Iterator[tuple[str, Subject]]:
        yield from ((one.name, one) for one in self.wish.tenants)
        yield from ((str(one.name), one) for one in self.wish.machines)
        for row in self.plan.rows:
            name = split_domain(row.subject)
            if row.due is Due.REMOVAL and name:
                yield row.subject, name
