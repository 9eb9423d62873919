"""Ratios, medians, and the table that is made of them."""

import pytest

from tests.bench.figures import Row, count_row, decode, memory_row, ratio_row, speed_row
from tests.bench.page import BEGIN, END, fill, generated, table


def test_a_ratio_is_taken_round_by_round() -> None:
    row = ratio_row("ours", "theirs", "lab", 1.25, ([1.0, 9.0, 2.0], [1.0, 10.0, 1.0]))
    assert (row.measured, row.spread, row.rounds) == (1.0, (0.9, 2.0), 3)
    assert (row.ours, row.theirs) == (2.0, 1.0)
    assert row.met


def test_speed_is_the_other_way_round() -> None:
    row = speed_row("ours", "theirs", "lab", 20, ([2.0], [30.0]))
    assert row.measured == 15
    assert not row.met


def test_of_memory_the_worst_run_counts() -> None:
    row = memory_row("ours", "lab", 80, [79_000_000, 81_000_000])
    assert (row.measured, row.met) == (81, False)


def test_what_is_counted_has_no_unit() -> None:
    row = count_row("questions", "here", 1, 1.999, 5)
    assert (row.measured, row.met) == (2.0, False)
    assert "| at most 1 | 2 | 2 .. 2, 5 | **no**, by 100% |" in table([row])


def test_results_survive_their_file() -> None:
    row = ratio_row("ours", "theirs", "here", 10, ([1.0], [2.0]))
    assert decode(row.encode()) == row


def test_the_table_says_by_how_much_a_budget_is_missed() -> None:
    rows: list[Row] = [
        speed_row("fast", "slow", "lab", 20, ([2.0], [30.0])),
        memory_row("small", "here", 80, [40_000_000]),
    ]
    assert table(rows).splitlines()[2:] == [
        "| fast | slow (2.00 s against 30.00 s) | lab | at least 20x | 15x | 15x .. 15x, 1 | **no**, by 25% |",
        "| small | - | this machine | at most 80 MB | 40 MB | 40 MB .. 40 MB, 1 | yes |",
    ]


def test_only_what_is_between_the_markers_changes() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    filled = fill(page, generated([], {"lab": {"cores": "8", "load": ""}}))
    assert filled.startswith(f"before\n{BEGIN}\n\n- lab: cores 8\n\n| what")
    assert filled.endswith(f"\n\n{END}\nafter\n")
    assert "old" not in filled
    assert fill(filled, "x") == fill(page, "x")


def test_a_page_without_markers_is_left_alone() -> None:
    with pytest.raises(ValueError, match="needs"):
        fill(f"{END}{BEGIN}", "x")
