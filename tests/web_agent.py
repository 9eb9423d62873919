"""Tenants' agents in threads of the test, on a host in memory, at Unix sockets as systemd's are."""

import http.client
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from raptorctl.api.caller import Caller
from raptorctl.model.override import override
from raptorctl.model.web import Web
from raptorctl.web.agent import IDLE_SECONDS, PageAgent, Sockets, agent
from raptorctl.web.control import ask
from tests.fakes import World
from tests.unit.api.session import InMemory
from tests.web import Browser


@dataclass
class Running:
    """An agent that runs."""

    agent: PageAgent
    page: Path
    control: Path
    thread: threading.Thread

    def link(self, who: str = "alice") -> str:
        said = ask(self.control, {"do": "link", "who": who})
        assert said is not None
        return str(said["link"])

    def end(self) -> None:
        """End it, with its logins, as systemd does that nobody needs any more."""
        self.agent.should_exit = True
        self.thread.join(60)
        for path in (self.page, self.control):
            path.unlink(missing_ok=True)


def tenant_session(world: World, folder: Path, name: str, web: Web) -> InMemory:
    """A session of a tenant, as their agent has it."""
    session = InMemory(caller=Caller(name, tenant=name))
    session.put(world, folder)
    session.settings = replace(session.settings, web=web)
    return session


@contextmanager
def running(
    session: InMemory, folder: Path, *, owner: int = -1, idle: float = IDLE_SECONDS
) -> Iterator[Running]:
    """Run a tenant's agent; its page's socket is `owner`'s alone."""
    name = session.caller.name
    paths = [folder / kind / f"{name}.sock" for kind in ("agents", "control")]
    found = [_bound(path, owner) for path in paths]
    made = agent(session, Sockets(*found), idle)
    thread = threading.Thread(target=made.serve_all, daemon=True)
    thread.start()
    here = Running(made, paths[0], paths[1], thread)
    try:
        yield here
    finally:
        here.end()
    assert not thread.is_alive()


def _bound(path: Path, owner: int) -> socket.socket:
    path.parent.mkdir(exist_ok=True)
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    path.chmod(0o700)  # as the unit has it, but for a group
    if owner >= 0:
        os.chown(path, owner, -1)
    made.listen()
    return made


@dataclass
class UnixBrowser(Browser):
    """A browser whose requests come by a Unix socket, as from the front end."""

    path: Path = Path()

    @override
    def connection(self) -> http.client.HTTPConnection:
        return UnixConnection(self.path)


class UnixConnection(http.client.HTTPConnection):
    """HTTP to a Unix socket, as the front end speaks it."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    @override
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(str(self._path))
