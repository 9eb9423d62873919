"""One line of JSON: what it may say, and that all else is one line of complaint."""

import json
from typing import Any

import pytest

from raptorctl.errors import InputError
from raptorctl.model.petition import Petition
from raptorctl.model.sizes import GIB, Size
from raptorctl.read.petition import CHANGES, LONGEST_TEXT, READS, Letter, parse_letter

DEV = {"verb": "provision", "machine": "dev"}


def read(**said: Any) -> Letter:
    return parse_letter(json.dumps(said).encode())


def test_all_that_can_be_said_of_a_new_machine() -> None:
    letter = read(
        **DEV,
        size="20G",
        cpus="2",
        memory="4G",
        image="debian:13",
        profile=["web-server", "small"],
        expires="30d",
        user_data="#!/bin/sh\n",
        keys="ssh-ed25519 AAAA",
        no_start=True,
        dry_run=True,
        agreed="0" * 64,
    )
    size, memory = Size(20 * GIB), Size(4 * GIB)
    assert letter == Letter(
        "provision",
        Petition(
            "provision", "dev", size, 2, memory, "debian:13", ("web-server", "small"), "30d",
            "#!/bin/sh\n", "ssh-ed25519 AAAA", no_start=True,
        ),
        dry_run=True,
        agreed="0" * 64,
    )  # fmt: skip


def test_all_that_can_be_said_of_a_share() -> None:
    said = {"machine": "dev", "other": "bob"}
    letter = read(verb="share", **said, grant="operate", until="12h")
    wanted = Petition("share", "dev", other="bob", grant="operate", until="12h")
    assert letter.petition == wanted
    assert read(verb="share-end", **said).petition == Petition("share-end", "dev", other="bob")
    with pytest.raises(InputError, match="share needs grant"):
        read(verb="share", **said)
    with pytest.raises(InputError, match="share-end needs other"):
        read(verb="share-end", machine="dev")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("other", "b*"), ("other", "al-ice"), ("other", "root"), ("other", ["bob"]),
        ("other", "Bob"), ("other", ""), ("grant", "all"), ("grant", "console\n"),
        ("grant", True), ("until", "soon"), ("until", ""), ("until", 7), ("until", "9" * 200),
        ("uuid", "x"), ("tenant", "bob"),
    ],
)  # fmt: skip
def test_what_is_no_share_is_refused_and_named(key: str, value: Any) -> None:
    said = {"verb": "share", "machine": "dev", "other": "bob", "grant": "console", key: value}
    with pytest.raises(InputError, match=key):
        read(**said)


def test_what_was_asked_before_is_named_by_its_identifier() -> None:
    assert read(verb="list") == Letter("list")
    assert read(verb="show", id="20261129-204501-a1b2").id == "20261129-204501-a1b2"


@pytest.mark.parametrize("verb", sorted(CHANGES))
def test_a_change_names_a_machine(verb: str) -> None:
    with pytest.raises(InputError, match=r"needs .*machine"):
        read(verb=verb)


NOT_SAID = (
    "tenant slot bridge net disk disks iso template graphics path cdrom hugepages emulator_cpus "
    "share run settings by uid owner vendor_data network_config keep approve sudo"
).split()


@pytest.mark.parametrize("verb", sorted({*CHANGES, *READS}))
@pytest.mark.parametrize("key", NOT_SAID)
def test_there_is_no_word_for_what_is_the_hosts(verb: str, key: str) -> None:
    with pytest.raises(InputError, match=f"'{key}' cannot be said of {verb}"):
        read(verb=verb, machine="dev", **{key: "x"}) if verb in CHANGES else read(
            verb=verb, **{key: "x"}
        )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("machine", "../etc"),
        ("machine", "Dev"),
        ("machine", "a" * 41),
        ("machine", "dev\n"),
        ("machine", ["dev"]),
        ("machine", None),
        ("size", 20),
        ("size", "20"),
        ("size", "-1G"),
        ("size", "9" * 500),
        ("cpus", "4-7"),
        ("cpus", "0"),
        ("cpus", 2),
        ("memory", "1K"),
        ("image", "/etc/shadow"),
        ("image", "./x"),
        ("image", "https://mallory.example/x.qcow2"),
        ("image", "oci://mallory.example/x"),
        ("image", "a..b"),
        ("image", "5eed5eed5eed"),
        ("image", "sha256:5eed5eed5eed"),
        ("image", "x\u0000"),
        ("profile", "web-server"),
        ("profile", ["/tmp/x.toml"]),
        ("profile", ["../x"]),
        ("profile", []),
        ("profile", ["x"] * 5),
        ("profile", [["x"]]),
        ("expires", "tomorrow"),
        ("user_data", "x" * (LONGEST_TEXT + 1)),
        ("user_data", "\ud800"),
        ("keys", 1),
        ("no_start", "yes"),
        ("no_start", False),
        ("dry_run", 1),
        ("agreed", "x"),
    ],
)
def test_what_is_none_is_refused_and_named(key: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"^{key}|^'{key}'|^profile|is not a template"):
        read(**{**DEV, key: value})


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\x00",
        b"\xff\xfe",
        b"junk",
        b"[]",
        b"null",
        b"12",
        b"1" * 10_000,
        b"[" * 100_000,
        b'{"verb":' * 10_000,
        b'{"verb": "list", "verb": "show"}',
        b'{"verb": NaN}',
        b'{"verb": ["list"]}',
        b'{"verb": "provision approve"}',
        b'{"verb": "approve", "id": "20261129-204501-a1b2"}',
        b'{"verb": "show", "id": "../../etc/shadow"}',
        b'{"verb": "show"}',
        b"{}",
    ],
)
def test_junk_is_one_line(line: bytes) -> None:
    with pytest.raises(InputError) as caught:
        parse_letter(line)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300
