"""What the DNS tests put into named: the records of `alice dev`."""

from ipaddress import ip_address

from raptorctl.host.dns.update import DnsServer
from raptorctl.model.names import MachineName
from raptorctl.model.record import forward_records, owner_text, pointer
from raptorctl.model.settings import Dns
from tests.integration.named import REVERSE4, REVERSE6, ZONE, Named

NAME = "alice-dev.raptor.example."
V4, V6 = ip_address("198.51.100.1"), ip_address("2001:db8:0:1::1")
OWNER = owner_text(MachineName("alice", "dev"), "j1")
OURS = forward_records(NAME, [V4, V6], OWNER)
PAIRS = [(record.name, record.type) for record in OURS]
POINTER4, POINTER6 = pointer(V4, NAME), pointer(V6, NAME)

DUG = {"300 A 198.51.100.1", "300 AAAA 2001:db8:0:1::1", f'300 TXT "{OWNER}"'}
"""The same as `Named.dig` shows it."""


class Client:
    """Builds what is under test, for one named."""

    def __init__(
        self, named: Named, reverse_zones: tuple[str, ...] = (REVERSE4, REVERSE6.rstrip("."))
    ) -> None:
        self._named, self._reverse_zones = named, reverse_zones

    def __call__(self, key: str = "raptorctl", port: int = 0, timeout: float = 5.0) -> DnsServer:
        return DnsServer(
            Dns(
                zone=ZONE.rstrip("."),
                reverse_zones=self._reverse_zones,
                port=port or self._named.port,
                key_file=str(self._named.key_file(key)),
                timeout=timeout,
            )
        )
