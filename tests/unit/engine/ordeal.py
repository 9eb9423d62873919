"""What every job goes through: killed or failing anywhere, it is all or nothing after `recover`.

Every driver call and every line of the journal is a place to die, before it acts and after.
"""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from raptorctl.engine.apply import apply
from raptorctl.engine.journal import Journal
from raptorctl.engine.journals import Journals
from raptorctl.engine.recover import recover
from raptorctl.engine.report import Silent
from raptorctl.engine.stop import Stop
from raptorctl.errors import HostError, LeftoversError, RolledBackError
from raptorctl.model.job import Outcome
from raptorctl.model.volume import Volume
from raptorctl.plans.plan import Plan
from tests.fakes import Killed, Tripwire, World

FAULT = "the disk is on fire"


class Trial:
    """A host that stands before a job.

    Args:
        world: the host.
        folder: for journals.
    """

    fewest_calls = 1
    """Of drivers, in any of its jobs."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.journals = Journals(folder / "journal", folder / "audit.jsonl")

    def stand_before(self, plan: Plan, known: object = None) -> None:
        """Take the host as it is now for what it was before the job.

        Args:
            plan: the job.
            known: what the host must be like after it, where something else than the job tells.
        """
        self.plan, self.before, self.known = plan, self.picture(), known

    def picture(self) -> object:
        """Return what the host is like now; the same for every trial anew."""
        return self.world.picture()

    def run(self, plan: Plan, wire: Tripwire | None = None) -> None:
        """Carry a plan out."""
        apply(plan, self.world.host(wire), self.journals, Silent(), Stop())

    def recover(self, wire: Tripwire | None = None) -> None:
        """Do what `raptorctl recover` does."""
        recover(self.world.host(wire), self.journals, Silent(), Stop())

    def check(self, wished: object) -> None:
        """Assert that it is all or nothing.

        Args:
            wished: the host when nothing went wrong.
        """
        assert self.picture() in (self.before, wished)
        assert not self.journals.open_files()
        self.check_always()

    def check_always(self) -> None:
        """Assert what holds at every moment, in the middle of a job too."""


class LeakWatch(World):
    """A host that notices when a volume leaves with a tenant's data on it."""

    def __init__(self) -> None:
        super().__init__()
        self.leaked: list[str] = []
        really_remove = self.volumes.remove

        def remove(volume: Volume, *, discard: bool = True) -> None:
            data = self.volumes.data.get(volume.uuid, "")
            if data.startswith("written by"):
                self.leaked.append(data)
            really_remove(volume, discard=discard)

        self.volumes.remove = remove  # type: ignore[method-assign]


Fresh = Callable[[], Trial]
"""Makes the same trial anew."""

Ordeal = Callable[[Fresh], None]


def undisturbed(fresh: Fresh) -> tuple[object, int]:
    """Return what the host is like when nothing goes wrong, and how many calls that takes."""
    trial, wire = fresh(), Tripwire()
    trial.run(trial.plan, wire)
    wished = trial.picture()
    assert wished != trial.before
    assert trial.known in (None, wished)
    assert trial.journals.jobs()[-1].outcome is Outcome.DONE
    assert len(wire.calls) >= trial.fewest_calls
    trial.check(wished)
    return wished, len(wire.calls)


def killed_at_every_call(fresh: Fresh) -> None:
    """And a second `recover` changes nothing."""
    wished, total = undisturbed(fresh)
    for wire in _wires(total):
        trial = fresh()
        with pytest.raises(Killed):
            trial.run(trial.plan, wire)
        _recovered(trial, wished)
        picture = trial.picture()
        trial.recover()
        assert trial.picture() == picture


def killed_at_every_line_of_the_journal(fresh: Fresh) -> None:
    """Before it is written, and after."""
    wished, _ = undisturbed(fresh)
    died = 0
    for wire in _wires(99):
        trial = fresh()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Journal, "write", wire.guard("write", Journal.write))
            try:
                trial.run(trial.plan)
            except Killed:
                died += 1
            else:
                break  # no line is left to die at
        _recovered(trial, wished)
    assert died > 4


def killed_again_while_recovering(fresh: Fresh) -> None:
    """At every call of `recover`, after every call of the job."""
    wished, total = undisturbed(fresh)
    for at in range(1, total + 1):
        for again in itertools.count(1):
            trial = fresh()
            with pytest.raises(Killed):
                trial.run(trial.plan, Tripwire(at, after=True))
            try:
                trial.recover(Tripwire(again, after=again % 2 == 0))
            except Killed:
                _recovered(trial, wished)
            else:
                trial.check(wished)
                break


def failing_at_every_call(fresh: Fresh) -> None:
    """Rolled back at once; or it says what is left, and `recover` sees to it."""
    wished, total = undisturbed(fresh)
    for wire in _wires(total, lambda: HostError(FAULT)):
        trial = fresh()
        try:
            trial.run(trial.plan, wire)
        except RolledBackError as error:
            assert FAULT in str(error)
            assert trial.picture() == trial.before
        except LeftoversError as error:
            assert error.leftovers
            assert trial.journals.open_files()
            trial.recover()
        else:
            pytest.fail(f"nobody heard of the fault at call {wire.at}")
        trial.check(wished)


EVERY = pytest.mark.parametrize(
    "ordeal",
    [
        killed_at_every_call,
        killed_at_every_line_of_the_journal,
        killed_again_while_recovering,
        failing_at_every_call,
    ],
    ids=lambda ordeal: ordeal.__name__,
)


def _wires(total: int, error: Callable[[], BaseException] = Killed) -> Iterator[Tripwire]:
    """Go wrong at each of so many calls, before it acts and after."""
    for at, after in itertools.product(range(1, total + 1), (False, True)):
        yield Tripwire(at, error, after=after)


def _recovered(trial: Trial, wished: object) -> None:
    trial.check_always()
    trial.recover()
    trial.check(wished)
