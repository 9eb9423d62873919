"""Shares as nouns and as the file that polkit's rule reads: what is not as we wrote it counts not."""

import json
from dataclasses import replace

import pytest

from raptorctl.errors import InputError, SettingsError
from raptorctl.model.share import (
    Grant,
    Share,
    Shares,
    parse_shares,
    parse_until,
    shares_text,
    until_of,
)

UUID = "1c7e9e6e-3c7a-4f43-9b6e-1d1a3c0a5b11"
NOW = "2026-11-29T12:30:00Z"
SHARE = Share(
    "alice-dev", UUID, "bob", Grant.CONSOLE, "2027-01-31T00:00:00Z", "j1", NOW, "carol"
)  # fmt: skip


def test_what_is_written_is_read_again_in_one_order() -> None:
    others = [replace(SHARE, tenant="eve", until=""), replace(SHARE, grant=Grant.OPERATE)]
    assert parse_shares(shares_text([SHARE])) == (SHARE,)
    assert parse_shares(shares_text(others)) == (others[1], others[0])
    assert parse_shares(shares_text([])) == ()


def test_the_file_is_an_assignment_of_a_list() -> None:
    comment, assignment = shares_text([SHARE]).split("\n", 1)
    assert comment.startswith("// Written by raptorctl")
    name, _, value = assignment.partition(" = ")
    assert name == "raptorctlShares"
    assert json.loads(value.rstrip().removesuffix(";")) == [
        {
            "machine": "alice-dev", "uuid": UUID, "tenant": "bob", "grant": "console",
            "until": "2027-01-31T00:00:00Z", "job": "j1", "created": NOW, "created_by": "carol",
        }
    ]  # fmt: skip


GOOD = shares_text([SHARE])


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", GOOD + " ", GOOD.replace("// W", "// w"), GOOD.replace("];", "]"),
        GOOD.replace('"bob"', '"b*"'), GOOD.replace('"bob"', '"al-ice"'),
        GOOD.replace('"bob"', '"alice"'), GOOD.replace('"alice-dev"', '"alice"'),
        GOOD.replace('"alice-dev"', '"alice-"'), GOOD.replace(UUID, UUID[:-1]),
        GOOD.replace(UUID, ""), GOOD.replace("console", "write"), GOOD.replace("00Z", "00"),
        GOOD.replace('"2027-01-31T00:00:00Z"', "null"), GOOD.replace(', "job": "j1"', ""),
        GOOD.replace('"job"', '"more": 1, "job"'), GOOD.replace("];", "]; evil();"),
        GOOD.replace("\n];", f",\n{json.dumps({})}\n];"),
        GOOD.replace("\n];", ",\n" + GOOD.splitlines()[2] + "\n];"),
        "[" * 100_000,
    ],
    ids=range(21),
)  # fmt: skip
def test_what_is_not_as_we_wrote_it_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="12-raptorctl-shares"):
        parse_shares(text)


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("2027-01-31", "2027-01-31T00:00:00Z"), ("90d", "2027-02-27T00:00:00Z"),
        ("1w", "2026-12-06T00:00:00Z"), ("12h", "2026-11-30T00:30:00Z"), ("never", ""), ("", ""),
    ],
)  # fmt: skip
def test_until_is_a_moment(text: str, until: str) -> None:
    assert until_of(parse_until(text) if text else "", NOW) == until


@pytest.mark.parametrize("text", ["", "h", "0h", "-1h", "1.5h", "tomorrow", "2027-02-30", "2027"])
def test_what_is_no_end_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no end"):
        parse_until(text)


@pytest.mark.parametrize(
    ("at", "over"),
    [
        ("2027-01-30T23:59:59Z", False),
        ("2027-01-31T00:00:00Z", True),
        ("2027-01-31T00:00:01Z", True),
    ],
)
def test_a_share_is_over_at_the_moment_that_it_says(at: str, over: bool) -> None:
    assert SHARE.is_over(at) is over
    assert not replace(SHARE, until="").is_over(at)
    assert Shares((SHARE,)).at(at) == (() if over else (SHARE,))


def test_whom_a_share_is_about() -> None:
    shares = Shares((SHARE,))
    assert shares.of_tenant("alice") == shares.of_tenant("bob") == (SHARE,)
    assert shares.of_tenant("ali") == shares.of_tenant("eve") == ()
    assert shares.of_machine("alice-dev") == (SHARE,)
    assert shares.of_machine("alice-de") == ()
    assert shares.find("alice-dev", UUID, "bob") == SHARE
    assert shares.find("alice-dev", UUID.replace("1", "2"), "bob") is None
    assert (SHARE.told, SHARE.day) == ("until 2027-01-31", "2027-01-31")
    assert replace(SHARE, until="").told == "for ever"
    assert SHARE.same(replace(SHARE, job="j9", created_by="root"))
    assert not SHARE.same(replace(SHARE, until=""))
