"""How often an account may ask."""

import json
import time
from pathlib import Path

import pytest

from raptorctl.errors import RefusedError
from raptorctl.host.system.pace import Pace
from raptorctl.model.error_code import Code


def test_so_many_times_and_no_more(tmp_path: Path) -> None:
    pace = Pace(tmp_path / "pace", "asked", 3, 60)
    for _ in range(3):
        pace.take(1000)
    with pytest.raises(RefusedError, match="more than 3 requests in 60 s: try again in") as caught:
        pace.take(1000)
    assert caught.value.code is Code.BUSY
    pace.take(1001)
    Pace(tmp_path / "pace", "changed", 3, 60).take(1000)


def test_what_was_long_ago_does_not_count(tmp_path: Path) -> None:
    pace = Pace(tmp_path, "asked", 2, 60)
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    (tmp_path / "asked-7").write_text(json.dumps([now - 61, now - 62, now + 1000]))
    pace.take(7)
    pace.take(7)
    with pytest.raises(RefusedError):
        pace.take(7)


@pytest.mark.parametrize("text", ["", "{", "[1, null]", '{"a": 1}', '["x"]', "12"])
def test_a_torn_file_begins_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / "asked-7").write_text(text)
    Pace(tmp_path, "asked", 1, 60).take(7)
    with pytest.raises(RefusedError):
        Pace(tmp_path, "asked", 1, 60).take(7)
    assert (tmp_path / "asked-7").stat().st_mode & 0o777 in {0o600, 0o644}
