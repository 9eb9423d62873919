"""An admin's own user-data: read strictly, merged by rules that are told."""

import email
from typing import Any

import pytest
import yaml

from raptorctl.errors import InputError
from raptorctl.model.seed import Taken
from raptorctl.render.user_data import check, joined
from raptorctl.render.user_data_merge import merge

HEAD = "#cloud-config\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("packages: [vim]\n", "line 1 is 'packages: [vim]' and not #cloud-config"),
        ("", "line 1 is '' and not #cloud-config"),
        ("<!DOCTYPE html>\n", "not #cloud-config"),
        ("## template: jinja\n#cloud-config\n", "line 1 begins a jinja template, which is not taken without --allow-jinja"),
        ("#include\nhttps://example.org/x\n", "line 1 begins an include, which is not taken"),
        (f"{HEAD}packages:\n\t- vim\n", "line 3 has a tab where"),
        (f"{HEAD}a: &x [1]\nb: *x\n", "line 2 has an anchor or an alias"),
        (f"{HEAD}b: *x\n", "line 2 has an anchor or an alias"),
        (f"{HEAD}a: {{<<: {{b: 1}}}}\n", "line 2 has a merge key"),
        (f"{HEAD}a: 1\nb: 2\na: 3\n", "line 4 has 'a' a second time"),
        (f"{HEAD}a: [{{b: 1,\n b: 2}}]\n", "line 3 has 'b' a second time"),
        (f"{HEAD}a: 1\n---\nb: 2\n", "line 3 begins a second document"),
        (HEAD + "a: " + "[" * 50 + "]" * 50 + "\n", "line 2 is nested more than 40 deep"),
        (f"{HEAD}a: [1\n", "is not YAML"),
        (f"{HEAD}a: !!python/object/apply:os.system [x]\n", "line 2 has the tag"),
        (f"{HEAD}a: !!binary aGk=\n", "'binary', which is not taken, as it cannot be merged"),
        (f"{HEAD}a: !!set {{x}}\n", "line 2 has the tag 'set'"),
        (f'{HEAD}a: !!int "x"\n', "line 2: 'x' is not a valid int"),
        (f"{HEAD}a: 2001-99-99\n", "line 2: '2001-99-99' is not a valid timestamp; quote it"),
        (f"{HEAD}? [a]\n: b\n", "line 2 has a key that is not a word"),
        (f"{HEAD}- a\n", "not a table"),
        (f"{HEAD}a: x\x07y\n", "line 2 holds a control character"),
        (f"{HEAD}ssh_keys: {{}}\n", "ssh_keys is raptorctl's to say"),
        (f"{HEAD}merge_how: x\n", "merge_how is not taken"),
        (f"{HEAD}hostname: bad name\n", "hostname is not a name: 'bad name': use letters, digits"),
        (f"{HEAD}hostname: -web\n", "hostname is not a name: '-web'"),
        (f"{HEAD}hostname: a..b\n", "hostname is not a name: 'a..b'"),
        (f"{HEAD}fqdn: web_1.example.org\n", "fqdn is not a name: 'web_1.example.org'"),
        (HEAD + "a: '" + "x" * 1024 * 1024 + "'\n", "more than 1048576 bytes"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line_that_names_its_place(text: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        check(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_keys_of_numbers_stay_numbers_which_cloud_init_sorts_by() -> None:
    said = joined({}, f"{HEAD}snap: {{commands: {{2: b, 10: c, 00: a, '3': d}}}}\n")
    assert list(yaml.safe_load(said)["snap"]["commands"]) == [2, 10, 0, "3"]
    assert check(f"{HEAD}snap: {{commands: {{00: a}}}}\n").notes == ()
    assert "52:54:00:00:00:01" in check(f"{HEAD}a: {{52:54:00:00:00:01: x}}\n").notes[0]


def test_bytes_are_the_content_of_a_file_and_of_nothing_else() -> None:
    file = f"{HEAD}write_files:\n  - {{path: /k, encoding: gzip, content: !!binary %s}}\n"
    (written,) = yaml.safe_load(joined({}, file % "aGk="))["write_files"]
    assert written["content"] == b"hi"
    for wrong in ("aGk", "h\u00e4"):
        with pytest.raises(InputError, match="line 3 has the tag 'binary'"):
            check(file % wrong)


PRIVATE = f"{HEAD}write_files:\n  - path: /k\n    content: |\n      -----BEGIN RSA PRIVATE KEY-----\n      x\n"


def test_a_private_key_is_refused_unless_it_is_allowed() -> None:
    with pytest.raises(InputError, match=r"line 5 begins a private key.*--allow-private-key"):
        check(PRIVATE)
    with pytest.raises(InputError, match="private key"):
        check("#!/bin/sh\necho '-----BEGIN OPENSSH PRIVATE KEY-----'\n")
    assert check(PRIVATE, Taken(private_key=True)).config


def test_norway_stays_a_country_and_a_mac_an_address() -> None:
    text = (
        f"{HEAD}hostname: no\nmac_address: 52:54:00:00:00:01\nusers:\n  - {{name: on, uid: 1000}}\n"
    )
    read = check(text)
    assert [note.split(" is ")[0] for note in read.notes] == [
        "line 2: 'no'", "line 3: '52:54:00:00:00:01'", "line 5: 'on'",
    ]  # fmt: skip
    said = yaml.safe_load(joined({}, text))
    assert said == {
        "hostname": "no",
        "mac_address": "52:54:00:00:00:01",
        "users": [{"name": "on", "uid": 1000}],
    }


def test_numbers_and_truth_values_are_written_as_they_were() -> None:
    text = f"{HEAD}a: [24.10, 0644, 0x1F, yes, ~, 1_000, 2001-01-02, '24.10', \"yes\"]\n"
    out = joined({}, text)
    assert yaml.safe_load(out) == yaml.safe_load(text)
    assert "- 24.10\n" in out
    assert '- "24.10"\n' in out
    assert check(text).notes == ()


VECTORS: list[tuple[Any, Any, Any]] = [
    ({"a": [1]}, {"a": [2]}, {"a": [1, 2]}),
    ({"a": "x"}, {"a": "y"}, {"a": "y"}),
    ({"a": False}, {"a": True}, {"a": True}),
    ({"a": {"b": 1, "c": [1]}}, {"a": {"b": 2, "c": [2], "d": 3}}, {"a": {"b": 2, "c": [1, 2], "d": 3}}),
    ({"a": 1}, {}, {"a": 1}),
    ({}, {"a": 1}, {"a": 1}),
    ({"a": [{"n": 1}]}, {"a": [{"n": 1}]}, {"a": [{"n": 1}, {"n": 1}]}),
    ({"a": {"b": {"c": "x"}}}, {"a": {"b": {"d": "y"}}}, {"a": {"b": {"c": "x", "d": "y"}}}),
]  # fmt: skip
MIXED: list[tuple[Any, Any, Any]] = [
    ({"users": [1]}, {"users": "default"}, {"users": "default"}),
    ({"a": {"b": 1}}, {"a": [1]}, {"a": [1]}),
    ({"a": {"b": 1}}, {"a": None}, {"a": {"b": 1}}),
    ({"a": "x"}, {"a": {"b": 1}}, {"a": {"b": 1}}),
]


@pytest.mark.parametrize(("ours", "theirs", "merged"), VECTORS + MIXED)
def test_tables_are_merged_lists_joined_and_else_theirs_is_taken(
    ours: Any, theirs: Any, merged: Any
) -> None:
    assert merge(ours, theirs) == merged


def test_a_script_goes_beside_our_config() -> None:
    script = "#!/bin/sh\necho ä > /root/x\n"
    whole = email.message_from_string(joined({"hostname": "dev"}, script))
    parts = [part for part in whole.walk() if not part.is_multipart()]
    assert [part.get_content_type() for part in parts] == [
        "text/cloud-config",
        "text/x-shellscript",
    ]
    config, sent = (part.get_payload(decode=True) for part in parts)
    assert isinstance(config, bytes)
    assert yaml.safe_load(config) == {"hostname": "dev"}
    assert isinstance(sent, bytes)
    assert sent.decode() == script
    assert joined({"hostname": "dev"}, script) == joined({"hostname": "dev"}, script)


def test_without_a_file_there_is_ours_alone() -> None:
    assert joined({"hostname": "dev"}, "") == '#cloud-config\nhostname: "dev"\n'
    assert joined({"swap": 1}, HEAD) == "#cloud-config\nswap: 1\n"


@pytest.mark.parametrize("name", ["web", "Web-1", "web.example.org", "web.example.org.", "7"])
def test_a_host_name_is_taken(name: str) -> None:
    assert check(f"{HEAD}hostname: {name}\n").config == {"hostname": name}
