"""The machines of a file stopped, or removed, in reverse order.

One is stopped after the other, which is what the order is for; wipes go on side by side.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from raptorctl.api import change, disk, machine, power
from raptorctl.api.brought import UNSEEN, Brought, Show, Shows
from raptorctl.api.located import located
from raptorctl.api.session import Session
from raptorctl.api.side_by_side import Work, side_by_side
from raptorctl.errors import RaptorError, StoppedError
from raptorctl.model.disk import ExtraDisk
from raptorctl.model.domain import State
from raptorctl.model.file_plan import Due, FilePlan, Row
from raptorctl.model.names import MachineName, split_domain
from raptorctl.model.raptor_file import RaptorFile

ACTIVE: Final = {state.value for state in State if state.active}


@dataclass(frozen=True)
class Down:
    """One run.

    Args:
        session: the host.
        plan: what there is to stop or remove.
        timeout: seconds that a guest has to shut down; None for the settings'.
        force: switch it off if it has not.
        keep_going: go on after a failure.
        data: remove disks that were to outlive their machines as well.
        shows: whom each machine is shown to.
        file: that the machines are of, for their places.
    """

    session: Session
    plan: FilePlan
    timeout: float | None = None
    force: bool = False
    keep_going: bool = False
    data: bool = False
    shows: Shows = UNSEEN
    file: RaptorFile | None = None

    def run(self) -> Iterator[Brought]:
        """Do it, and say what came of each as it ends; after a failure no more is begun.

        Raises:
            StoppedError: a signal came.
        """
        from raptorctl.engine.stop import Stop

        with Stop() as stop:
            yield from side_by_side(self._works(), stop, self._ends_it)

    def _ends_it(self, brought: Brought) -> bool:
        return bool(brought.error) and not self.keep_going

    def _works(self) -> Iterator[Work[Brought]]:
        first = {row.subject: row for row in reversed(self.plan.rows)}
        for subject in dict.fromkeys(row.subject for row in self.plan.rows):
            if name := split_domain(subject):
                yield partial(self._one, name, first[subject])

    def _one(self, name: MachineName, row: Row, aside: Callable[[], None]) -> Brought:
        session, show = self.session.beside(aside), self.shows(row.subject)
        try:
            if row.due is Due.REMOVAL:
                return self._removed(session, name, show)
            waits = partial(_waits, name, show)
            power.stop(session, name, self.timeout, force=self.force, waits=waits)
            return Brought(row.subject, ("stopped",))
        except StoppedError:
            raise
        except RaptorError as error:
            error.subject = error.subject or row.subject
            return Brought(row.subject, error=located(error, self.file, row.subject))

    def _removed(self, session: Session, name: MachineName, show: Show) -> Brought:
        wait = 0.0 if self.force and self.timeout is None else self.timeout
        gone = machine.deprovision(name, wait, data=self.data)
        done = change.carry_out(session, gone, reporter=show.reporter)
        jobs = (done.job.id,) if done.job else ()
        return Brought(str(name), ("removed",), jobs, receipts=done.receipts)


def _waits(name: MachineName, show: Show, seconds: float) -> None:
    show.reporter.note(f"{name} is asked to shut down; waiting {seconds:g} s at most")


def plan_of(
    session: Session,
    file: RaptorFile,
    only: Collection[MachineName] = (),
    *,
    destroy: bool = False,
    data: bool = False,
) -> FilePlan:
    """Say which machines of a file there are to stop, or to remove, in reverse order.

    Args:
        session: the host.
        file: the file; nothing that it names is looked at.
        only: the machines that are meant; all, if none is named.
        destroy: remove them.
        data: and their disks that were to outlive them, also where the machine is gone already.

    Raises:
        InputError: a machine that is meant is not in the file.
    """
    session.require_root()
    there = {one.name: one for one in machine.listed(session)}
    kept = [use.disk for use in disk.there_are(session) if _outlives(use.disk)] if data else []
    rows = []
    for name in reversed(file.names(only)):
        found = there.get(name)
        if found and destroy:
            rows.append(Row(str(name), "machine", found.state, "absent", Due.REMOVAL))
        elif found and found.state in ACTIVE:
            rows.append(Row(str(name), "state", found.state, "shut off", Due.NOW))
        for one in kept:
            if one.machine == name:
                has = f"{one.volume.size}, kept"
                rows.append(Row(str(name), f"disk {one.name}", has, "absent", Due.REMOVAL))
    return FilePlan(tuple(rows))


def _outlives(one: ExtraDisk) -> bool:
    """Whether it was to outlive its machine; not whether that is to come back until a date."""
    return one.volume.kept and not one.volume.retired
