"""Neighbours, addresses, host keys and the order of steps."""

from pathlib import Path

import pytest

from raptorctl.errors import InputError, RefusedError
from raptorctl.host.guest.guests import parse_neighbours
from raptorctl.model.domain import Domain, Mark
from raptorctl.model.guest import (
    Endpoint,
    Neighbour,
    addresses,
    endpoint,
    found_at,
    is_there,
)
from raptorctl.model.guest_step import GuestStep, in_order, inline
from raptorctl.model.host_key import known, learned
from raptorctl.model.ssh_key import PublicKey, parse_keys
from tests.fakes import settings
from tests.unit.model.test_ssh_key import GOOD

SLOT = settings().slot[0]
OTHER = "52:54:00:00:00:02"
KEY = parse_keys(GOOD)[0]
ANOTHER = PublicKey(KEY.type, KEY.blob[:-6] + "AAAAAA", "x")


def neighbour(address: str, mac: str, *states: str) -> Neighbour:
    return Neighbour(address, mac, frozenset(states))


def domain(slot: int = 1, host_key: str = "") -> Domain:
    mark = Mark("alice", "dev", slot, "j", "", "", "", host_key=host_key)
    return Domain("u", "alice-dev", mark=mark)


def test_what_ip_prints_is_read() -> None:
    text = (
        '[{"dst":"198.51.100.1","lladdr":"52:54:00:00:00:01","state":["REACHABLE"]},'
        '{"dst":"198.51.100.9","state":["FAILED"]}]'
    )
    first, second = parse_neighbours(text)
    assert first == neighbour("198.51.100.1", SLOT.mac, "REACHABLE")
    assert second == neighbour("198.51.100.9", "", "FAILED")
    assert parse_neighbours("") == parse_neighbours("[ ]") == ()


def test_the_first_neighbour_on_a_bridge_is_nobody_unless_it_has_the_slots_mac() -> None:
    table = (neighbour("198.51.100.7", OTHER, "REACHABLE"), neighbour("198.51.100.8", "", "FAILED"))
    assert found_at(SLOT.mac, table) == ()
    assert not is_there(SLOT, "198.51.100.7", table, answered=True)
    taken = (neighbour("198.51.100.1", OTHER, "REACHABLE"),)
    assert not is_there(SLOT, "198.51.100.1", taken, answered=True)


@pytest.mark.parametrize(
    ("state", "answered", "there"),
    [
        ("REACHABLE", False, True),
        ("STALE", False, False),
        ("STALE", True, True),
        ("FAILED", True, False),
    ],
)
def test_an_entry_of_a_machines_life_before_is_no_answer(
    state: str, answered: bool, there: bool
) -> None:
    table = (neighbour("198.51.100.1", SLOT.mac, state),)
    assert is_there(SLOT, "198.51.100.1", table, answered=answered) is there


def test_an_address_is_told_with_all_who_say_so() -> None:
    table = (neighbour("198.51.100.1", SLOT.mac, "STALE"), neighbour("fe80::1", SLOT.mac, "STALE"))
    found = addresses(SLOT, table, ("198.51.100.1", "10.0.0.1"))
    assert [(one.address, one.sources) for one in found] == [
        ("198.51.100.1", ("slot", "neighbour", "agent")),
        ("2001:db8:0:1::1", ("slot",)),
        ("fe80::1", ("neighbour",)),
        ("10.0.0.1", ("agent",)),
    ]


def test_the_ssh_server_is_at_the_slots_first_address() -> None:
    assert endpoint(domain(), settings()) == Endpoint("198.51.100.1", 22)
    assert str(Endpoint("2001:db8::1")) == "[2001:db8::1]:22"
    with pytest.raises(RefusedError, match="slot 77"):
        endpoint(domain(slot=77), settings())


def told(*keys: str) -> str:
    lines = "\r\n".join(keys)
    return f"noise\r\n-----BEGIN SSH HOST KEY KEYS-----\r\n{lines}\r\n-----END SSH HOST KEY KEYS-----\r\n"


def test_host_keys_are_learned_from_the_last_block_on_the_console() -> None:
    console = (
        told(f"{ANOTHER} root@old") + "more\r\n" + told(f"{KEY.type} {KEY.blob} root@alice-dev")
    )
    assert [key.blob for key in learned(console)] == [KEY.blob]
    assert learned("") == learned(console[: console.rindex("END")][-60:]) == ()
    assert learned(told("ssh-ed25519 AAAAgarbage x")) == ()


@pytest.mark.timeout(60)
def test_blocks_that_never_end_are_passed_over_in_time() -> None:
    endless = "-----BEGIN SSH HOST KEY KEYS-----" * 60_000
    assert learned(endless) == ()
    assert learned(endless + told(f"{KEY.type} {KEY.blob}"))


def test_the_mark_goes_before_the_console_and_without_either_nobody_is_trusted() -> None:
    marked = known(domain(host_key=f"{KEY.type} {KEY.blob}"), told(str(ANOTHER)))
    assert [key.blob for key in marked] == [KEY.blob]
    with pytest.raises(RefusedError, match="raptorctl why alice-dev"):
        known(domain(), "nothing of use")


def test_steps_keep_the_order_in_which_they_were_typed() -> None:
    typed = "run alice dev --run a.sh --copy=x:/y --inline=id --user --run=b.sh -- --copy".split()
    steps = in_order(typed, {"--run": ["a.sh", "b.sh"], "--inline": ["id"], "--copy": ["x:/y"]})
    assert [s.title for s in steps] == ["run a.sh", "copy x to /y", "run id", "run b.sh"]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("id", "run id"),
        ("\n  echo one\nexit 1\n", "run echo one …"),
        ("#!/usr/bin/python3\nprint(1)", "run print(1)"),
        ("x" * 60, "run " + "x" * 49 + "…"),
    ],
)
def test_lines_of_a_shell_are_called_by_the_first(text: str, title: str) -> None:
    step = inline(text)
    assert step.title == title
    assert step.text.startswith("#!")
    assert step.text.endswith(f"{text}\n")


def test_nothing_is_no_step() -> None:
    with pytest.raises(InputError, match="--inline"):
        in_order(["--inline"], {"--inline": [" "]})


def test_a_copy_is_split_at_its_last_colon() -> None:
    assert in_order(["--copy"], {"--copy": ["a:b:/c"]}) == (GuestStep(Path("a:b"), "/c"),)


@pytest.mark.parametrize("copied", ["", "x", "x:", ":/y", "x:/y\nz", "x:/\0"])
def test_a_copy_without_two_ends_is_refused(copied: str) -> None:
    with pytest.raises(InputError, match="--copy"):
        in_order(["--copy"], {"--copy": [copied]})
