"""A record of every kind of step as version 1 of the journal wrote it; they are never rewritten.

Whoever renames a step's field sees it here, and not when a host recovers a job after an upgrade.
"""

import json
from pathlib import Path

import pytest

from raptorctl.steps import load_all
from raptorctl.steps.step import _KINDS, decode_step
from tests.conftest import GOLDEN

RECORDS = sorted((GOLDEN / "steps").glob("*.json"))
load_all()
# Other tests have steps of their own.
KINDS = {kind for kind, step in _KINDS.items() if step.__module__.startswith("raptorctl.")}


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_it_is_read_and_written_as_it_was(path: Path) -> None:
    record = json.loads(path.read_text())
    assert record["kind"] == path.stem
    assert json.loads(json.dumps(decode_step(record).encode())) == record


def test_there_is_one_of_every_kind() -> None:
    assert {path.stem for path in RECORDS} == KINDS
