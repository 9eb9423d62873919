"""What the DNS server holds at a name, told apart from what it makes up or keeps elsewhere.

An answer is no proof of a record: a wildcard answers for every name that does not exist (RFC 4592
section 3.3.1), a DNAME for every name below it (RFC 6672 section 3.2). An update looks at the zone
alone, so a record could be put there, and might never be seen.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.update

from raptorctl.host.dns.record import to_name
from raptorctl.host.dns.talk import Connection, DeclinedError
from raptorctl.model.record import zone_of

SIGNING: Final = frozenset({dns.rdatatype.RRSIG, dns.rdatatype.NSEC, dns.rdatatype.NSEC3})
"""A signing server puts these beside whatever it holds; they are nobody's."""


class Holdings:
    """Asks one server, over one connection.

    Args:
        server: where the questions go.
        zones: what the settings say that it serves for us.
    """

    def __init__(self, server: Connection, zones: Iterable[str]) -> None:
        self._server, self._zones = server, tuple(zones)
        self._exists = False  # of the name asked about last
        self._wild: dict[dns.name.Name, bool] = {}

    def at(
        self, name: dns.name.Name, kinds: Iterable[dns.rdatatype.RdataType]
    ) -> list[dns.rrset.RRset]:
        """Return what is at a name, and what above it keeps a record there from being seen.

        Where nothing of `kinds` is, it is what else is there: the name is in use all the same.
        Above it is a DNAME, the NS of a delegation, or the SOA of a zone that the settings do not
        name, each with the name that has it. A CNAME comes back as a CNAME and is not followed.

        Raises:
            DnsDownError: no answer.
            DeclinedError: the server is not authoritative for the name, or failed.
            KeyRefusedError: it does not take our key.
        """
        text = zone_of(name.to_text(), self._zones)
        zone = to_name(text) if text else None
        found = [rrset for kind in kinds for rrset in self._heard(name, kind, zone)]
        if not found and zone is not None and self._exists:
            found = self._heard(name, dns.rdatatype.ANY, zone)
            found = [rrset for rrset in found if rrset.rdtype not in SIGNING]
        if zone is None or not any(rrset.name == name for rrset in found):
            return found
        if not self._made_up(name, zone):
            return found
        elsewhere = [rrset for rrset in found if rrset.name != name]
        return elsewhere + self._heard(name, dns.rdatatype.SOA, zone, made_up=True)

    def _heard(
        self,
        name: dns.name.Name,
        kind: dns.rdatatype.RdataType,
        zone: dns.name.Name | None,
        *,
        made_up: bool = False,
    ) -> list[dns.rrset.RRset]:
        answer = self._answer(name, kind)
        self._exists = answer.rcode() != dns.rcode.NXDOMAIN
        above = list(_above(answer, name, zone)) if zone else []
        if not above and not answer.flags & dns.flags.AA:
            raise self._server.not_authoritative(name)
        here = [rrset for rrset in answer.answer if rrset.name == name]
        if made_up:
            here = [rrset for rrset in here if rrset.rdtype == dns.rdatatype.SOA]
        return above or here

    def _answer(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> dns.message.Message:
        try:
            return self._server.answer(name, kind)
        except DeclinedError as error:
            if error.rcode != dns.rcode.SERVFAIL:
                raise
        # Named fails at aliases that lead round in a circle. One asked for is not followed
        # (RFC 1034 section 3.6.2); of a zone that did not load this fails as well.
        return self._server.answer(name, dns.rdatatype.CNAME)

    def _made_up(self, name: dns.name.Name, zone: dns.name.Name) -> bool:
        """Whether a wildcard speaks: "name is not in use" is exact (RFC 2136 section 2.4.5)."""
        if name == zone or not self._may_be_wild(name.parent()):
            return False
        question = dns.update.UpdateMessage(zone)
        question.absent(name)
        return self._server.update(question) == dns.rcode.NOERROR

    def _may_be_wild(self, parent: dns.name.Name) -> bool:
        """Whether a wildcard may answer below `parent`; one question for all names there.

        Whichever wildcard would answer for a name that is not there answers for `*` there as well.
        CNAME is asked for: the code of another answer is that of the end of its chain (RFC 6604).
        """
        if parent not in self._wild:
            star = dns.name.Name((b"*", *parent.labels))
            answer = self._server.answer(star, dns.rdatatype.CNAME)
            self._wild[parent] = answer.rcode() != dns.rcode.NXDOMAIN
        return self._wild[parent]


def _above(
    answer: dns.message.Message, name: dns.name.Name, zone: dns.name.Name
) -> Iterator[dns.rrset.RRset]:
    """What takes `name` out of `zone`: a DNAME, a delegation (RFC 1034 4.3.2), another zone."""
    for rrset in answer.answer:
        if rrset.rdtype == dns.rdatatype.DNAME and rrset.name != name:
            yield rrset
    referral = not answer.flags & dns.flags.AA
    telling = dns.rdatatype.NS if referral else dns.rdatatype.SOA
    for rrset in answer.authority if not answer.answer else ():
        if rrset.rdtype == telling and name.is_subdomain(rrset.name) and zone < rrset.name:
            yield rrset
