"""Wrong keys, wrong clocks, and servers that are silent, lie, or are cut off in the middle."""

import threading
import time
from collections.abc import Callable
from ipaddress import ip_address
from types import SimpleNamespace

import dns.message
import pytest

from raptorctl.errors import ConflictError, InputError, MissingError, UnknownOutcomeError
from raptorctl.host.dns import update as dns_update
from raptorctl.host.dns.talk import DeclinedError, DnsDownError, KeyRefusedError, SilentError
from raptorctl.host.dns.update import DnsServer
from raptorctl.model.record import Record
from tests.integration.dns_samples import DUG, NAME, OURS, PAIRS, V4, Client
from tests.integration.named import ZONE, Named, write_key
from tests.integration.relay import forward, is_update, relay

ASKS: tuple[Callable[[DnsServer], object], ...] = (
    lambda server: server.lookup(PAIRS),
    lambda server: server.add(ZONE, OURS),
    lambda server: server.remove(ZONE, OURS),
    lambda server: server.probe(),
)


@pytest.fixture(autouse=True)
def short_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_update, "PAUSE", 0.01)


def test_another_secret_is_named_badsig(named: Named, client: Client) -> None:
    write_key(named.key_file("other"), "raptorctl")
    for ask in ASKS:
        with pytest.raises(KeyRefusedError, match="another secret for key raptorctl"):
            ask(client("other"))
    assert named.dig(NAME, "ANY") == set()


def test_a_key_that_named_does_not_have_is_named_badkey(named: Named, client: Client) -> None:
    write_key(named.key_file("other"), "unheard-of")
    with pytest.raises(KeyRefusedError, match="does not know key unheard-of"):
        client("other").add(ZONE, OURS)


def test_a_key_without_rights_is_refused_by_its_name(named: Named, client: Client) -> None:
    with pytest.raises(DeclinedError) as caught:
        client("stranger").add(ZONE, OURS)
    assert f"does not let key stranger change {NAME}" in caught.value.brief
    assert "update-policy" in caught.value.resolution
    assert named.dig(NAME, "ANY") == set()


def test_a_zone_that_named_does_not_have_is_named(client: Client) -> None:
    with pytest.raises(DeclinedError, match=r"not authoritative for zone elsewhere\.example"):
        client().add("elsewhere.example.", [Record("a.elsewhere.example.", "A", "192.0.2.1")])


def test_a_clock_that_differs_is_named(
    named: Named, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = SimpleNamespace(time=lambda: time.time() - 3600)
    monkeypatch.setattr(dns.message, "time", late)
    with pytest.raises(KeyRefusedError, match="clock differs"):
        client().add(ZONE, OURS)
    assert named.dig(NAME, "ANY") == set()


def test_no_error_and_no_representation_shows_the_secret(named: Named, client: Client) -> None:
    path = write_key(named.key_file("other"), "raptorctl", secret=b"0123456789abcdef")
    secret = path.read_text().split('"')[3]
    server = client("other")
    with pytest.raises(KeyRefusedError) as caught:
        server.lookup(PAIRS)
    error: BaseException | None = caught.value
    while error is not None:
        assert secret not in f"{error!r}{error}{vars(error)}"
        error = error.__cause__
    assert secret not in f"{server!r}{vars(server)}"


def test_a_stopped_server_is_named_with_its_port(named: Named, client: Client) -> None:
    named.stop()
    for ask in ASKS:
        with pytest.raises(DnsDownError) as caught:
            ask(client())
        assert isinstance(caught.value, MissingError)
        assert not isinstance(caught.value, SilentError)
        assert f"named does not answer at 127.0.0.1 port {named.port}" in caught.value.brief


def test_a_server_that_never_answers_leaves_the_outcome_unknown_within_bounds(
    client: Client,
) -> None:
    end = threading.Event()

    def wait(_request: bytes) -> None:
        end.wait(30)

    with relay(wait) as deaf:
        server = client(port=deaf.port, timeout=0.2)
        started = time.monotonic()
        with pytest.raises(UnknownOutcomeError, match=NAME):
            server.add(ZONE, OURS)
        with pytest.raises(SilentError, match=r"did not answer within 0\.2 s"):
            server.lookup(PAIRS)
        assert time.monotonic() - started < 10
        end.set()


def test_an_answer_without_signature_does_not_count(named: Named, client: Client) -> None:
    def unsigned(request: bytes) -> bytes:
        # The header only: an answer to this very message, with no error and no records.
        return request[:2] + bytes([request[2] | 0x84, 0]) + bytes(8)

    with relay(unsigned) as liar:
        server = client(port=liar.port)
        with pytest.raises(UnknownOutcomeError, match="not signed with key raptorctl"):
            server.add(ZONE, OURS)
        with pytest.raises(SilentError, match="not signed with key raptorctl"):
            server.lookup(PAIRS)
    assert named.dig(NAME, "ANY") == set()


def test_an_answer_that_was_altered_does_not_count(named: Named, client: Client) -> None:
    client().add(ZONE, OURS)
    true, false = V4.packed, ip_address("203.0.113.66").packed
    with relay(lambda request: forward(named.port, request).replace(true, false)) as liar:
        server = client(port=liar.port)
        with pytest.raises(SilentError, match="not signed with key raptorctl"):
            server.lookup([(NAME, "A")])


def test_a_connection_cut_after_the_update_was_applied_is_success_and_not_sent_again(
    named: Named, client: Client
) -> None:
    def cut_after(request: bytes) -> bytes | None:
        answer = forward(named.port, request)
        return None if is_update(request) else answer

    with relay(cut_after) as between:
        server = client(port=between.port)
        server.add(ZONE, OURS)
        assert (between.updates, named.dig(NAME, "ANY")) == (1, DUG)
        server.remove(ZONE, OURS)
        assert (between.updates, named.dig(NAME, "ANY")) == (2, set())


def test_a_connection_cut_before_the_update_was_applied_is_tried_again(
    named: Named, client: Client
) -> None:
    seen: list[bytes] = []

    def cut_first(request: bytes) -> bytes | None:
        seen.append(request)
        first = sum(map(is_update, seen)) == 1 and is_update(request)
        return None if first else forward(named.port, request)

    with relay(cut_first) as between:
        client(port=between.port).add(ZONE, OURS)
    assert between.updates == 2
    assert named.dig(NAME, "ANY") == DUG


def test_an_update_that_is_cut_every_time_is_tried_three_times(
    named: Named, client: Client
) -> None:
    with relay(lambda r: None if is_update(r) else forward(named.port, r)) as between:
        server = client(port=between.port)
        with pytest.raises(UnknownOutcomeError, match="connection was cut"):
            server.add(ZONE, OURS)
    assert between.updates == 3
    assert named.dig(NAME, "ANY") == set()


def test_a_conflict_is_found_even_when_the_first_answer_was_lost(
    named: Named, client: Client
) -> None:
    named.nsupdate(f"update add {NAME} 60 A 198.51.100.77")
    with relay(lambda r: None if is_update(r) else forward(named.port, r)) as between:
        server = client(port=between.port)
        with pytest.raises(ConflictError, match=r"198\.51\.100\.77"):
            server.add(ZONE, OURS)


def test_a_missing_key_is_found_before_anything_is_sent(named: Named, client: Client) -> None:
    with pytest.raises(MissingError, match="there is no TSIG key"):
        client("absent").add(ZONE, OURS)
    named.key_file("raptorctl").chmod(0o640)
    with pytest.raises(InputError, match="mode 0640"):
        client().add(ZONE, OURS)
