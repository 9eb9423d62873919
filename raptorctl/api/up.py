"""A file of machines made true: jobs in the file's order, what takes long side by side."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from raptorctl.api.bring import Bringing, Subject, is_absent, refuse_stuck
from raptorctl.api.brought import UNSEEN, Brought, Shows
from raptorctl.api.image import fetched
from raptorctl.api.located import located
from raptorctl.api.session import Session
from raptorctl.api.side_by_side import Work, side_by_side
from raptorctl.api.steps import refuse_keyless
from raptorctl.api.unwatched import UNWATCHED
from raptorctl.errors import RaptorError
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
        shows: whom each machine is shown to.
        images: what machines begin as, once `pull` has it.
    """

    session: Session
    wish: FileWish
    plan: FilePlan
    identity: Path | None = None
    keep_going: bool = False
    shows: Shows = UNSEEN
    images: dict[str, Image] = field(default_factory=dict)

    def pull(self, watch: "Watch" = UNWATCHED) -> None:
        """Have all images here that a disk is to begin as, each once.

        Raises:
            HostError: one cannot be had.
        """
        seen: set[tuple[str, str]] = set()  # as often as another digest is said of it
        for one in self.wish.machines:
            for key, image in self._images(one):
                sha256 = one.sha256 if key in {"image", "iso"} else ""
                if image and (image, sha256) not in seen:
                    seen.add((image, sha256))
                    with self._placed(one, key):
                        self.images[image] = fetched(
                            self.session, image, watch=watch, sha256=sha256
                        )

    @contextmanager
    def _placed(self, machine: WantedMachine, key: str) -> Iterator[None]:
        try:
            yield
        except RaptorError as error:
            located(error, self.wish.file, str(machine.name), key)
            raise

    def _images(self, wanted: WantedMachine) -> Iterator[tuple[str, str | None]]:
        rows = self.plan.of(wanted.name)
        if any(row.due is Due.REBUILD or is_absent(row) for row in rows):
            yield "image", wanted.spec.image
        keys = {row.key for row in rows}
        if {"iso", "machine"} & keys:
            yield "iso", wanted.spec.iso
        for name, disk in (wanted.spec.disks or {}).items():
            if {f"disk {name}", "machine"} & keys:
                yield f"disks.{name}", disk.image

    def run(self) -> Iterator[Brought]:
        """Do it, and say what came of each as it ends; after a failure no more is begun.

        Raises:
            RefusedError: something in the plan is refused; nothing was touched.
            InputError: there is no key to log in with; likewise.
            StoppedError: a signal came.
        """
        from raptorctl.engine.stop import Stop

        if not self.keep_going:
            refuse_stuck(self.plan.stuck, self.wish.file)
        self._refuse_keyless()
        with Stop() as stop:
            for works in self._stages():
                failed = False
                for brought in side_by_side(works, stop, self._ends_it):
                    failed = failed or self._ends_it(brought)
                    yield brought
                if failed:
                    return

    def _ends_it(self, brought: Brought) -> bool:
        return bool(brought.error) and not self.keep_going

    def _stages(self) -> Iterator[Iterator[Work[Brought]]]:
        """The tenants, whom the machines belong to; these; and what is to go."""
        yield (self._work(one.name, one) for one in self.wish.tenants)
        yield (self._work(str(one.name), one) for one in self.wish.machines)
        gone = (row.subject for row in self.plan.rows if row.due is Due.REMOVAL)
        yield (self._work(subject, name) for subject in gone if (name := split_domain(subject)))

    def _work(self, subject: str, noun: Subject) -> Work[Brought]:
        return partial(Bringing(self, subject).done, noun, self.plan.of(subject))

    def _refuse_keyless(self) -> None:
        """Refuse steps that nobody could log in for; on a session host ssh's own files may do."""
        for wanted in self.wish.machines:
            rows = self.plan.of(wanted.name)
            due = any(row.key == "steps" and row.due is Due.NOW for row in rows)
            fresh = any(is_absent(row) or row.due is Due.REBUILD for row in rows)
            told = fresh and wanted.spec.tells_guest  # by a key that is made for the job
            if due and not told and not self.session.on_session_host:
                refuse_keyless(self.identity)
