"""Names: one grammar, one place where everything else is derived."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorctl.errors import InputError
from raptorctl.model.names import (
    MachineName,
    parse_machine,
    parse_tenant,
    parse_words,
    shown,
    split_domain,
    split_volume,
)

TENANTS = st.from_regex(r"\A[a-z][a-z0-9]{0,15}\Z").filter(lambda t: t.isascii())
MACHINES = st.from_regex(r"\A[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,5}){0,3}\Z").filter(
    lambda m: m.isascii() and not m.startswith(("del-", "wipe-"))
)


def test_everything_a_machine_is_called() -> None:
    name = MachineName("alice", "dev")
    assert (name.domain, name.volume, name.nvram) == (
        "alice-dev",
        "guest-alice-dev",
        "alice-dev_VARS.fd",
    )
    assert (
        name.fqdn("raptor.example") == name.fqdn("raptor.example.") == "alice-dev.raptor.example."
    )


@pytest.mark.parametrize(
    "text",
    ["", "Alice", "al-ice", "1alice", "a" * 17, "al.ice", "al ice", "alice\n", "alicé", "root", "al_ice",
     "аlice", "١", "guest", "a$", "-a"],
)  # fmt: skip
def test_what_is_not_a_tenant(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_tenant(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "Dev", "-dev", "dev-", "de--v", "xn--dev", "d/ev", "..", ".", "dev\n", "dev\0", "d v", "a" * 41,
     "wipe-x", "del-x", "dév", "1dev", "d_v", "\u202edev"],
)  # fmt: skip
def test_what_is_not_a_machine(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_machine("alice", text)
    assert str(caught.value).isprintable()


@given(TENANTS, MACHINES)
def test_a_domain_and_a_volume_split_back_into_their_machine(tenant: str, machine: str) -> None:
    name = MachineName(tenant, machine)
    assert split_domain(name.domain) == split_volume(name.volume) == name


def test_no_two_machines_share_a_domain() -> None:
    logins = ["a", "b", "aa", "ab"]
    machines = ["a", "b", "a-b", "b-a", "a-a-b", "ab"]
    domains = [MachineName(t, m).domain for t in logins for m in machines]
    assert len(set(domains)) == len(domains)


def test_both_ways_to_say_it() -> None:
    assert (
        parse_words(["alice", "dev"]) == parse_words(["alice-dev"]) == MachineName("alice", "dev")
    )
    assert parse_words(["alice-dev-2"]) == MachineName("alice", "dev-2")
    for words in ([], ["alice"], ["a", "b", "c"], ["-dev"]):
        with pytest.raises(InputError):
            parse_words(words)


@given(st.text())
def test_untrusted_text_is_shown_on_one_short_line(text: str) -> None:
    assert shown(text).isascii()
    assert shown(text).isprintable()
    assert len(shown(text)) <= 60
