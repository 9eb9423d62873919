"""What is handed to others: domain XML, DNS messages, argument lists. Nothing in it turns into more."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import dns.message
import dns.update
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from raptorctl.errors import InputError
from raptorctl.host.dns.change import Addition, DnsChange, Removal, Replacement
from raptorctl.host.dns.record import to_records
from raptorctl.host.system.command import run
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.record import Record
from raptorctl.model.sizes import KIB, Size
from raptorctl.model.slot import Slot
from raptorctl.render.domain_xml import render_domain
from raptorctl.render.read_domain import read_domain
from tests.domain_samples import MARK, PLAIN, template
from tests.fuzz import texts
from tests.fuzz.tally import tried

ZONE = "raptor.example."


def shape(xml: str) -> list[tuple[object, list[str]]]:
    return [
        (element.tag, sorted(map(str, element.keys()))) for element in etree.fromstring(xml).iter()
    ]


PLAIN_SHAPE = shape(render_domain(template("virtio-console"), PLAIN))


@given(
    words=st.tuples(*[texts.anything] * 5),
    memory=st.integers(1, 1 << 50),
    number=st.integers(1, 255),
    uuid=st.uuids(),
)
def test_xml(words: tuple[str, ...], memory: int, number: int, uuid: object) -> None:
    tried("values in domain XML")
    job, created, by, disk, nvram = words
    mark = replace(MARK, job=job, created=created, created_by=by, slot=number)
    libvirt = replace(PLAIN.libvirt, nvram_dir=f"/{nvram}")
    spec = replace(PLAIN, mark=mark, disk=f"/dev/{disk}", libvirt=libvirt, uuid=str(uuid),
                   memory=Size(memory), slot=Slot(number), cpus=CpuSet((4, 5)))  # fmt: skip
    try:
        xml = render_domain(template("virtio-console"), spec)
    except InputError:
        return
    read = read_domain(xml)
    plain = render_domain(template("virtio-console"), replace(spec, mark=MARK, disk="/x",
                                                              libvirt=PLAIN.libvirt))  # fmt: skip
    assert shape(xml) == shape(plain)
    assert render_domain(xml, spec) == xml
    assert read.uuid == str(uuid)
    assert read.disks == (f"/dev/{disk}",)
    assert read.memory == -(-memory // KIB) * KIB
    assert read.bridges == (f"br-vm{number}",)
    if read.mark is not None and all(word == word.strip() and word for word in words):
        assert read.mark == mark


@given(text=st.one_of(texts.anything, texts.bent(st.just(template("virtio-console")))))
def test_xml_of_others(text: str) -> None:
    tried("domain XML of others")
    try:
        domain = read_domain(text)
    except InputError:
        return
    assert domain.xml == text


labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
names = st.one_of(labels.map(lambda label: f"{label}.{ZONE}"), texts.anything, texts.bent(
    labels.map(lambda label: f"{label}.{ZONE}")))  # fmt: skip
values = st.one_of(
    st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(str), names, texts.anything, st.text()
)
all_records = st.builds(
    Record, names, st.one_of(st.sampled_from(["A", "AAAA", "PTR", "TXT"]), texts.anything), values
)
good_records = st.one_of(
    st.builds(Record, labels.map(lambda label: f"{label}.{ZONE}"), st.just("A"),
              st.ip_addresses(v=4).map(str)),
    st.builds(Record, labels.map(lambda label: f"{label}.{ZONE}"), st.just("TXT"),
              st.text(st.characters(exclude_categories=["C", "Z"]), max_size=300)),
)  # fmt: skip
some = st.lists(st.one_of(good_records, all_records), max_size=4).map(frozenset)


def sent(change: DnsChange) -> dns.update.UpdateMessage:
    """What the server reads out of what we send."""
    message = change.message()
    read = dns.message.from_wire(message.to_wire())
    assert isinstance(read, dns.update.UpdateMessage)
    assert read.to_wire() == message.to_wire()
    return read


@given(records=some)
def test_additions(records: frozenset[Record]) -> None:
    tried("DNS additions")
    try:
        change = Addition(ZONE, records, 300)
    except InputError:
        return
    read = sent(change)
    assert set(to_records(read.update)) == change.records
    assert {record.name for record in change.records} <= {r.name for r in records}
    assert all(record.name.endswith(f".{ZONE}") for record in change.records)
    assert {name.to_text() for name in (rrset.name for rrset in read.prerequisite)} == set(
        change.names
    )


@given(records=some)
def test_removals(records: frozenset[Record]) -> None:
    tried("DNS removals")
    try:
        change = Removal(ZONE, records)
    except InputError:
        return
    read = sent(change)
    assert set(to_records(read.update)) == change.records
    assert all(rrset.deleting is not None for rrset in read.update)
    assert all(len(rrset) for rrset in read.update)  # never a whole set or name


@given(old=some, new=some, guard=some)
def test_replacements(
    old: frozenset[Record], new: frozenset[Record], guard: frozenset[Record]
) -> None:
    tried("DNS replacements")
    try:
        change = Replacement(ZONE, old, new, guard, 300)
    except InputError:
        return
    read = sent(change)
    gone = [rrset for rrset in read.update if rrset.deleting is not None]
    assert set(to_records(gone)) == change.old
    assert set(to_records(r for r in read.update if r.deleting is None)) == change.new
    assert set(to_records(read.prerequisite)) == change.guard
    assert all(len(rrset) for rrset in gone)


@given(address=st.ip_addresses(), label=labels)
def test_addresses(address: IPv4Address | IPv6Address, label: str) -> None:
    tried("addresses in DNS")
    kind = "A" if address.version == 4 else "AAAA"
    record = Record(f"{label}.{ZONE}", kind, str(address))
    assert set(to_records(sent(Addition(ZONE, frozenset({record}), 1)).update)) == {record}


arguments = st.lists(texts.anything.filter(lambda text: len(text) < 2000), max_size=4)


@given(given_words=arguments)
def test_arguments_reach_a_program_as_they_are(given_words: list[str]) -> None:
    """printf(1) repeats its format for each argument; there is no shell to read any of it."""
    tried("argument lists")
    try:
        said = run("printf", "[%s]\\n", *given_words)
    except InputError:
        assert any("\0" in word or not word.isascii() for word in given_words)
        return
    assert said == "".join(f"[{word}]\n" for word in given_words or [""])
