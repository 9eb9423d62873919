"""What stays of a tenant who was removed: that their number was given, so that it never is again.

Whoever gets a uid gets what its last owner left: their files, setuid programs among them, shared
memory, and what journald kept for them.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from raptorctl.errors import SettingsError
from raptorctl.model.codec import ShapeError, decode, encode
from raptorctl.model.tenant import LAST_UID, RECORDS

REMOVED: Final = f"{RECORDS}/removed"
FIRST_UID: Final = 1000
"""login.defs(5), UID_MIN: accounts of people begin here."""


@dataclass(frozen=True)
class Tombstone:
    """A number that was a tenant's; the file in `REMOVED` is this as JSON.

    Args:
        uid: the number, of the account and of its group.
        name: whose it was.
        adopted: the account was there before us, stayed, and may be a tenant's again.
        job: the job that removed the tenant, or made them and is being rolled back.
        removed: when, UTC, ISO 8601; "" while a job is being rolled back.
        removed_by: the admin who did it; likewise.
    """

    uid: int
    name: str
    adopted: bool
    job: str
    removed: str = ""
    removed_by: str = ""


def tombstone_path(uid: int) -> str:
    """Where a number's tombstone is."""
    return f"{REMOVED}/{uid}.json"


def tombstone_text(tombstone: Tombstone) -> str:
    """What stands in its file."""
    return json.dumps(encode(tombstone), indent=2) + "\n"


def parse_tombstone(text: str, path: str) -> Tombstone:
    """Read its file.

    Args:
        text: JSON.
        path: its file, whose name must be the number.

    Raises:
        SettingsError: it is no tombstone. A number is not taken for free because of that.
    """
    try:
        tombstone = decode(Tombstone, json.loads(text))
    except ShapeError as error:
        raise SettingsError(path, error.key, error.problem) from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(path, "", f"is not JSON: {error}") from error
    if path != tombstone_path(tombstone.uid):
        raise SettingsError(path, "uid", f"{tombstone.uid} is not the number of this file")
    return tombstone


def next_uid(taken: Iterable[int]) -> int | None:
    """Return a number for an account: above all that are taken, or where that is none, a gap.

    Args:
        taken: by accounts, groups, tenants, and by tenants who were removed.
    """
    there = {number for number in taken if FIRST_UID <= number < LAST_UID}
    above = max(there, default=FIRST_UID - 1) + 1
    if above < LAST_UID:
        return above
    return next((number for number in range(FIRST_UID, LAST_UID) if number not in there), None)
