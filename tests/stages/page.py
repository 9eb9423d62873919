"""The figures of docs/lab.md, from the runs that were kept: `make times`."""

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from statistics import median
from typing import Any, Final

from tests.lab.cache import CHECKOUT
from tests.stages import record
from tests.stages.record import Run
from tests.stages.stage import BARE_MINUTES, LANES, WARM_MINUTES

PAGE: Final = CHECKOUT / "docs/lab.md"
BEGIN: Final = "<!-- times: begin (written by `make times`) -->"
END: Final = "<!-- times: end -->"

RUNS: Final = 3
"""How many of a kind are quoted."""

DEAREST: Final = 10


def write() -> int:
    """Write the latest whole runs into the page; return 1 where there is none."""
    whole = [run for run in record.runs() if run.whole]
    warm = [run for run in whole if not run.bare][-RUNS:]
    bare = [run for run in whole if run.bare][-RUNS:]
    if not warm and not bare:
        print("make times: no whole run is kept; `make test` keeps one", file=sys.stderr)
        return 1
    head, _, rest = PAGE.read_text().partition(BEGIN)
    tail = rest.partition(END)[2]
    PAGE.write_text(f"{head}{BEGIN}\n\n{body(warm, bare)}\n{END}{tail}")
    print(f"make times: wrote {PAGE.relative_to(CHECKOUT)} from {len(warm)} warm, {len(bare)} bare")
    return 0


def body(warm: list[Run], bare: list[Run]) -> str:
    """Return all tables."""
    parts = (
        _runs(warm, bare),
        _stages(warm or bare),
        _files(warm or bare),
        _dearest((warm or bare)[-1]),
    )
    return "\n".join(parts)


def _runs(warm: list[Run], bare: list[Run]) -> str:
    rows = []
    for name, runs, limit in (("warm", warm, WARM_MINUTES), ("bare", bare, BARE_MINUTES)):
        took = ", ".join(map(_told, runs)) or "not measured"
        rows.append((name, str(limit), took))
    return _table(("`make test`", "may take, min", "took, min (commit)"), rows)


def _told(run: Run) -> str:
    red = run.count("failed", "error")
    return f"{run.seconds / 60:.1f} ({run.commit}{f', {red} red' if red else ''})"


def _stages(runs: list[Run]) -> str:
    took: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        for done in run.stages:
            took[done.name].append(done.seconds / 60)
    rows = []
    for number, lane in enumerate(LANES, 1):
        for stage in lane:
            seen = median(took[stage.name]) if took[stage.name] else None
            over = " **over**" if seen is not None and seen > stage.minutes else ""
            measured = "-" if seen is None else f"{seen:.1f}{over}"
            rows.append((f"`make {stage.target}`", str(number), f"{stage.minutes:g}", measured))
    return _table(("stage", "lane", "may cost, min", "took, min"), rows)


def _files(runs: list[Run]) -> str:
    totals = [_by_file(run) for run in runs]
    names = {name for total in totals for name in total}
    seen = {name: median(total.get(name, 0.0) for total in totals) for name in names}
    dear = sorted(seen.items(), key=lambda item: -item[1])[:20]
    rows = [(f"`{name}`", f"{seconds:.0f}") for name, seconds in dear]
    return _table(("the twenty dearest files", "s"), rows)


def _by_file(run: Run) -> dict[str, float]:
    total: dict[str, float] = defaultdict(float)
    for test in _tests(run):
        total[str(test["file"])] += float(test["seconds"])
    return total


def _dearest(run: Run) -> str:
    tests = sorted(_tests(run), key=lambda test: -float(test["seconds"]))[:DEAREST]
    rows = [(f"`{test['id'].replace('|', '/')}`", f"{test['seconds']:.0f}") for test in tests]
    return _table((f"the {DEAREST} dearest tests", "s"), rows)


def _tests(run: Run) -> Iterator[dict[str, Any]]:
    for tests in run.tests.values():
        yield from tests


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
