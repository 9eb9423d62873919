"""The real drivers, from the settings. Nothing connects before it is asked something."""

from collections.abc import Iterable
from functools import cached_property

from raptorctl.host.account import LocalAccounts
from raptorctl.host.drivers import Host, Zones
from raptorctl.host.files import LocalFiles
from raptorctl.host.links import KernelLinks
from raptorctl.host.lvm import LvmGroup
from raptorctl.host.wipe import BlockWiper
from raptorctl.model.record import Record
from raptorctl.model.settings import Dns, Settings


def connect(settings: Settings) -> Host:
    """Build all drivers of this machine."""
    # Not at the top: it loads libvirt.
    from raptorctl.host.domain import LibvirtDomains

    return Host(
        volumes=LvmGroup(settings.storage.volume_group),
        wiper=BlockWiper(settings.storage.verify_all_up_to),
        domains=LibvirtDomains(settings.libvirt.uri),
        zones=LateZones(settings.dns),
        files=LocalFiles(),
        links=KernelLinks(),
        accounts=LocalAccounts(),
    )


class LateZones:
    """Loads dnspython at the first question: `list` and `cpu map` have none.

    Args:
        settings: what the server is built from.
    """

    def __init__(self, settings: Dns) -> None:
        self._settings = settings

    @cached_property
    def _server(self) -> Zones:
        from raptorctl.host.dns_update import DnsServer

        return DnsServer(self._settings)

    def lookup(self, queries: Iterable[tuple[str, str]]) -> tuple[Record, ...]:
        """See `raptorctl.host.drivers.Zones`."""
        return self._server.lookup(queries)

    def add(self, zone: str, records: Iterable[Record]) -> None:
        """See `raptorctl.host.drivers.Zones`."""
        self._server.add(zone, records)

    def remove(self, zone: str, records: Iterable[Record]) -> None:
        """See `raptorctl.host.drivers.Zones`."""
        self._server.remove(zone, records)
