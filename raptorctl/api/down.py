"""The machines of a file stopped, or removed, in reverse order."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Final

from raptorctl.api import change, machine, power
from raptorctl.api.bring import Brought, Show
from raptorctl.api.session import Session
from raptorctl.errors import RaptorError, StoppedError
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
        show: whom it is shown to.
    """

    session: Session
    plan: FilePlan
    timeout: float | None = None
    force: bool = False
    keep_going: bool = False
    show: Show = field(default_factory=Show)

    def run(self) -> Iterator[Brought]:
        """Do it, one machine after the other; after a failure no more is begun.

        Raises:
            StoppedError: a signal came.
        """
        for row in self.plan.rows:
            name = split_domain(row.subject)
            if name is None:
                continue
            self.show.begun(row.subject)
            brought = self._one(name, row)
            yield brought
            if brought.error and not self.keep_going:
                return

    def _one(self, name: MachineName, row: Row) -> Brought:
        try:
            if row.due is Due.REMOVAL:
                wait = 0.0 if self.force and self.timeout is None else self.timeout
                gone = machine.deprovision(name, wait)
                done = change.carry_out(self.session, gone, reporter=self.show.reporter)
                jobs = (done.job.id,) if done.job else ()
                return Brought(row.subject, ("removed",), jobs, receipts=done.receipts)
            power.stop(self.session, name, self.timeout, force=self.force, waits=self._waits(name))
            return Brought(row.subject, ("stopped",))
        except StoppedError:
            raise
        except RaptorError as error:
            error.subject = error.subject or row.subject
            return Brought(row.subject, error=error)

    def _waits(self, name: MachineName) -> Callable[[float], None]:
        def waits(seconds: float) -> None:
            said = f"{name} is asked to shut down; waiting {seconds:g} s at most"
            self.show.reporter.note(said)

        return waits


def plan_of(
    session: Session, file: RaptorFile, only: Collection[MachineName] = (), *, destroy: bool = False
) -> FilePlan:
    """Say which machines of a file there are to stop, or to remove, in reverse order.

    Args:
        session: the host.
        file: the file; nothing that it names is looked at.
        only: the machines that are meant; all, if none is named.
        destroy: remove them.

    Raises:
        InputError: a machine that is meant is not in the file.
    """
    session.require_root()
    there = {one.name: one for one in machine.listed(session)}
    rows = []
    for name in reversed(file.names(only)):
        found = there.get(name)
        if found and destroy:
            rows.append(Row(str(name), "machine", found.state, "absent", Due.REMOVAL))
        elif found and found.state in ACTIVE:
            rows.append(Row(str(name), "state", found.state, "shut off", Due.NOW))
    return FilePlan(tuple(rows))
