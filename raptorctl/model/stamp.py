"""Moments, as journals, marks and logs write them."""

from datetime import UTC, datetime


def stamp(moment: datetime) -> str:
    """Return `2026-11-20T12:30:00Z` (RFC 3339, in UTC, seconds).

    Args:
        moment: one that knows its time zone.
    """
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
