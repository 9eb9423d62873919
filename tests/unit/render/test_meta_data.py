"""An admin's own meta-data: below ours, and nothing that would put the seed aside."""

import pytest

from raptorctl.errors import InputError
from raptorctl.model.seed import Taken
from raptorctl.render.meta_data import check_meta, meta_data, names_guest

KEY = "k: |\n  -----BEGIN OPENSSH PRIVATE KEY-----\n"


def test_ours_counts_and_a_name_of_theirs_does_where_we_say_none() -> None:
    text = "instance-id: x\nlocal-hostname: web\nrack: 7\n"
    assert meta_data(text, "i", "dev") | {"rack": 0} == {
        "instance-id": "i", "local-hostname": "dev", "rack": 0,
    }  # fmt: skip
    assert meta_data(text, "i", "")["local-hostname"] == "web"
    assert names_guest(text)
    assert not names_guest("rack: 7\n")
    assert not names_guest(None)
    assert meta_data(None, "i", "dev") == {"instance-id": "i", "local-hostname": "dev"}


def test_what_has_no_effect_is_noted() -> None:
    assert check_meta("dsmode: local\nrack: 7\n") == ()
    (note,) = check_meta("instance-id: x\n")
    assert "raptorctl's own is used" in note


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- a\n", "meta-data is not a table of keys"),
        ("seedfrom: http://192.0.2.1/\n", "seedfrom has cloud-init read another seed"),
        ("network-interfaces: auto eth0\n", "network-interfaces has no effect"),
        ("dsmode: disabled\n", "dsmode is local or net, not 'disabled'"),
        ("dsmode: no\n", "dsmode is local or net, not 'no'"),
        ("local-hostname: a_b\n", "local-hostname is not a name: 'a_b'"),
        (KEY, "line 2 begins a private key"),
    ],
)
def test_what_cannot_be_is_refused(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        check_meta(text)


def test_a_private_key_is_taken_where_it_is_allowed() -> None:
    assert check_meta(KEY, Taken(private_key=True)) == ()
