"""The figures of docs/lab.md, from the runs that are kept: `make times`."""

import sys
from collections import defaultdict
from collections.abc import Iterable
from statistics import median
from typing import Final

from tests.lab.cache import CHECKOUT
from tests.stages import record
from tests.stages.figures import DEAREST, Figures, keep, kept
from tests.stages.stage import BARE_MINUTES, LANES, WARM_MINUTES

PAGE: Final = CHECKOUT / "docs/lab.md"
BEGIN: Final = "<!-- times: begin (written by `make times`) -->"
END: Final = "<!-- times: end -->"


def write() -> int:
    """Keep this machine's whole runs, and write all that are kept into the page.

    Returns:
        1 where there is none.
    """
    for run in record.runs():
        if run.whole and run.quiet:
            keep(run)
    warm = [run for run in kept() if not run.bare]
    bare = [run for run in kept() if run.bare]
    if not warm and not bare:
        said = "no whole run on two quiet CPUs is kept; `make test` makes one"
        print(f"make times: {said}", file=sys.stderr)
        return 1
    head, _, rest = PAGE.read_text().partition(BEGIN)
    tail = rest.partition(END)[2]
    PAGE.write_text(f"{head}{BEGIN}\n\n{body(warm, bare)}\n{END}{tail}")
    print(f"make times: wrote {PAGE} from {len(warm)} warm, {len(bare)} bare")
    return 0


def body(warm: list[Figures], bare: list[Figures]) -> str:
    """Return all tables."""
    parts = (
        _runs(warm, bare),
        _stages(warm or bare),
        _files(warm or bare),
        _dearest((warm or bare)[-1]),
    )
    return "\n".join(parts)


def _runs(warm: list[Figures], bare: list[Figures]) -> str:
    rows = []
    for name, runs, limit in (("warm", warm, WARM_MINUTES), ("bare", bare, BARE_MINUTES)):
        took = ", ".join(map(_told, runs)) or "not measured"
        rows.append((name, str(limit), took))
    return _table(("`make test`", "may take, min", "took, min (commit)"), rows)


def _told(run: Figures) -> str:
    red = f", {run.red} red" if run.red else ""
    return f"{run.minutes:.1f} ({run.commit}{red})"


def _stages(runs: list[Figures]) -> str:
    took: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        for name, minutes in run.stages.items():
            took[name].append(minutes)
    rows = []
    for number, lane in enumerate(LANES, 1):
        for stage in lane:
            seen = median(took[stage.name]) if took[stage.name] else None
            over = " **over**" if seen is not None and seen > stage.minutes else ""
            measured = "-" if seen is None else f"{seen:.1f}{over}"
            rows.append((f"`make {stage.target}`", str(number), f"{stage.minutes:g}", measured))
    return _table(("stage", "lane", "may cost, min", "took, min"), rows)


def _files(runs: list[Figures]) -> str:
    names = {name for run in runs for name in run.files}
    seen = {name: median(run.files.get(name, 0.0) for run in runs) for name in names}
    return _dear("the twenty dearest files", seen, 20)


def _dearest(run: Figures) -> str:
    return _dear(f"the {DEAREST} dearest tests", run.dearest, DEAREST)


def _dear(title: str, seconds: dict[str, float], most: int) -> str:
    dear = sorted(seconds.items(), key=lambda item: -item[1])[:most]
    rows = [(f"`{name.replace('|', '/')}`", f"{took:.0f}") for name, took in dear]
    return _table((title, "s"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
