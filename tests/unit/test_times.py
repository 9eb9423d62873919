"""What a run of pytest cost is written down, by the one process that hears of all of it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests import latest

CHECKOUT = Path(__file__).parents[2]

TESTS = f"""
import pytest

def test_late(): pytest.skip({latest.UNTRIED!r})
def test_wrong_about_it(): assert {latest.UNTRIED!r} == ""

@pytest.fixture
def slow():
    spin(0.2)
    yield
    spin(0.2)

@pytest.fixture
def unwilling():
    yield
    raise OSError

def spin(seconds):
    import time
    end = time.process_time() + seconds
    while time.process_time() < end: pass

def test_slow(slow): pass
def test_wrong(): assert False
def test_skipped(): pytest.skip()
def test_left_a_mess(unwilling): pass
"""


def run(folder: Path, *options: str) -> Any:
    (folder / "test_it.py").write_text(TESTS)
    (folder / "conftest.py").write_text("from tests.conftest import pytest_configure\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-p",
        "xdist",
        *options,
        str(folder),
    ]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    subprocess.run(
        [*command, f"--rootdir={folder}", "-c", "/dev/null"],
        cwd=CHECKOUT,
        env=clean
        | {
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # they take longer than the tests
            "RAPTOR_TIMES": str(folder / "new"),
            "RAPTOR_STAGE": "unit",
        },
        capture_output=True,
        check=False,
        timeout=120,
    )
    return json.loads((folder / "new" / "unit.json").read_text())


@pytest.mark.long
@pytest.mark.parametrize("workers", ["0", "2"])
def test_each_test_is_written_once_with_all_its_phases(tmp_path: Path, workers: str) -> None:
    before = time.time()
    told = run(tmp_path, "-n", workers)
    by_name = {test["id"].partition("::")[2]: test for test in told["tests"]}
    assert {name: test["outcome"] for name, test in by_name.items()} == {
        "test_slow": "passed",
        "test_wrong": "failed",
        "test_skipped": "skipped",
        "test_left_a_mess": "failed",
        "test_late": "untried",
        "test_wrong_about_it": "failed",
    }
    assert len(told["tests"]) == 6
    assert {test["file"] for test in told["tests"]} == {"test_it.py"}
    assert by_name["test_slow"]["seconds"] >= 0.4
    assert told["stage"] == "unit"
    assert before < told["began"] < told["ended"] < time.time()
    assert told["cpu"] >= 0.4
