"""Moments are written in UTC, whatever zone they come from."""

from datetime import UTC, datetime, timedelta, timezone

from raptorctl.model.stamp import stamp


def test_a_moment_is_written_in_utc_to_the_second() -> None:
    assert stamp(datetime(2026, 11, 20, 12, 30, 0, 999999, UTC)) == "2026-11-20T12:30:00Z"
    east = timezone(timedelta(hours=2))
    assert stamp(datetime(2026, 11, 20, 14, 30, tzinfo=east)) == "2026-11-20T12:30:00Z"
