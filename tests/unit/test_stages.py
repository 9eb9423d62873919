"""What `make test` took is kept in the repository, and told in docs/lab.md."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests import latest
from tests.lab import cache
from tests.stages import figures, page, record
from tests.stages.record import Run, StageRun
from tests.stages.stage import LANES, WARM_MINUTES

NAMES = [stage.name for lane in LANES for stage in lane]
TESTS = [
    {"id": f"tests/lab/test_{file}.py::test_{n}", "file": f"tests/lab/test_{file}.py",
     "seconds": 10.0 * n, "outcome": "failed" if (file, n) == ("b", 3) else "passed"}
    for file in "ab" for n in range(8)
]  # fmt: skip
FILES = {"tests/lab/test_a.py": 280, "tests/lab/test_b.py": 280}


def stage(name: str, share: float = 0.9, code: int = 0) -> StageRun:
    """One of ten minutes that had so much of both CPUs."""
    return StageRun(name, f"make-{name}", 600.0, 1200.0 * share, code)


def made(began: float = 0.0, *, share: float = 0.9, **other: Any) -> Run:
    stages = tuple(stage(name, share, int(name == "lab")) for name in NAMES)
    return replace(Run("abc", False, began, began + 2400, stages, 2, {"lab": TESTS}), **other)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cache, "directory", lambda: tmp_path / "cache")
    monkeypatch.setattr(figures, "FOLDER", tmp_path / "runs")
    monkeypatch.setattr(page, "PAGE", tmp_path / "lab.md")
    (tmp_path / "lab.md").write_text(f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n")
    return tmp_path


def ran(*runs: Run) -> None:
    """Have this machine's cache keep runs, as `make test` does."""
    for number, run in enumerate(runs):
        path = record.begin(f"{number:02}")
        record.write(path, run)
        (path / "lab.json").write_text(json.dumps({"stage": "lab", "tests": run.tests["lab"]}))


def files(repository: Path) -> list[str]:
    return sorted(path.name for path in (repository / "runs").glob("*"))


def test_the_stages_may_cost_together_what_all_may_cost() -> None:
    assert sum(stage.minutes for lane in LANES for stage in lane) == WARM_MINUTES


def test_after_the_last_minute_no_test_is_begun_and_the_run_is_no_whole_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(latest.VARIABLE, raising=False)  # `make test` sets it for all stages
    latest.skip_if_late()
    monkeypatch.setenv(latest.VARIABLE, str(time.time() + 600))
    latest.skip_if_late()
    monkeypatch.setenv(latest.VARIABLE, str(time.time() - 1))
    with pytest.raises(pytest.skip.Exception, match=latest.UNTRIED):
        latest.skip_if_late()
    assert made().whole
    assert not made(tests={"lab": [*TESTS, {**TESTS[0], "outcome": "untried"}]}).whole


def test_figures_are_sums_by_file_and_the_ten_dearest_tests() -> None:
    found = figures.figures(made())
    assert found.files == FILES
    assert list(found.dearest.values()) == [70, 70, 60, 60, 50, 50, 40, 40, 30, 30]
    assert (found.minutes, found.red, found.commit) == (40.0, 1, "abc")
    assert found.stages == dict.fromkeys(NAMES, 10.0)


def test_figures_outlive_the_cache(repository: Path) -> None:
    ran(made(), made(86400.0, bare=True, commit="def"))
    assert page.write() == 0
    first = (repository / "lab.md").read_text()
    assert files(repository) == ["19700101-000000.json", "19700102-000000.json"]
    for path in record.folder().glob("*/*"):
        path.unlink()
    (repository / "lab.md").write_text(f"before\n{page.BEGIN}\n{page.END}\nafter\n")
    assert page.write() == 0
    assert (repository / "lab.md").read_text() == first
    assert "| warm | 40 | 40.0 (abc, 1 red) |\n| bare | 55 | 40.0 (def, 1 red) |" in first
    assert "| `make lab` | 1 | 29 | 10.0 |" in first
    assert "| `make check` | 1 | 1 | 10.0 **over** |" in first
    assert "| `tests/lab/test_a.py` | 280 |" in first
    assert "| `tests/lab/test_b.py::test_7` | 70 |" in first
    assert first.startswith("before\n")
    assert first.endswith("\nafter\n")


@pytest.mark.parametrize(
    "run",
    [made(share=0.5), made(cpus=8), made(stages=(*map(stage, NAMES[:-1]), stage("lab", code=1)),
                                         tests={"lab": []}), made(stages=(stage("lint"),))],
    ids=["other work ran beside it", "more CPUs", "not all stages ended", "one stage alone"],
)  # fmt: skip
def test_a_run_that_says_nothing_of_two_quiet_cpus_is_not_kept(
    repository: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    ran(run)
    assert page.write() == 1
    assert "no whole run on two quiet CPUs is kept" in capsys.readouterr().err
    assert files(repository) == []
    assert "old" in (repository / "lab.md").read_text()


def test_of_each_kind_the_last_three_are_kept(repository: Path) -> None:
    ran(made(bare=True), *(made(3600.0 * hour) for hour in range(1, 6)))
    assert page.write() == 0
    assert files(repository) == [f"19700101-0{hour}0000.json" for hour in (0, 3, 4, 5)]


def test_what_is_kept_here_is_read_and_no_more_than_three_of_a_kind() -> None:
    kinds = [one.bare for one in figures.kept()]
    assert max(kinds.count(True), kinds.count(False)) <= figures.RUNS
