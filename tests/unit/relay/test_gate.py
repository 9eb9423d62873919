"""The relay's gate: what of libvirt's messages passes, cut and mixed however they arrive."""

import struct
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorctl.model import readable
from raptorctl.relay.calls import ALLOWED, LOOKS, STREAMS, allowed
from raptorctl.relay.frames import (
    KEEPALIVE,
    REMOTE,
    SMALLEST,
    Cutter,
    Frame,
    FrameError,
    Kind,
    Status,
    decode,
)
from raptorctl.relay.gate import LARGEST_CALL, Gate, judge

GOLDEN = Path(__file__).parents[2] / "golden" / "remote_protocol.txt"
"""All of `enum remote_procedure` of libvirt 12.0 (src/remote/remote_protocol.x), as go-libvirt
generates them from it."""
CALLS = {int(line.split()[0]): line.split()[1] for line in GOLDEN.read_text().splitlines()}
PROGRAMS = st.sampled_from([REMOTE, KEEPALIVE, 0x20008087, 0x20008088, 0x06900690, 0])
NUMBERS = st.integers(0, 2**32 - 1)


def call(procedure: int, body: bytes = b"", serial: int = 7, program: int = REMOTE) -> Frame:
    return Frame(program, 1, procedure, Kind.CALL, serial, Status.OK, body)


def opening(uri: bytes) -> bytes:
    return struct.pack(">II", 1, len(uri)) + uri + bytes(-len(uri) % 4) + bytes(4)


frames = st.builds(
    Frame, PROGRAMS, NUMBERS, st.integers(-(2**31), 2**31 - 1), st.sampled_from(Kind), NUMBERS,
    st.sampled_from(Status), st.binary(max_size=64),
)  # fmt: skip
chunks = st.lists(st.integers(0, 400), max_size=8)


def cut_at(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@given(st.lists(frames, max_size=5), chunks)
def test_messages_are_the_same_however_they_arrive(sent: list[Frame], places: list[int]) -> None:
    cutter = Cutter()
    data = b"".join(frame.encode() for frame in sent)
    got = [decode(whole) for part in cut_at(data, places) for whole in cutter.cut(part)]
    assert got == sent


@given(st.binary(max_size=200))
def test_any_bytes_are_messages_or_a_frame_error(data: bytes) -> None:
    gate = Gate()
    try:
        gate.from_client(data)
    except FrameError:
        assert gate.to_server == b""


@given(frames)
def test_only_allowed_calls_streams_and_keepalive_pass(frame: Frame) -> None:
    try:
        passes = judge(frame) is None
    except FrameError:
        return
    if passes:
        allowed = frame.kind is Kind.CALL and frame.procedure in ALLOWED
        stream = frame.kind is Kind.STREAM and frame.procedure in STREAMS
        assert frame.program == (KEEPALIVE if frame.kind is Kind.MESSAGE else REMOTE)
        assert allowed or stream or frame.kind is Kind.MESSAGE


@pytest.mark.parametrize("procedure", [n for n in CALLS if n != 1])
def test_each_call_of_libvirts_is_allowed_or_refused(procedure: int) -> None:
    answer = judge(call(procedure))
    assert (answer is None) is (procedure in ALLOWED)
    if answer is not None:
        assert (answer.serial, answer.procedure, answer.status) == (7, procedure, Status.ERROR)


def test_allowed_calls_have_libvirts_numbers() -> None:
    assert sorted(CALLS) == list(range(1, 454))
    assert {number: CALLS[number] for number in ALLOWED} == ALLOWED
    opens = {name for name in CALLS.values() if "Restore" in name or "SaveImage" in name}
    assert len(opens) == 6
    assert not opens & set(ALLOWED.values()) - {"DomainHasManagedSaveImage"}


@pytest.mark.parametrize("word", LOOKS)
def test_what_the_settings_open_passes_where_they_say_so_and_nothing_else(word: str) -> None:
    passed = {number for number in CALLS if judge(call(number), allowed([word])) is None}
    closed = {number for number in CALLS if judge(call(number)) is None}
    assert {number: CALLS[number] for number in passed - closed} == LOOKS[word]
    assert closed < passed
    verbs = "Get List Lookup NumOf Is"
    assert all(any(verb in name for verb in verbs.split()) for name in LOOKS[word].values())
    assert not {"StorageVolLookupByPath", "StorageVolLookupByKey"} & {*LOOKS[word].values()}


def test_the_relay_and_polkit_open_the_same() -> None:
    assert LOOKS.keys() == readable.LOOKS.keys()
    with pytest.raises(KeyError):
        allowed(["secrets"])


@pytest.mark.parametrize(
    "uri",
    [b"test:///etc/passwd", b"network:///system", b"qemu:///session", b"qemu:///system\0x", b""],
)
def test_one_uri_opens(uri: bytes) -> None:
    assert judge(call(1, opening(b"qemu:///system"))) is None
    assert judge(call(1, opening(uri))) is not None
    assert judge(call(1, bytes(8))) is not None


@pytest.mark.parametrize("program", [0x20008087, 0x20008088, 0x06900690, KEEPALIVE])
def test_no_call_of_another_program_passes(program: int) -> None:
    assert judge(call(66, program=program)) is not None


def test_no_descriptor_is_passed() -> None:
    frame = Frame(REMOTE, 1, 9, Kind.CALL_WITH_FDS, 1, Status.OK)
    assert judge(frame) is not None


@pytest.mark.parametrize("length", [0, 4, SMALLEST - 1, LARGEST_CALL + 1, 2**32 - 1])
def test_a_length_out_of_bounds_ends_it_at_once(length: int) -> None:
    with pytest.raises(FrameError):
        Gate().from_client(struct.pack(">I", length))


@given(st.lists(frames, min_size=1, max_size=4), chunks, st.integers(0, 8))
def test_refusals_go_between_answers(answers: list[Frame], places: list[int], when: int) -> None:
    gate = Gate()
    parts = cut_at(b"".join(frame.encode() for frame in answers), places)
    for number, part in enumerate(parts):
        if number == min(when, len(parts) - 1):
            gate.from_client(call(54, serial=99).encode())
        gate.from_server(part)
    got = [decode(whole) for whole in Cutter().cut(bytes(gate.to_client))]
    refused = [frame for frame in got if frame.serial == 99 and frame.procedure == 54]
    assert len(got) == len(answers) + 1
    assert [frame for frame in got if frame not in refused[:1]] == [
        frame for frame in answers if frame not in refused[:1]
    ]
    assert gate.to_server == b""
