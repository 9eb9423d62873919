"""The audit log's nouns: how every job ended, one line each."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from raptorctl.errors import InputError
from raptorctl.model.codec import ShapeError, decode
from raptorctl.model.names import shown


@dataclass(frozen=True)
class AuditEntry:
    """How one job ended.

    Args:
        at: when, UTC, ISO 8601.
        job: its identifier.
        verb: what it did.
        machine: to which machine or tenant.
        by: the admin who asked for it.
        outcome: one of `raptorctl.model.job.Outcome`'s.
        wiped: the receipts of what it wiped.
        abandoned_by: the admin who gave it up, or "".
    """

    at: str
    job: str
    verb: str
    machine: str
    by: str
    outcome: str
    wiped: tuple[Mapping[str, Any], ...] = ()
    abandoned_by: str = ""

    @property
    def tenant(self) -> str:
        """Whose machine it was, or which tenant: no tenant's name has a hyphen."""
        return self.machine.partition("-")[0]


def parse_entry(line: str) -> AuditEntry | None:
    """Read one line, or None when it is none of ours: torn, edited, not JSON.

    Keys of later versions are passed over.
    """
    known = {field.name for field in fields(AuditEntry)}
    try:
        data = json.loads(line)
        return decode(AuditEntry, {k: v for k, v in data.items() if k in known})
    except (ValueError, AttributeError, ShapeError, RecursionError):
        return None


_AGO: Final = re.compile(r"([0-9]{1,5})([mhdw])", re.ASCII)
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_since(text: str, now: datetime) -> datetime:
    """Read since when: `7d`, `2026-11-20`, `2026-11-20T14:00` (UTC, unless it names its zone).

    Args:
        text: as typed; units are m, h, d and w.
        now: what `7d` counts back from.

    Raises:
        InputError: neither a duration nor a time.
    """
    if ago := _AGO.fullmatch(text):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"{shown(text)} is not a time", resolution="write 7d, 12h, or 2026-11-20T14:00"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
