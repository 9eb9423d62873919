"""Wildcards, aliases, delegations and other zones on a real named: what is a record at the name."""

from pathlib import Path

import pytest

from raptorctl.errors import ConflictError
from raptorctl.model.record import Record
from tests.integration.dns_samples import DUG, NAME, OURS, PAIRS, POINTER4, POINTER6, Client
from tests.integration.named import REVERSE4, REVERSE6, ZONE, ZONES, Named, running_named

ABOVE6 = POINTER6.name.partition(".")[2]


@pytest.mark.parametrize(
    "made_up",
    ["A 192.0.2.99", "AAAA 2001:db8::99", 'TXT "v=spf1 -all"', f"CNAME www.{ZONE}", "MX 1 mail."],
)
def test_a_wildcard_is_no_record_at_the_name_and_hinders_nobody(
    named: Named, client: Client, made_up: str
) -> None:
    named.nsupdate(f"update add *.{ZONE} 60 {made_up}", f"update add www.{ZONE} 60 A 192.0.2.1")
    assert client().lookup(PAIRS) == ()
    client().add(ZONE, OURS)
    assert client().lookup(PAIRS) == tuple(sorted(OURS))
    assert named.dig(NAME, "ANY") == DUG
    client().remove(ZONE, OURS)
    assert client().lookup(PAIRS) == ()


@pytest.mark.parametrize(
    "target",
    [f"nowhere.{ZONE}", NAME, f"*.{ZONE}", f"no.www.{ZONE}"],
    ids=["circle", "the name itself", "the wildcard itself", "no such name"],
)
def test_a_wildcard_alias_that_leads_nowhere_hinders_nobody(
    named: Named, client: Client, target: str
) -> None:
    named.nsupdate(f"update add *.{ZONE} 60 CNAME {target}", f"update add www.{ZONE} 60 TXT hello")
    assert client().lookup(PAIRS) == ()
    client().add(ZONE, OURS)
    assert client().lookup(PAIRS) == tuple(sorted(OURS))
    client().remove(ZONE, OURS)
    assert client().lookup(PAIRS) == ()


def test_an_alias_at_the_name_that_leads_round_in_a_circle_is_a_record(
    named: Named, client: Client
) -> None:
    named.nsupdate(f"update add {NAME} 60 CNAME {NAME}")
    assert client().lookup(PAIRS) == (Record(NAME, "CNAME", NAME),)


def test_a_wildcard_in_a_reverse_zone_is_no_pointer(named: Named, client: Client) -> None:
    named.nsupdate(f"update add *.{REVERSE4} 60 PTR generic.isp.example.")
    named.nsupdate(f"update add *.{REVERSE6} 60 PTR generic.isp.example.")
    pairs = [(POINTER4.name, "PTR"), (POINTER6.name, "PTR")]
    assert client().lookup(pairs) == ()
    client().add(REVERSE4, [POINTER4])
    client().add(REVERSE6, [POINTER6])
    assert client().lookup(pairs) == tuple(sorted([POINTER4, POINTER6]))


def test_a_record_that_says_what_the_wildcard_says_is_a_record(
    named: Named, client: Client
) -> None:
    named.nsupdate(
        f"update add *.{ZONE} 60 A 192.0.2.99",
        f"update add {NAME} 60 A 192.0.2.99",
        "send",
        f"update add *.{REVERSE4} 60 PTR generic.isp.example.",
        f"update add {POINTER4.name} 60 PTR generic.isp.example.",
    )
    found = client().lookup([*PAIRS, (POINTER4.name, "PTR")])
    assert found == (
        Record(POINTER4.name, "PTR", "generic.isp.example."),
        Record(NAME, "A", "192.0.2.99"),
    )
    with pytest.raises(ConflictError, match=r"it has A 192\.0\.2\.99"):
        client().add(ZONE, OURS)


def test_asking_whether_a_name_is_made_up_changes_nothing(named: Named, client: Client) -> None:
    named.nsupdate(f"update add *.{ZONE} 60 A 192.0.2.99")
    before = named.serial(ZONE)
    client().lookup(PAIRS)
    assert named.serial(ZONE) == before


def test_a_record_at_the_name_keeps_the_wildcards_other_types_away(
    named: Named, client: Client
) -> None:
    named.nsupdate(f"update add *.{ZONE} 60 TXT hello", f"update add {NAME} 60 A 192.0.2.7")
    assert client().lookup(PAIRS) == (Record(NAME, "A", "192.0.2.7"),)


def test_a_name_of_other_types_is_in_use(named: Named, client: Client) -> None:
    named.nsupdate(f"update add {NAME} 60 MX 1 mail.example.")
    assert client().lookup(PAIRS) == (Record(NAME, "MX", "1 mail.example."),)


def test_a_name_that_only_has_names_below_it_is_free(named: Named, client: Client) -> None:
    named.nsupdate(f"update add *.{ZONE} 60 A 192.0.2.99", f"update add www.{NAME} 60 A 192.0.2.1")
    assert client().lookup(PAIRS) == ()
    client().add(ZONE, OURS)
    assert client().lookup(PAIRS) == tuple(sorted(OURS))


def test_a_wildcard_far_above_or_beside_is_judged_alike(named: Named, client: Client) -> None:
    named.nsupdate(
        f"update add *.{ABOVE6} 60 PTR generic.isp.example.",
        "send",
        f"update add *.1.{REVERSE4} 60 PTR generic.isp.example.",
    )
    assert client().lookup([(POINTER6.name, "PTR"), (POINTER4.name, "PTR")]) == ()


def test_a_dname_is_told_by_the_name_that_has_it(named: Named, client: Client) -> None:
    named.nsupdate(f"update add {ABOVE6} 60 DNAME hosts.elsewhere.example.")
    found = client().lookup([(POINTER6.name, "PTR")])
    assert found == (Record(ABOVE6, "DNAME", "hosts.elsewhere.example."),)
    client().add(REVERSE6, [POINTER6])
    assert POINTER6 not in client().lookup([(POINTER6.name, "PTR")]), "it would be seen below one"


def test_a_delegation_at_or_above_the_name_is_told_by_the_name_that_has_it(
    named: Named, client: Client
) -> None:
    named.nsupdate(
        f"update add {ABOVE6} 60 NS ns.elsewhere.example.",
        "send",
        f"update add {NAME} 60 NS ns.elsewhere.example.",
    )
    assert client().lookup([*PAIRS, (POINTER6.name, "PTR")]) == (
        Record(ABOVE6, "NS", "ns.elsewhere.example."),
        Record(NAME, "NS", "ns.elsewhere.example."),
    )


@pytest.mark.parametrize("wildcard", [False, True])
def test_a_zone_below_ours_on_the_same_server_is_told_by_its_soa(
    tmp_path: Path, wildcard: bool
) -> None:
    """Named answers from the closest zone that it has, whether ours delegates it or not."""
    with running_named(tmp_path, (*ZONES, POINTER4.name)) as named:
        client = Client(named)
        named.nsupdate(f"update add *.{REVERSE4} 60 PTR generic.isp.example.")
        named.nsupdate(f"update add {POINTER4.name} 60 PTR other.raptor.example.")
        if wildcard:
            named.nsupdate(f"update add *.{POINTER4.name} 60 PTR other.raptor.example.")
        for name in (POINTER4.name, f"x.{POINTER4.name}"):
            (found,) = client().lookup([(name, "PTR")])
            assert (found.name, found.type) == (POINTER4.name, "SOA")
