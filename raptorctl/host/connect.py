"""The real drivers, from the settings. Nothing connects before it is asked something."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property

from raptorctl.host.account import LocalAccounts
from raptorctl.host.drivers import Authority, Host, Zones
from raptorctl.host.files import LocalFiles
from raptorctl.host.image import LocalImages
from raptorctl.host.image_write import BlockImageWriter
from raptorctl.host.links import KernelLinks
from raptorctl.host.lvm_life import LivingGroup
from raptorctl.host.restore import BlockCopier
from raptorctl.host.wipe import BlockWiper
from raptorctl.model.access import Question
from raptorctl.model.record import Record
from raptorctl.model.settings import Dns, Kind, Settings
from raptorctl.model.tenant import Account


def connect(settings: Settings) -> Host:
    """Build all drivers of this machine, those of its kind."""
    return _own(settings) if settings.kind is Kind.OWN else _shared(settings)


def _own(settings: Settings) -> Host:
    from raptorctl.host.guest import LocalGuests
    from raptorctl.host.overlay import FileWiper, OverlayVolumes
    from raptorctl.host.overlay_image import OverlayImageWriter
    from raptorctl.host.own import make_directories, session_runs
    from raptorctl.host.own_domain import OwnDomains

    make_directories(settings)
    return replace(
        _shared(settings),
        volumes=OverlayVolumes(settings.storage.volume_group),
        wiper=FileWiper(),
        domains=OwnDomains(settings.libvirt.uri),
        guests=LocalGuests(settings.libvirt.uri, session_runs()),
        image_writer=OverlayImageWriter(),
    )


def _shared(settings: Settings) -> Host:
    # Not at the top: it loads libvirt.
    from raptorctl.host.console import LibvirtConsoles
    from raptorctl.host.domain import LibvirtDomains
    from raptorctl.host.guest import LocalGuests

    return Host(
        volumes=LivingGroup(settings.storage.volume_group),
        wiper=BlockWiper(settings.storage.verify_all_up_to),
        copier=BlockCopier(),
        domains=LibvirtDomains(settings.libvirt.uri),
        zones=LateZones(settings.dns),
        files=LocalFiles(),
        links=KernelLinks(),
        accounts=LocalAccounts(),
        authority=LateAuthority(),
        consoles=LibvirtConsoles(settings.libvirt.uri),
        images=LocalImages(settings.images.directory, settings.images.largest),
        image_writer=BlockImageWriter(),
        guests=LocalGuests(settings.libvirt.uri),
    )


class LateAuthority:
    """Loads jeepney at the first question: few commands have one."""

    @cached_property
    def _polkit(self) -> Authority:
        from raptorctl.host.polkit import Polkit

        return Polkit()

    def actions(self) -> tuple[str, ...]:
        """See `raptorctl.host.drivers.Authority`."""
        return self._polkit.actions()

    def answers(self, account: Account, questions: Iterable[Question]) -> tuple[bool, ...]:
        """See `raptorctl.host.drivers.Authority`."""
        return self._polkit.answers(account, questions)

    def reload(self) -> None:
        """See `raptorctl.host.drivers.Authority`."""
        self._polkit.reload()


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

    def replace(
        self, zone: str, old: Iterable[Record], new: Iterable[Record], guard: Iterable[Record]
    ) -> None:
        """See `raptorctl.host.drivers.Zones`."""
        self._server.replace(zone, old, new, guard)
