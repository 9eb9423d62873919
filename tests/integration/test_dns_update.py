"""raptorctl's records on a real named; what happened is told by `dig`, not by our own code."""

import pytest

from raptorctl.errors import ConflictError, InputError
from raptorctl.host.dns.talk import DeclinedError
from raptorctl.host.dns.update import DnsServer
from raptorctl.model.record import Record, forward_records
from raptorctl.model.settings import Dns
from tests.integration.dns_samples import (
    DUG,
    NAME,
    OURS,
    OWNER,
    PAIRS,
    POINTER4,
    POINTER6,
    V4,
    V6,
    Client,
)
from tests.integration.named import REVERSE4, REVERSE6, ZONE, Named, free_port
from tests.integration.relay import forward, relay


def test_what_is_added_is_exactly_what_dig_sees(named: Named, client: Client) -> None:
    client().add(ZONE, OURS)
    client().add(REVERSE4, [POINTER4])
    client().add(REVERSE6, [POINTER6])
    assert named.dig(NAME, "ANY") == DUG
    assert named.dig(POINTER4.name, "ANY") == {f"300 PTR {NAME}"}
    assert named.dig(POINTER6.name, "ANY") == {f"300 PTR {NAME}"}


def test_what_is_added_is_what_lookup_returns(client: Client) -> None:
    client().add(ZONE, OURS)
    assert client().lookup(PAIRS) == tuple(sorted(OURS))


def test_lookup_of_names_that_are_not_there_is_empty(named: Named, client: Client) -> None:
    named.nsupdate(f"update add www.{NAME} 60 TXT hello")
    assert client().lookup([(NAME, "A"), (f"nobody.{ZONE}", "AAAA"), (POINTER6.name, "PTR")]) == ()


def test_lookup_normalises_what_somebody_else_wrote(named: Named, client: Client) -> None:
    named.nsupdate(
        f'update add {NAME} 60 TXT "one " "two"',
        f"update add ALICE-DEV.{ZONE} 60 AAAA 2001:0db8:0:0:0:0:0:00AA",
        "send",
        f"update add {POINTER4.name} 60 PTR Mail.Raptor.Example.",
    )
    found = client().lookup([(NAME, "TXT"), (NAME, "AAAA"), (POINTER4.name, "PTR")])
    assert set(found) == {
        Record(NAME, "TXT", "one two"),
        Record(NAME, "AAAA", "2001:db8::aa"),
        Record(POINTER4.name, "PTR", "mail.raptor.example."),
    }


def test_lookup_shows_a_cname_and_does_not_follow_it(named: Named, client: Client) -> None:
    named.nsupdate(
        f"update add {NAME} 60 CNAME www.{ZONE}", f"update add www.{ZONE} 60 A 192.0.2.1"
    )
    assert client().lookup([(NAME, "A")]) == (Record(NAME, "CNAME", f"www.{ZONE}"),)


def test_lookup_uses_one_connection_for_many_questions(named: Named, client: Client) -> None:
    client().add(ZONE, OURS)
    with relay(lambda request: forward(named.port, request)) as between:
        assert len(client(port=between.port).lookup(PAIRS)) == 3
    assert between.connections == 1


def test_lookup_outside_the_servers_zones_says_so(client: Client) -> None:
    with pytest.raises(DeclinedError, match=r"(?s)elsewhere\.example.*not authoritative"):
        client().lookup([("host.elsewhere.example.", "A")])


def test_lookup_below_a_delegation_shows_the_delegation(named: Named, client: Client) -> None:
    named.nsupdate(f"update add lab.{ZONE} 60 NS ns.elsewhere.example.")
    found = client().lookup([(f"host.lab.{ZONE}", "A")])
    assert found == (Record(f"lab.{ZONE}", "NS", "ns.elsewhere.example."),)


def test_adding_twice_changes_nothing(named: Named, client: Client) -> None:
    client().add(ZONE, OURS)
    serial = named.serial(ZONE)
    client().add(ZONE, OURS)
    assert named.serial(ZONE) == serial
    assert named.dig(NAME, "ANY") == DUG


def test_adding_nothing_asks_nobody(client: Client) -> None:
    client(port=free_port()).add(ZONE, [])


@pytest.mark.parametrize(
    ("foreign", "said"),
    [
        ("A 198.51.100.77", "has A 198.51.100.77"),
        ("AAAA 2001:db8::77", "has AAAA 2001:db8::77"),
        ('TXT "v=spf1 -all"', "has TXT 'v=spf1 -all'"),
        ("MX 10 mail.elsewhere.example.", "has MX '10 mail.elsewhere.example.'"),
        ("CNAME www.raptor.example.", "has CNAME 'www.raptor.example.'"),
    ],
)
def test_a_name_in_foreign_use_is_a_conflict_that_names_it_and_is_not_touched(
    named: Named, client: Client, foreign: str, said: str
) -> None:
    named.nsupdate(f"update add {NAME} 60 {foreign}")
    with pytest.raises(ConflictError) as caught:
        client().add(ZONE, OURS)
    assert NAME in caught.value.brief
    assert said in caught.value.brief
    assert named.dig(NAME, "ANY") == {f"60 {foreign}"}


def test_a_foreign_name_is_a_conflict_even_without_records_of_our_types(
    named: Named, client: Client
) -> None:
    named.nsupdate(f"update add {NAME} 60 AAAA 2001:db8::77")
    with pytest.raises(ConflictError, match="AAAA 2001:db8::77"):
        client().add(ZONE, forward_records(NAME, [V4], OWNER))
    assert named.dig(NAME, "ANY") == {"60 AAAA 2001:db8::77"}


def test_a_foreign_pointer_is_a_conflict(named: Named, client: Client) -> None:
    named.nsupdate(f"update add {POINTER4.name} 60 PTR mail.{ZONE}")
    with pytest.raises(ConflictError, match=r"has PTR mail\.raptor\.example\."):
        client().add(REVERSE4, [POINTER4])
    assert named.dig(POINTER4.name, "PTR") == {f"60 PTR mail.{ZONE}"}


def test_the_same_name_of_another_job_is_a_conflict(named: Named, client: Client) -> None:
    client().add(ZONE, OURS)
    other = forward_records(NAME, [V4, V6], OWNER.replace("j1", "j2"))
    with pytest.raises(ConflictError, match="job=j1"):
        client().add(ZONE, other)
    assert named.dig(NAME, "ANY") == DUG


def test_one_name_in_use_keeps_all_records_of_the_message_out(named: Named, client: Client) -> None:
    named.nsupdate(f"update add {NAME} 60 A 198.51.100.77")
    free = Record(f"bob-web.{ZONE}", "A", "198.51.100.2")
    with pytest.raises(ConflictError):
        client().add(ZONE, [free, *OURS])
    assert named.dig(free.name, "ANY") == set()


def test_removal_leaves_nothing_of_ours_and_is_done_once(named: Named, client: Client) -> None:
    client().add(ZONE, OURS)
    client().add(REVERSE4, [POINTER4])
    client().remove(ZONE, OURS)
    client().remove(REVERSE4, [POINTER4])
    assert named.dig(NAME, "ANY") == set()
    assert named.dig(POINTER4.name, "ANY") == set()
    serial = named.serial(ZONE)
    client().remove(ZONE, OURS)
    assert named.serial(ZONE) == serial


def test_removal_leaves_foreign_records_of_the_same_name(named: Named, client: Client) -> None:
    client().add(ZONE, OURS)
    named.nsupdate(
        f"update add {NAME} 300 A 198.51.100.77",
        f"update add {NAME} 300 MX 1 mx.elsewhere.example.",
    )
    client().remove(ZONE, OURS)
    assert named.dig(NAME, "ANY") == {"300 A 198.51.100.77", "300 MX 1 mx.elsewhere.example."}


def test_removal_works_beside_a_foreign_text(named: Named, client: Client) -> None:
    client().add(ZONE, OURS)
    named.nsupdate(f'update add {NAME} 300 TXT "two" "parts \\255"')
    client().remove(ZONE, OURS)
    assert named.dig(NAME, "ANY") == {'300 TXT "two" "parts \\255"'}


def test_removal_touches_nothing_where_the_ownership_is_anothers(
    named: Named, client: Client
) -> None:
    client().add(ZONE, forward_records(NAME, [V4, V6], OWNER.replace("j1", "j2")))
    before = named.dig(NAME, "ANY")
    client().remove(ZONE, OURS)
    assert named.dig(NAME, "ANY") == before


def test_removal_touches_nothing_where_there_is_no_ownership(named: Named, client: Client) -> None:
    named.nsupdate(f"update add {NAME} 60 A {V4}")
    client().remove(ZONE, OURS)
    assert named.dig(NAME, "ANY") == {f"60 A {V4}"}


def test_removal_leaves_a_pointer_that_says_something_else(named: Named, client: Client) -> None:
    named.nsupdate(f"update add {POINTER4.name} 60 PTR mail.{ZONE}")
    client().remove(REVERSE4, [POINTER4])
    assert named.dig(POINTER4.name, "PTR") == {f"60 PTR mail.{ZONE}"}


@pytest.mark.parametrize(
    "record",
    [
        Record("alice-dev.elsewhere.example.", "A", "192.0.2.1"),
        Record("alice-devraptor.example.", "A", "192.0.2.1"),
        Record(ZONE, "A", "192.0.2.1"),
        Record(f"*.{ZONE}", "A", "192.0.2.1"),
        Record(NAME.rstrip("."), "A", "192.0.2.1"),
        Record(NAME, "MX", "10 mail.raptor.example."),
        Record(NAME, "A", "2001:db8::1"),
        Record(NAME, "TXT", 'x"\n@ TXT "y'),
    ],
)
def test_a_record_that_is_not_for_the_zone_never_leaves(client: Client, record: Record) -> None:
    server = client(port=free_port())
    with pytest.raises(InputError):
        server.add(ZONE, [record])
    with pytest.raises(InputError):
        server.remove(ZONE, [record])


def test_the_probe_finds_every_zone_in_order_and_changes_nothing(
    named: Named, client: Client
) -> None:
    before = [named.serial(zone) for zone in (ZONE, REVERSE4, REVERSE6)]
    checks = client().probe()
    assert [(check.zone, check.problem) for check in checks] == [
        (ZONE, ""),
        (REVERSE4, ""),
        (REVERSE6, ""),
    ]
    assert [named.serial(zone) for zone in (ZONE, REVERSE4, REVERSE6)] == before


def test_the_probe_says_that_the_key_has_no_rights(client: Client) -> None:
    for check in client("stranger").probe():
        assert "does not let key stranger change raptorctl-doctor." in check.problem
        assert check.zone in check.resolution


def test_the_probe_says_which_zone_is_not_served(named: Named) -> None:
    zones = ("2.0.192.in-addr.arpa", f"1.{REVERSE4}".rstrip("."))
    settings = Dns(
        "raptor.example", zones, port=named.port, key_file=str(named.key_file("raptorctl"))
    )
    good, other, inner = DnsServer(settings).probe()
    assert not good.problem
    assert "2.0.192.in-addr.arpa" in other.problem
    assert "not authoritative" in other.resolution
    assert f"no zone 1.{REVERSE4}" in inner.problem


def test_what_is_replaced_is_exactly_what_dig_sees(named: Named, client: Client) -> None:
    client().add(ZONE, OURS)
    right = next(record for record in OURS if record.type == "A")
    wrong = Record(NAME, "A", "192.0.2.77")
    text = [record for record in OURS if record.type == "TXT"]
    for _ in range(2):  # already so is success
        client().replace(ZONE, [right], [wrong], text)
        assert named.dig(NAME, "A") == {"300 A 192.0.2.77"}
    client().replace(ZONE, [wrong], [right], text)
    assert named.dig(NAME, "ANY") == DUG


def test_a_pointer_is_replaced_while_it_says_what_it_said(named: Named, client: Client) -> None:
    other = Record(POINTER4.name, "PTR", f"bob-ci.{ZONE}")
    client().add(REVERSE4, [other])
    client().replace(REVERSE4, [other], [POINTER4], [other])
    assert named.dig(POINTER4.name, "PTR") == {f"300 PTR {NAME}"}


def test_nothing_is_replaced_at_a_name_that_is_no_longer_ours(named: Named, client: Client) -> None:
    named.nsupdate(f"update add {NAME} 60 A 192.0.2.9", f"update add {NAME} 60 TXT mine")
    old, new = [Record(NAME, "A", "192.0.2.9")], [Record(NAME, "A", "198.51.100.1")]
    with pytest.raises(DeclinedError):
        client().replace(ZONE, old, new, [record for record in OURS if record.type == "TXT"])
    assert named.dig(NAME, "A") == {"60 A 192.0.2.9"}
