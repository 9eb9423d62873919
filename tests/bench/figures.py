"""What a measurement is: laps of contenders, their ratio, and the verdict against the budget."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

MB = 1_000_000


@dataclass(frozen=True)
class Row:
    """One line of the budget, measured.

    Args:
        what: ours.
        against: what it is compared with; "" for an absolute figure.
        where: `lab` or `here`.
        bound: `<=` or `>=`.
        budget: in `unit`.
        unit: `x` for a ratio, `MB` for memory, `s` for time, "" for a number.
        measured: the median, in `unit`.
        spread: the lowest and the highest of the rounds, in `unit`.
        ours, theirs: median seconds of either side, None where no time was taken.
        rounds: how often.
    """

    what: str
    against: str
    where: str
    bound: str
    budget: float
    unit: str
    measured: float
    spread: tuple[float, float]
    rounds: int
    ours: float | None = None
    theirs: float | None = None

    @property
    def met(self) -> bool:
        """Whether the budget holds."""
        good = self.measured <= self.budget
        return good if self.bound == "<=" else self.measured >= self.budget

    def encode(self) -> dict[str, Any]:
        """Return the shape that results.json has."""
        return {**asdict(self), "spread": list(self.spread), "met": self.met}


def decode(shape: dict[str, Any]) -> Row:
    """Read a row of results.json back."""
    fields = {name: value for name, value in shape.items() if name != "met"}
    return Row(**{**fields, "spread": tuple(fields["spread"])})


def ratio_row(
    what: str,
    against: str,
    where: str,
    budget: float,
    seconds: tuple[Sequence[float], Sequence[float]],
) -> Row:
    """Compare durations, ours over theirs, round by round: each round saw the same busy machine.

    Args:
        what: ours.
        against: theirs.
        where: `lab` or `here`.
        budget: the ratio is to be at most that.
        seconds: of our rounds and of theirs.
    """
    ours, theirs = seconds
    return _row(what, against, where, ("<=", budget), _ratios(ours, theirs), (ours, theirs))


def speed_row(
    what: str,
    against: str,
    where: str,
    budget: float,
    seconds: tuple[Sequence[float], Sequence[float]],
) -> Row:
    """Compare speeds over the same bytes: the ratio is to be at least `budget`."""
    ours, theirs = seconds
    return _row(what, against, where, (">=", budget), _ratios(theirs, ours), (ours, theirs))


def memory_row(what: str, where: str, budget: float, peaks: Sequence[int]) -> Row:
    """Judge the peak memory of a command: the worst of all its runs counts.

    Args:
        what: the command.
        where: `lab` or `here`.
        budget: in MB (10^6 bytes).
        peaks: bytes.
    """
    sizes = [round(peak / MB, 1) for peak in peaks]
    spread = (min(sizes), max(sizes))
    return Row(what, "", where, "<=", budget, "MB", max(sizes), spread, len(sizes))


def seconds_row(what: str, where: str, budget: float, seconds: Sequence[float]) -> Row:
    """Judge how long a command takes: the worst of all its runs counts.

    Args:
        what: the command.
        where: `lab` or `here`.
        budget: in seconds.
        seconds: of each run.
    """
    times = [round(each, 2) for each in seconds]
    spread = (min(times), max(times))
    return Row(what, "", where, "<=", budget, "s", max(times), spread, len(times))


def count_row(what: str, where: str, budget: float, counted: float, rounds: int) -> Row:
    """Judge how often something is done.

    Args:
        what: is done.
        where: `lab` or `here`.
        budget: how often, at most.
        counted: how often it was, in the mean of the rounds.
        rounds: how many.
    """
    times = round(counted, 2)
    return Row(what, "", where, "<=", budget, "", times, (times, times), rounds)


def longer_row(
    what: str,
    against: str,
    where: str,
    budget: float,
    seconds: tuple[Sequence[float], Sequence[float]],
) -> Row:
    """Judge by how much ours takes longer, round by round: the median counts.

    Args:
        what: ours.
        against: theirs.
        where: `lab` or `here`.
        budget: in seconds.
        seconds: of our rounds and of theirs.
    """
    ours, theirs = (round(median(side), 4) for side in seconds)
    longer = [mine - other for mine, other in zip(*seconds, strict=True)]
    spread = (round(min(longer), 3), round(max(longer), 3))
    measured = round(median(longer), 3)
    return Row(what, against, where, "<=", budget, "s", measured, spread, len(longer), ours, theirs)


def _row(
    what: str,
    against: str,
    where: str,
    bound: tuple[str, float],
    ratios: Sequence[float],
    seconds: tuple[Sequence[float], Sequence[float]],
) -> Row:
    ours, theirs = (round(median(side), 4) for side in seconds)
    spread = (round(min(ratios), 3), round(max(ratios), 3))
    measured = round(median(ratios), 3)
    return Row(what, against, where, *bound, "x", measured, spread, len(ratios), ours, theirs)


def _ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    return [a / b for a, b in zip(above, below, strict=True)]
