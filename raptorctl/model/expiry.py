"""When machines expire: the first day on which one is not to run any more."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from raptorctl.errors import InputError
from raptorctl.model.look import LONGEST, ClockReading
from raptorctl.model.names import shown

NEVER: Final = "never"
_DAYS: Final = re.compile(r"([0-9]{1,4})([dw])", re.ASCII)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@dataclass(frozen=True)
class Expiry:
    """What the settings say of machines that expire.

    Args:
        required: whether every new machine has to.
        longest_days: how far away the day may be; 0 for any.
        warn_days: how long before it its tenant is told.
        grace_days: how long after it the machine stands, off.
        keep_days: how long after that its disks are kept.
    """

    required: bool = False
    longest_days: int = 0
    warn_days: int = 7
    grace_days: int = 7
    keep_days: int = 14


def parse_expiry(text: str) -> str:
    """Check `2027-01-31`, `90d`, `12w` or `never`, and return it.

    Raises:
        InputError: it is none of these.
    """
    if text != NEVER and not (is_day(text)) and _days(text) is None:
        raise InputError(
            f"{shown(text)} is not a day", resolution="write 2027-01-31, 90d, 12w, or never"
        )
    return text


def is_expiry(text: str) -> bool:
    """Whether `parse_expiry` takes it."""
    try:
        return bool(parse_expiry(text))
    except InputError:
        return False


def is_day(text: str) -> bool:
    """Whether it is a day of the calendar, ISO 8601."""
    try:
        return bool(_DATE.fullmatch(text) and date.fromisoformat(text))
    except ValueError:
        return False


def is_relative(text: str) -> bool:
    """Whether it says how long, and not when."""
    return _days(text) is not None


def day_of(text: str, today: str) -> str:
    """Return the day, ISO 8601; "" for never.

    Args:
        text: as `parse_expiry` takes it.
        today: ISO 8601.
    """
    days = _days(text)
    return plus(today, days) if days is not None else "" if text == NEVER else text


def plus(day: str, days: int) -> str:
    """Return the day that is so many days later, or the calendar's last one; both ISO 8601."""
    there = date.fromisoformat(day)
    span = max(date.min - there, min(timedelta(days=days), date.max - there))
    return (there + span).isoformat()


def agrees(due: str, look: ClockReading) -> bool:
    """Whether an earlier look, a day ago, found the same."""
    earlier = ClockReading.parse(due)
    return earlier is not None and look.is_day_after(earlier)


def is_first(due: str, look: ClockReading) -> bool:
    """Whether no earlier look did, or one by a clock that was wrong."""
    earlier = ClockReading.parse(due)
    return earlier is None or earlier.at > look.at


def _days(text: str) -> int | None:
    found = _DAYS.fullmatch(text)
    days = int(found[1]) * (7 if found[2] == "w" else 1) if found else 0
    return days if 0 < days <= LONGEST.days else None
