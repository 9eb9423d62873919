"""Records and the wire: what goes out is what was meant, and comes back as it was."""

from ipaddress import IPv4Address, IPv6Address

import dns.message
import dns.update
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from raptorctl.errors import InputError
from raptorctl.host.dns.change import Addition, Removal
from raptorctl.host.dns.record import inside, to_name, to_rdata, to_records
from raptorctl.model.record import Record

ZONE = "raptor.example."

labels = st.from_regex(r"\A[a-z0-9_]([a-z0-9_-]{0,20}[a-z0-9_])?\Z")
names = st.lists(labels, min_size=1, max_size=5).map(lambda found: ".".join([*found, ZONE]))
# Quotes, backslashes, semicolons and letters of any script, several character-strings long.
texts = st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" "), max_size=900)
records = st.one_of(
    st.builds(Record, names, st.just("A"), st.builds(str, st.builds(IPv4Address, st.ip_addresses(v=4)))),
    st.builds(Record, names, st.just("AAAA"), st.builds(str, st.builds(IPv6Address, st.ip_addresses(v=6)))),
    st.builds(Record, names, st.just("PTR"), names),
    st.builds(Record, names, st.just("TXT"), texts),
)  # fmt: skip


@pytest.mark.long
@settings(deadline=None)
@given(st.frozensets(records, max_size=6))
@example(frozenset(Record(f"n{size}.{ZONE}", "TXT", "x" * size) for size in (0, 255, 256, 4000)))
@example(frozenset([Record(f"a.{ZONE}", "TXT", '";\\000 \\" )(' + "é" * 200)]))
def test_records_come_back_from_the_wire_as_they_went(wanted: frozenset[Record]) -> None:
    wire = Addition(ZONE, wanted, 300).message().to_wire()
    message = dns.message.from_wire(wire)
    assert isinstance(message, dns.update.UpdateMessage)
    assert set(to_records(message.update)) == wanted
    assert {rrset.ttl for rrset in message.update} <= {300}
    assert {rrset.name.to_text() for rrset in message.prerequisite} == {r.name for r in wanted}


@pytest.mark.long
@settings(deadline=None)
@given(st.frozensets(records, max_size=6))
def test_a_removal_deletes_exactly_its_records(wanted: frozenset[Record]) -> None:
    message = dns.message.from_wire(Removal(ZONE, wanted).message().to_wire())
    assert isinstance(message, dns.update.UpdateMessage)
    assert set(to_records(message.update)) == wanted
    assert all(rrset.deleting == dns.rdataclass.NONE for rrset in message.update)
    texts = {record for record in wanted if record.type == "TXT"}
    assert set(to_records(message.prerequisite)) == texts


@settings(deadline=None)
@given(st.text(max_size=80))
def test_a_name_is_taken_as_it_is_or_refused(text: str) -> None:
    try:
        name = to_name(text)
    except InputError:
        return
    assert name.to_text() == text


@settings(deadline=None)
@given(st.text(max_size=80), st.sampled_from(["A", "AAAA", "PTR", "TXT"]))
def test_a_value_is_taken_in_one_form_or_refused(text: str, kind: str) -> None:
    record = Record(f"a.{ZONE}", kind, text)
    try:
        (kept,) = inside(ZONE, [record])
    except InputError:
        return
    assert inside(ZONE, [kept]) == {kept}
    assert kept.value == text or kind == "AAAA"


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "raptor.example",
        "a..raptor.example.",
        ".raptor.example.",
        "*.raptor.example.",
        "@.raptor.example.",
        "a b.raptor.example.",
        r"a\.b.raptor.example.",
        r"a\032b.raptor.example.",
        "-a.raptor.example.",
        "a-.raptor.example.",
        "A.raptor.example.",
        "ä.raptor.example.",
        "\uff41.raptor.example.",
        "a\n.raptor.example.",
        "a.raptor.example.\n",
        "a\0.raptor.example.",
        f"{'a' * 64}.raptor.example.",
        f"{'a.' * 126}raptor.example.",
    ],
)
def test_a_name_that_could_mean_something_else_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        to_name(name)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("A", "198.51.100"),
        ("A", "198.51.100.01"),
        ("A", "198.51.100.1/24"),
        ("A", "2001:db8::1"),
        ("AAAA", "198.51.100.1"),
        ("AAAA", "fe80::1%eth0"),
        ("PTR", "alice-dev"),
        ("PTR", "*.raptor.example."),
        ("TXT", "two\nlines"),
        ("TXT", "nul\0"),
        ("TXT", "\u202ereversed"),
        ("TXT", "\ud800"),
        ("TXT", "x" * 4001),
        ("MX", "10 mail.raptor.example."),
        ("ANY", ""),
        ("", ""),
    ],
)
def test_a_value_that_does_not_fit_its_type_is_refused(kind: str, value: str) -> None:
    with pytest.raises(InputError):
        to_rdata(Record(f"a.{ZONE}", kind, value))


def test_addresses_take_their_shortest_form() -> None:
    (kept,) = inside(ZONE, [Record(f"a.{ZONE}", "AAAA", "2001:0DB8:0:0::00aa")])
    assert kept.value == "2001:db8::aa"
