"""One TCP connection to the DNS server: signed questions, and only signed answers count."""

import socket
from typing import Final, Self

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.update
from dns.rcode import Rcode

from raptorctl.errors import HostError, MissingError
from raptorctl.host.dns.key import TsigKey
from raptorctl.model.error_code import Code
from raptorctl.model.settings import Dns


class DnsDownError(HostError, MissingError):
    """Nobody answers; nothing was sent."""

    code = Code.DNS_UNREACHABLE


class SilentError(DnsDownError):
    """Something was sent and no answer came that can be believed: it may have been acted on."""


class KeyRefusedError(HostError):
    """The server does not accept our key, or our clock: nothing will work."""

    code = Code.DNS_KEY_REFUSED


class DeclinedError(HostError):
    """The server said no, signed.

    Args:
        rcode: what it said (RFC 1035 section 4.1.1, RFC 2136 section 2.2).
    """

    code = Code.DNS_DECLINED

    def __init__(self, rcode: Rcode, brief: str, resolution: str) -> None:
        self.rcode = rcode
        super().__init__(brief, resolution=resolution)


# Placeholders: {key} the key's name, {what} the names asked or changed, {zone} the zone.
_UPDATE_REFUSALS: Final = {
    Rcode.FORMERR: ("cannot read the message", "this is a fault of raptorctl or of the server; "
                    "named's log says more"),
    Rcode.SERVFAIL: ("failed while changing {zone}", "see named's log; often it may not write the "
                     "zone's directory"),
    Rcode.NXDOMAIN: ("misses a name that should exist among {what}", "try again"),
    Rcode.NOTIMP: ("takes no updates", "dns.server in the settings should be the primary server"),
    Rcode.REFUSED: ("does not let key {key} change {what}",
                    "grant it in the update-policy of zone {zone}"),
    Rcode.YXDOMAIN: ("kept finding {what} in use, then free", "try again"),
    Rcode.YXRRSET: ("kept finding records at {what}, then none", "try again"),
    Rcode.NXRRSET: ("kept finding other records at {what}", "try again"),
    Rcode.NOTAUTH: ("is not authoritative for zone {zone}",
                    "compare dns.zone and dns.reverse_zones in the settings with named's zones"),
    Rcode.NOTZONE: ("says that {what} is not in zone {zone}",
                    "compare the zones in the settings with named's"),
}  # fmt: skip
_QUERY_REFUSALS: Final = {
    **_UPDATE_REFUSALS,
    Rcode.SERVFAIL: ("cannot answer for {what}", "see its log; often a zone did not load"),
    Rcode.REFUSED: ("does not answer for {what}",
                    "it is not authoritative for it, or allow-query leaves us out"),
}  # fmt: skip
_KEY_REFUSALS: Final[dict[type[Exception], tuple[str, str]]] = {
    dns.tsig.PeerBadKey: ("does not know key {key} with its algorithm (BADKEY)",
                          "add the key to named's configuration"),
    dns.tsig.PeerBadSignature: ("has another secret for key {key} (BADSIG)",
                                "give named and raptorctl the same key file"),
    dns.tsig.PeerBadTime: ("says that its clock differs from ours by more than 5 minutes (BADTIME)",
                           "set both clocks, best by NTP"),
    dns.tsig.PeerBadTruncation: ("wants longer signatures (BADTRUNC)",
                                 "use hmac-sha256 without truncation"),
}  # fmt: skip


class Connection:
    """A connection to the server of the settings; a context manager.

    Args:
        settings: where the server is, and for how many seconds to wait.
        key: signs what we say and verifies what we hear.
    """

    def __init__(self, settings: Dns, key: TsigKey) -> None:
        self._settings, self._key = settings, key
        self.where = f"{settings.server} port {settings.port}"

    def __enter__(self) -> Self:
        address = self._settings.server, self._settings.port
        try:
            self._socket = socket.create_connection(address, self._settings.timeout)
        except OSError as error:
            raise DnsDownError(
                f"named does not answer at {self.where} (TCP)",
                details=str(error),
                resolution="start it, or correct dns.server and dns.port in the settings",
            ) from error
        self._socket.setblocking(False)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._socket.close()

    def query(self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> list[dns.rrset.RRset]:
        """Return what the server answers for that very name; none when there is no such name.

        What it makes up from a wildcard is not told apart: see `dns_held`.

        Raises:
            DnsDownError: no answer.
            DeclinedError: it is not authoritative for the name, or failed.
            KeyRefusedError: it does not take our key.
        """
        answer = self.answer(name, rdtype)
        if not answer.flags & dns.flags.AA:
            raise self.not_authoritative(name)
        return [rrset for rrset in answer.answer if rrset.name == name]

    def answer(self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> dns.message.Message:
        """Return the whole answer: records, "no such name", or a referral.

        Raises:
            DnsDownError: no answer.
            DeclinedError: it does not answer for the name, or failed.
            KeyRefusedError: it does not take our key.
        """
        # flags=0: no recursion desired; we want to know what this server holds.
        answer = self._ask(dns.message.make_query(name, rdtype, flags=0))
        rcode = answer.rcode()
        # YXDOMAIN: what a DNAME makes of the name is too long (RFC 6672 section 2.2).
        if rcode not in {Rcode.NOERROR, Rcode.NXDOMAIN, Rcode.YXDOMAIN}:
            raise self._declined(rcode, _QUERY_REFUSALS, what=name.to_text(), zone=name.to_text())
        return answer

    def not_authoritative(self, name: dns.name.Name) -> DeclinedError:
        """Build the error for an answer about `name` without authority."""
        return DeclinedError(
            Rcode.NOTAUTH,
            f"named at {self.where} is not authoritative for {name}",
            "compare dns.zone and dns.reverse_zones in the settings with named's zones",
        )

    def update(self, message: dns.update.UpdateMessage) -> Rcode:
        """Send an UPDATE once and return its verified result code.

        Raises:
            SilentError: it may have been applied or not.
            KeyRefusedError: it does not take our key; nothing was applied.
        """
        return self._ask(message).rcode()

    def declined(self, rcode: Rcode, message: dns.update.UpdateMessage) -> DeclinedError:
        """Build the error for an UPDATE that ended with `rcode`."""
        names = sorted({rrset.name.to_text() for rrset in message.update})
        zone = message.zone[0].name.to_text()
        return self._declined(rcode, _UPDATE_REFUSALS, what=", ".join(names), zone=zone)

    def _ask(self, message: dns.message.Message) -> dns.message.Message:
        message.use_tsig(self._key)
        server, timeout = self._settings.server, self._settings.timeout
        try:
            answer = dns.query.tcp(message, server, timeout=timeout, sock=self._socket)
        except dns.tsig.PeerError as error:
            raise self._key_refused(error) from error
        except dns.exception.Timeout as error:
            raise self._silent(f"it did not answer within {timeout:g} s") from error
        except (OSError, EOFError) as error:
            raise self._silent("the connection was cut") from error
        except (dns.exception.DNSException, ValueError) as error:
            raise self._silent(f"its answer is not signed with key {self._key.label}") from error
        # Releases of dnspython differ in whether they miss a signature (RFC 8945 section 5.3).
        if not answer.had_tsig:
            raise self._silent(f"its answer is not signed with key {self._key.label}")
        return answer

    def _silent(self, reason: str) -> SilentError:
        return SilentError(
            f"named at {self.where} gave no answer that counts: {reason}",
            resolution="see whether named runs, and its log",
        )

    def _key_refused(self, error: dns.tsig.PeerError) -> KeyRefusedError:
        unknown = ("refuses key {key}: " + str(error), "see named's log")
        said, resolution = _KEY_REFUSALS.get(type(error), unknown)
        brief = f"named at {self.where} {said.format(key=self._key.label)}"
        return KeyRefusedError(brief, resolution=resolution)

    def _declined(
        self, rcode: Rcode, table: dict[Rcode, tuple[str, str]], *, what: str, zone: str
    ) -> DeclinedError:
        said, resolution = table.get(rcode, ("answers with an error", "see named's log"))
        fields = {"key": self._key.label, "what": what, "zone": zone}
        brief = f"named at {self.where} {said.format(**fields)} ({dns.rcode.to_text(rcode)})"
        return DeclinedError(rcode, brief, resolution.format(**fields))
