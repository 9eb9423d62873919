"""A tenant's agent: their page, served under their own account to the front end of a shared host.

libvirt and polkit see the tenant, so the page can do what the tenant can, and nothing else. systemd
makes both of its sockets (systemd.socket(5)): the front end alone opens the page's, root alone the
control's.
"""

import asyncio
import logging
import socket
import time
from dataclasses import dataclass
from typing import Final

import uvicorn

from raptorctl.api import web as pages
from raptorctl.api.session import Session
from raptorctl.web.app import build
from raptorctl.web.control import Control, attend
from raptorctl.web.door import Door
from raptorctl.web.serve import configured
from raptorctl.web.site import Site

IDLE_SECONDS: Final = 120.0
"""After which an agent ends that nobody is logged in to."""
BEAT: Final = 10.0  # seconds between two looks whether anybody is


@dataclass(frozen=True)
class Sockets:
    """What systemd listens at for an agent.

    Args:
        page: HTTP; the front end's.
        control: links and logins; root's.
    """

    page: socket.socket
    control: socket.socket


class PageAgent(uvicorn.Server):
    """uvicorn, which ends by itself when nobody is there.

    Args:
        config: uvicorn's.
        site: the page.
        sockets: where it is served.
        idle: seconds without anybody.
    """

    def __init__(
        self, config: uvicorn.Config, site: Site, sockets: Sockets, idle: float = IDLE_SECONDS
    ) -> None:
        super().__init__(config)
        address = site.session.settings.web.address
        self._control = Control(site.door, lambda token: f"{address}/enter/{token}")
        self.site, self._sockets, self._idle = site, sockets, idle

    def serve_all(self) -> None:
        """Serve until a signal, or until nobody is there."""
        self.run([self._sockets.page])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen."""
        await super().startup(sockets)
        self._listening = await attend(self._sockets.control, self._control)
        self._watch = asyncio.create_task(self._end_when_idle())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what is open for whoever is there, then all else."""
        self._watch.cancel()
        self._control.close()
        self._listening.close()
        await super().shutdown(sockets)

    async def _end_when_idle(self) -> None:
        used = time.monotonic()
        while time.monotonic() - used < self._idle:
            if self.site.door.awaits or self.site.works.at_work:
                used = time.monotonic()
            await asyncio.sleep(min(BEAT, self._idle))
        self.should_exit = True


def site_of(session: Session) -> Site:
    """The page of one tenant: all who come in are they, and share what was opened."""
    web = session.settings.web
    return Site(
        lambda _who: session,
        cookie=web.cookie,
        secure=web.secure,
        door=Door(prefix=f"{session.caller.name}."),
        about=pages.myself,
    )


def agent(session: Session, sockets: Sockets, idle: float = IDLE_SECONDS) -> PageAgent:
    """Make a tenant's agent.

    Args:
        session: theirs.
        sockets: where it is served.
        idle: seconds without anybody after which it ends.
    """
    for name in ("uvicorn.error", "asyncio"):
        logging.getLogger(name).setLevel(logging.ERROR)  # else anybody could fill the journal
    site = site_of(session)
    app = build(site, frozenset({session.settings.web.host}))
    return PageAgent(configured(app), site, sockets, idle)
