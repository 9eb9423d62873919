"""The real drivers, from the settings. Each is imported as it is first asked, and then connects."""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from raptorctl.drivers.host import Host
from raptorctl.model.settings import Kind, Settings

if TYPE_CHECKING:
    from raptorctl.host.access.accounts import LocalAccounts
    from raptorctl.host.access.polkit import Polkit
    from raptorctl.host.build.workshop import LocalBuilder
    from raptorctl.host.dns.update import DnsServer
    from raptorctl.host.domain.console import LibvirtConsoles
    from raptorctl.host.domain.domains import LibvirtDomains
    from raptorctl.host.guest.guests import LocalGuests
    from raptorctl.host.image.cache import LocalImages
    from raptorctl.host.image.write import BlockImageWriter
    from raptorctl.host.system.mail import Sendmail
    from raptorctl.host.system.timer import SystemdTimers
    from raptorctl.host.volume.lvm_life import LivingGroup
    from raptorctl.host.volume.restore import BlockCopier
    from raptorctl.host.volume.wipe import BlockWiper

T = TypeVar("T")


class Late:
    """A driver that is made at the first question: few commands ask all of them.

    Args:
        make: imports and makes it.
    """

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make

    @cached_property
    def _driver(self) -> object:
        return self._make()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)


def late(make: Callable[[], T]) -> T:
    """Return what is as good as `make()`, without calling it yet."""
    return cast("T", Late(make))


def connect(settings: Settings) -> Host:
    """Build all drivers of this machine, those of its kind, and have them find their directories.

    Raises:
        HostError: a directory of one's own cannot be made.
    """
    if settings.kind is Kind.SESSION:
        from raptorctl.host.system.session import make_directories

        make_directories(settings)
    return drivers(settings)


def drivers(settings: Settings) -> Host:
    """Build all drivers of this machine, and change nothing on it."""
    return _own(settings) if settings.kind is Kind.SESSION else _shared(settings)


def _own(settings: Settings) -> Host:
    from raptorctl.host.domain.session_domains import SessionDomains
    from raptorctl.host.guest.guests import LocalGuests
    from raptorctl.host.system.session import session_runs
    from raptorctl.host.volume.qcow2_copy import FileCopier
    from raptorctl.host.volume.qcow2_image import OverlayImageWriter
    from raptorctl.host.volume.qcow2_volumes import FileWiper, OverlayVolumes

    return replace(
        _shared(settings),
        volumes=OverlayVolumes(settings.storage.volume_group),
        wiper=FileWiper(),
        copier=FileCopier(),
        domains=SessionDomains(settings.libvirt.uri),
        guests=LocalGuests(settings.libvirt.uri, session_runs()),
        image_writer=OverlayImageWriter(),
    )


def _shared(settings: Settings) -> Host:
    from raptorctl.host.system.files import LocalFiles
    from raptorctl.host.system.links import KernelLinks

    return Host(
        volumes=late(partial(_volumes, settings)),
        wiper=late(partial(_wiper, settings)),
        copier=late(_copier),
        domains=late(partial(_domains, settings)),
        zones=late(partial(_zones, settings)),
        files=LocalFiles(),
        links=KernelLinks(),
        accounts=late(_accounts),
        authority=late(_authority),
        consoles=late(partial(_consoles, settings)),
        images=late(partial(_images, settings)),
        image_writer=late(_image_writer),
        guests=late(partial(_guests, settings)),
        builder=late(partial(_builder, settings)),
        mail=late(_mail),
        timers=late(_timers),
    )


def _volumes(settings: Settings) -> "LivingGroup":
    from raptorctl.host.system.lean_sh import lean_sh
    from raptorctl.host.volume.lvm_life import LivingGroup

    lean_sh()  # now, and not in a thread of the survey
    return LivingGroup(settings.storage.volume_group)


def _wiper(settings: Settings) -> "BlockWiper":
    from raptorctl.host.volume.wipe import BlockWiper

    return BlockWiper(settings.storage.verify_all_up_to)


def _copier() -> "BlockCopier":
    from raptorctl.host.volume.restore import BlockCopier

    return BlockCopier()


def _domains(settings: Settings) -> "LibvirtDomains":
    from raptorctl.host.domain.domains import LibvirtDomains

    return LibvirtDomains(settings.libvirt.uri)


def _zones(settings: Settings) -> "DnsServer":
    from raptorctl.host.dns.update import DnsServer

    return DnsServer(settings.dns)


def _mail() -> "Sendmail":
    from raptorctl.host.system.mail import Sendmail

    return Sendmail()


def _timers() -> "SystemdTimers":
    from raptorctl.host.system.timer import SystemdTimers

    return SystemdTimers()


def _accounts() -> "LocalAccounts":
    from raptorctl.host.access.accounts import LocalAccounts

    return LocalAccounts()


def _authority() -> "Polkit":
    from raptorctl.host.access.polkit import Polkit

    return Polkit()


def _consoles(settings: Settings) -> "LibvirtConsoles":
    from raptorctl.host.domain.console import LibvirtConsoles

    return LibvirtConsoles(settings.libvirt.uri)


def _images(settings: Settings) -> "LocalImages":
    from raptorctl.host.image.cache import LocalImages

    return LocalImages(settings.images.directory, settings.images.largest)


def _image_writer() -> "BlockImageWriter":
    from raptorctl.host.image.write import BlockImageWriter

    return BlockImageWriter()


def _guests(settings: Settings) -> "LocalGuests":
    from raptorctl.host.guest.guests import LocalGuests

    return LocalGuests(settings.libvirt.uri)


def _builder(settings: Settings) -> "LocalBuilder":
    from raptorctl.host.build.workshop import LocalBuilder

    return LocalBuilder(settings.libvirt)
