"""What every job goes through: killed or failing anywhere, it is all or nothing after `recover`.

Every driver call and every line of the journal is a place to die, before it acts and after.
"""

import functools
import itertools
import os
import pickle
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from raptorctl.engine import history, journal, journals
from raptorctl.engine.apply import apply
from raptorctl.engine.journal import Journal
from raptorctl.engine.journals import Journals
from raptorctl.engine.recover import recover
from raptorctl.engine.report import Silent
from raptorctl.engine.stop import Stop
from raptorctl.errors import HostError, LeftoversError, RaptorError, RolledBackError
from raptorctl.model.job import Outcome
from raptorctl.plans.plan import Plan, decode_plan
from tests.fakes import Killed, Tripwire, World
from tests.tally import tried

FAULT = "the disk is on fire"


@dataclass(frozen=True)
class Moment:
    """All that outlives a process: what SIGKILL at this moment leaves behind.

    Two of them that are equal are the same host: whatever follows is the same as well.

    Args:
        world: the host, pickled.
        files: by path, None for a directory. Zeroes at a journal's end are left
            out and only counted.
    """

    world: bytes
    files: tuple[tuple[str, tuple[bytes, int] | None], ...]


class Camera(Tripwire):
    """Takes a moment before and after each call, where a tripwire would kill once per run.

    Args:
        take: what the host is like now.
    """

    def __init__(self, take: Callable[[], Moment]) -> None:
        super().__init__()
        self.take = take
        self.moments: dict[Moment, None] = {}

    def guard(self, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(act)
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(name)
            self.moments[self.take()] = None
            result = act(*args, **kwargs)
            self.moments[self.take()] = None
            return result

        return call


class Trial:
    """A host that stands before a job.

    Args:
        world: the host.
        folder: for journals, and whatever else is a file.
    """

    fewest_calls = 1
    """Of drivers, in any of its jobs."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.folder = folder
        folder.mkdir(exist_ok=True)
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

    def moment(self) -> Moment:
        """Return all that there is now."""
        return Moment(pickle.dumps(self.world), tuple(_below(str(self.folder))))

    def go_back(self, moment: Moment) -> None:
        """Be at that moment again, as a new process finds it."""
        self.world = pickle.loads(moment.world)  # noqa: S301  # our own
        shutil.rmtree(self.folder)
        self.folder.mkdir()
        for path, held in moment.files:
            if held is None:
                Path(path).mkdir()
            else:
                Path(path).write_bytes(held[0].ljust(held[1], b"\0"))

    def moments(self, act: Callable[[Tripwire], None]) -> list[Moment]:
        """Return every moment at which something was different while `act` went its way.

        Edges of calls and of the journal's lines are where kills make a difference.
        """
        camera = Camera(self.moment)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Journal, "write", camera.guard("write", Journal.write))
            act(camera)
        return list(camera.moments)

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
        assert self.world.volumes.leaked == []


Ordeal = Callable[[Trial], None]


@contextmanager
def _cheap_and_alike() -> Iterator[None]:
    """Have each line of a journal understood once, and without the time of day in it.

    What is read anew in thousands of moments is the same few lines: both functions depend on
    nothing else. Moments that are alike are then equal. A shorter reserve is less to copy.
    """
    with pytest.MonkeyPatch.context() as patch:
        for module in (journal, journals):
            patch.setattr(module, "now", lambda: "2026-11-20T14:00:00.000Z")
        patch.setattr(journal, "RESERVE", 4 << 10)
        patch.setattr(journal, "_entry", functools.cache(journal._entry))
        patch.setattr(history, "decode_plan", _once_for_each(decode_plan))
        yield


def _once_for_each(decode: Callable[[Any], Plan]) -> Callable[[Any], Plan]:
    """Remember results by the very object that was decoded; it is kept, so that its id is."""
    known: dict[int, tuple[object, Plan]] = {}

    def decoded(recorded: Any) -> Plan:
        if id(recorded) not in known:
            known[id(recorded)] = recorded, decode(recorded)
        return known[id(recorded)][1]

    return decoded


def undisturbed(trial: Trial) -> tuple[object, int]:
    """Return what the host is like when nothing goes wrong, and how many calls that takes.

    The trial is as it was afterwards.
    """
    start, wire = trial.moment(), Tripwire()
    trial.run(trial.plan, wire)
    wished = trial.picture()
    assert wished != trial.before
    assert trial.known in (None, wished)
    assert trial.journals.jobs()[-1].outcome is Outcome.DONE
    assert len(wire.calls) >= trial.fewest_calls
    trial.check(wished)
    trial.go_back(start)
    return wished, len(wire.calls)


@_cheap_and_alike()
def killed_at_every_call(trial: Trial) -> None:
    """And a second `recover` changes nothing."""
    wished, total = undisturbed(trial)
    for wire in _each_time(trial, _wires(total)):
        with pytest.raises(Killed):
            trial.run(trial.plan, wire)
        _recovered(trial, wished)
        picture = trial.picture()
        trial.recover()
        assert trial.picture() == picture


@_cheap_and_alike()
def killed_at_every_line_of_the_journal(trial: Trial) -> None:
    """Before it is written, and after."""
    wished, _ = undisturbed(trial)
    died = 0
    for wire in _each_time(trial, _wires(99)):
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


@_cheap_and_alike()
def killed_again_while_recovering(trial: Trial) -> None:
    """At every moment of `recover`, after every moment of the job."""
    wished, _ = undisturbed(trial)
    first = trial.moments(lambda wire: trial.run(trial.plan, wire))
    assert len(first) > 4
    second: set[Moment] = set()
    for moment in first:
        trial.go_back(moment)
        second |= set(trial.moments(trial.recover))
        trial.check(wished)
    for moment in second:
        trial.go_back(moment)
        _recovered(trial, wished)
    tried("engine", "kills", len(first) + len(second))


@_cheap_and_alike()
def failing_at_every_call(trial: Trial) -> None:
    """Rolled back at once; or it says what is left, and `recover` sees to it."""
    wished, total = undisturbed(trial)
    for wire in _each_time(trial, _wires(total, lambda: HostError(FAULT))):
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


@_cheap_and_alike()
def done_but_for_its_end(trial: Trial) -> None:
    """It may be in use since then: whatever becomes of `recover`, nothing is taken back."""
    wished, _ = undisturbed(trial)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "finish", _die)
        with pytest.raises(Killed):
            trial.run(trial.plan)
    start = trial.moment()
    for moment in trial.moments(trial.recover):
        trial.go_back(moment)
        trial.recover()
        assert trial.picture() == wished
    trial.go_back(start)
    looks = Tripwire()
    trial.recover(looks)
    for at in range(1, len(looks.calls) + 1):
        trial.go_back(start)
        with suppress(RaptorError):
            trial.recover(Tripwire(at, lambda: HostError(FAULT)))
        trial.recover()
        assert trial.picture() == wished


def _die(*_: object) -> None:
    raise Killed


EVERY = pytest.mark.parametrize(
    "ordeal",
    [
        killed_at_every_call,
        killed_at_every_line_of_the_journal,
        killed_again_while_recovering,
        failing_at_every_call,
        done_but_for_its_end,
    ],
    ids=lambda ordeal: ordeal.__name__,
)


def _wires(total: int, error: Callable[[], BaseException] = Killed) -> Iterator[Tripwire]:
    """Go wrong at each of so many calls, before it acts and after."""
    for at, after in itertools.product(range(1, total + 1), (False, True)):
        yield Tripwire(at, error, after=after)


def _each_time(trial: Trial, wires: Iterable[Tripwire]) -> Iterator[Tripwire]:
    """Stand before the job again for each wire."""
    start = trial.moment()
    for wire in wires:
        trial.go_back(start)
        yield wire


def _below(folder: str) -> Iterator[tuple[str, tuple[bytes, int] | None]]:
    """Each path below a folder, what is in it after itself: its bytes and how many, or None."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.is_dir():
            yield entry.path, None
            yield from _below(entry.path)
        else:
            data = Path(entry).read_bytes()
            yield entry.path, (data.rstrip(b"\0"), len(data))


def _recovered(trial: Trial, wished: object) -> None:
    trial.check_always()
    trial.recover()
    trial.check(wished)
