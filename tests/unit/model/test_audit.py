from datetime import UTC, datetime, timedelta

import pytest

from raptorctl.errors import InputError
from raptorctl.model.audit import AuditEntry, parse_entry, parse_since

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LINE = (
    '{"at": "2026-11-20T20:40:01Z", "job": "j", "verb": "provision", "machine": "alice-dev",'
    ' "by": "carol", "outcome": "done", "wiped": [{"size": 4096}]}'
)


def test_a_line_is_read_and_what_later_versions_add_is_passed_over() -> None:
    entry = AuditEntry("2026-11-20T20:40:01Z", "j", "provision", "alice-dev", "carol", "done",
                       ({"size": 4096},))  # fmt: skip
    assert parse_entry(LINE) == entry
    assert parse_entry(LINE.replace("{", '{"later": 1, ', 1)) == entry
    assert entry.tenant == "alice"


@pytest.mark.parametrize("line", ["", LINE[:-1], "[]", "3", '{"at": 3}', LINE.replace('"j"', "7")])
def test_what_is_no_entry_is_none(line: str) -> None:
    assert parse_entry(line) is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("7d", NOW - timedelta(days=7)),
        ("90m", NOW - timedelta(minutes=90)),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20T14:00", datetime(2026, 11, 20, 14, tzinfo=UTC)),
        ("2026-11-20T14:00+02:00", datetime(2026, 11, 20, 12, tzinfo=UTC)),
    ],
)
def test_since_is_a_time_or_so_long_ago(text: str, moment: datetime) -> None:
    assert parse_since(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "7", "-7d", "7 d", "999999d", "\u0667d"])
def test_since_is_nothing_else(text: str) -> None:
    with pytest.raises(InputError):
        parse_since(text, NOW)
