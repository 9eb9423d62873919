"""The table in docs/performance.md, written between two markers; the rest of the page is a person's."""

from collections.abc import Mapping, Sequence
from textwrap import fill as fill_lines

from tests.bench.figures import Row

BEGIN = "<!-- bench: begin (written by `make bench`) -->"
END = "<!-- bench: end -->"
HEAD = "| what | against | where | budget | measured | rounds from .. to | met |\n|---|---|---|---|---|---|---|"
PLACES = {"lab": "lab", "here": "this machine"}


def fill(page: str, generated: str) -> str:
    """Replace what is between the markers.

    Raises:
        ValueError: the page has not both of them, in order.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page needs {BEGIN} and, after it, {END}")
    return f"{before}{BEGIN}\n\n{generated}\n\n{END}{after}"


def generated(rows: Sequence[Row], sites: Mapping[str, Mapping[str, str]]) -> str:
    """Return the machines' description and the table."""
    return "\n".join([*(_site(name, site) for name, site in sites.items()), "", table(rows)])


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    return "\n".join([HEAD, *map(_line, rows)])


def _line(row: Row) -> str:
    bound = {"<=": "at most", ">=": "at least"}[row.bound]
    cells = (
        row.what,
        _against(row),
        PLACES[row.where],
        f"{bound} {_figure(row.budget, row.unit)}",
        _figure(row.measured, row.unit),
        f"{_figure(row.spread[0], row.unit)} .. {_figure(row.spread[1], row.unit)}, {row.rounds}",
        "yes" if row.met else f"**no**, by {_missed(row)}",
    )
    return f"| {' | '.join(cells)} |"


def _against(row: Row) -> str:
    if row.ours is None or row.theirs is None:
        return row.against or "-"
    return f"{row.against} ({_seconds(row.ours)} against {_seconds(row.theirs)})"


def _missed(row: Row) -> str:
    """How far from the budget, in percent of it."""
    return f"{abs(row.measured - row.budget) / row.budget:.0%}"


def _figure(value: float, unit: str) -> str:
    return f"{value:.3g} {unit}" if unit in {"MB", "s"} else f"{value:.3g}{unit}"


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms"


def _site(name: str, site: Mapping[str, str]) -> str:
    said = ", ".join(f"{key} {value}" for key, value in site.items() if value)
    return fill_lines(f"- {name}: {said}", 120, subsequent_indent="  ", break_on_hyphens=False)
