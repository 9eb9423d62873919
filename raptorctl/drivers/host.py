"""All that may be asked of one host. `connect` builds the real ones; tests hand in others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from raptorctl.drivers.account import Accounts, Authority
    from raptorctl.drivers.build import Builder
    from raptorctl.drivers.dns import Zones
    from raptorctl.drivers.domain import Consoles, Domains
    from raptorctl.drivers.files import Files
    from raptorctl.drivers.guest import Guests
    from raptorctl.drivers.image import Images, ImageWriter
    from raptorctl.drivers.links import Links
    from raptorctl.drivers.mail import Mail
    from raptorctl.drivers.timer import Timers
    from raptorctl.drivers.volume import Copier, Volumes, Wiper


@dataclass(frozen=True)
class Host:
    """All drivers of one host."""

    volumes: Volumes
    wiper: Wiper
    copier: Copier
    domains: Domains
    zones: Zones
    files: Files
    links: Links
    accounts: Accounts
    authority: Authority
    consoles: Consoles
    images: Images
    image_writer: ImageWriter
    guests: Guests
    builder: Builder
    mail: Mail
    timers: Timers
