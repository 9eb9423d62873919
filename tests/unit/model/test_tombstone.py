"""Numbers that were given: read strictly, and the next is none of them."""

import json

import pytest

from raptorctl.errors import SettingsError
from raptorctl.model.tenant import LAST_UID
from raptorctl.model.tombstone import (
    Tombstone,
    next_uid,
    parse_tombstone,
    tombstone_path,
    tombstone_text,
)

GONE = Tombstone(1000, "alice", False, "j1", "2026-11-28T12:00:00Z", "carol")
PATH = tombstone_path(1000)


def test_what_is_written_reads_back() -> None:
    assert PATH == "/etc/raptorctl/tenants/removed/1000.json"
    assert parse_tombstone(tombstone_text(GONE), PATH) == GONE


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not JSON"),
        ("{}", "uid"),
        (json.dumps({**json.loads(tombstone_text(GONE)), "uid": "1000"}), "uid"),
        (json.dumps({**json.loads(tombstone_text(GONE)), "colour": 1}), "colour"),
        (tombstone_text(GONE).replace("1000", "1001"), "1001 is not the number of this file"),
    ],
)
def test_a_damaged_one_is_an_error_and_no_free_number(text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        parse_tombstone(text, PATH)
    assert str(caught.value).startswith(PATH)


@pytest.mark.parametrize(
    ("taken", "following"),
    [
        ([], 1000),
        ([0, 33, 999, 65534, 100000], 1000),
        ([1000, 1005], 1006),  # the gap may be of somebody whom nobody remembers
        ([LAST_UID - 1, 1000, 1001], 1002),
        (range(1000, LAST_UID), None),
    ],
)
def test_the_next_is_above_all_that_were_given(taken: list[int], following: int | None) -> None:
    assert next_uid(taken) == following
