"""Every way in which a server says no has a sentence of its own, with what to do."""

from dns.rcode import Rcode

from raptorctl.host.dns.change import Addition, Removal
from raptorctl.host.dns.key import TsigKey
from raptorctl.host.dns.talk import _KEY_REFUSALS, Connection
from raptorctl.model.record import Record
from raptorctl.model.settings import Dns

RECORD = Record("alice-dev.raptor.example.", "A", "198.51.100.1")
CODES = (
    Rcode.FORMERR, Rcode.SERVFAIL, Rcode.NXDOMAIN, Rcode.NOTIMP, Rcode.REFUSED, Rcode.YXDOMAIN,
    Rcode.YXRRSET, Rcode.NXRRSET, Rcode.NOTAUTH, Rcode.NOTZONE, Rcode(11),
)  # fmt: skip


def declined() -> list[str]:
    server = Connection(Dns("raptor.example"), TsigKey("raptorctl", b"x" * 32))
    message = Addition("raptor.example.", frozenset([RECORD]), 300).message()
    errors = [server.declined(code, message) for code in CODES]
    assert all(error.resolution for error in errors)
    return [str(error) for error in errors]


def test_every_result_code_has_its_own_line() -> None:
    lines = declined()
    assert len(set(lines)) == len(CODES)
    for line in lines:
        assert "\n" not in line
        assert "{" not in line
        assert line.startswith("named at 127.0.0.1 port 53 ")


def test_a_refused_update_names_the_key_the_name_and_the_zone() -> None:
    (line,) = [line for line in declined() if "REFUSED" in line]
    assert "does not let key raptorctl change alice-dev.raptor.example." in line
    assert "update-policy of zone raptor.example." in line


def test_every_complaint_about_the_key_has_its_own_sentence() -> None:
    assert len({said for said, _ in _KEY_REFUSALS.values()}) == len(_KEY_REFUSALS)


def test_a_removal_that_finds_the_name_gone_is_settled() -> None:
    removal = Removal("raptor.example.", frozenset([RECORD]))
    assert removal.settled([])
    assert removal.names == ()
