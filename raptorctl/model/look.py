"""Looks at the clock: what is due is destroyed when two of them, a day apart, agree.

The wall clock alone may jump: a wrong time server, an empty battery. Time since the host started
(CLOCK_BOOTTIME, clock_gettime(2)) does not, so within one boot that has to have passed, too.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from raptorctl.errors import InputError
from raptorctl.model.names import shown
from raptorctl.model.stamp import stamp

DAY: Final = 24 * 60 * 60
"""Seconds between two looks that agree."""
LONGEST: Final = timedelta(days=3650)

_SPAN: Final = re.compile(r"([0-9]{1,4})([hdw])", re.ASCII)
_UNITS: Final = {"h": "hours", "d": "days", "w": "weeks"}
_TEXT: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z)/([0-9a-f]{8})/([0-9]{1,12})", re.ASCII
)


@dataclass(frozen=True)
class ClockReading:
    """When somebody looked.

    Args:
        at: UTC, ISO 8601, seconds.
        boot: the beginning of the kernel's boot_id (random(4)), 8 hexadecimal digits.
        up: seconds since the host started.
    """

    at: str
    boot: str
    up: int

    def __str__(self) -> str:
        """As a tag of LVM says it."""
        return f"{self.at}/{self.boot}/{self.up}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read what a tag says; None where it says something else."""
        found = _TEXT.fullmatch(text)
        try:
            return cls(stamp(_moment(found[1])), found[2], int(found[3])) if found else None
        except ValueError:
            return None

    def is_day_after(self, earlier: "ClockReading") -> bool:
        """Whether a day has passed by every clock that both looks saw."""
        passed = (_moment(self.at) - _moment(earlier.at)).total_seconds()
        return passed >= DAY and (self.boot != earlier.boot or self.up - earlier.up >= DAY)


def parse_span(text: str) -> timedelta:
    """Read how long: `12h`, `7d`, `4w`.

    Raises:
        InputError: it is none, or more than ten years.
    """
    found = _SPAN.fullmatch(text)
    span = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else timedelta()
    if not timedelta() < span <= LONGEST:
        raise InputError(
            f"{shown(text)} is not a time span", resolution="write 12h, 7d or 4w, 3650d at most"
        )
    return span


def later(at: str, span: timedelta) -> str:
    """Return the moment that is so much later; both UTC, ISO 8601."""
    return stamp(_moment(at) + span)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
