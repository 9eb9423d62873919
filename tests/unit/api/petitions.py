"""Root's service for petitions on a host in memory, asked over a real socket."""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from raptorctl.api import petition_service
from raptorctl.api.caller import Caller
from raptorctl.api.session import Session
from raptorctl.model.policy import VERBS, RequestPolicy
from raptorctl.model.sizes import Size
from tests.fakes import IMAGE, World, settings
from tests.unit.api.session import InMemory

POLICY = RequestPolicy(
    verbs=VERBS,
    profiles=("web-server",),
    images=("debian:13",),
    size=Size.parse("40G"),
    cpus=2,
    memory=Size.parse("8G"),
    longest_days=30,
    machines=2,
    snapshots=1,
    changes_an_hour=1000,
    most_waiting=3,
)
DEV = {
    "verb": "provision",
    "machine": "dev",
    "size": "20G",
    "cpus": "2",
    "memory": "4G",
    "image": "debian:13",
}
BIG = {**DEV, "size": "80G"}


@dataclass
class Service:
    """The service, and tenants who ask it."""

    world: World
    folder: Path
    policy: RequestPolicy = POLICY
    sessions: list[InMemory] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world.images.all = (IMAGE,)

    def session(self, caller: Caller) -> InMemory:
        """A session of a caller's on the host."""
        made = InMemory(caller=caller)
        made.put(self.world, self.folder)
        made.settings = replace(settings(), requests=self.policy)
        return made

    def _session(self, caller: Caller) -> Session:
        self.sessions.append(made := self.session(caller))
        return made

    @property
    def admin(self) -> InMemory:
        """A session of an admin's."""
        return self.session(Caller("carol", root=True))

    def lines(
        self, said: Mapping[str, Any] | bytes, tenant: str = "alice", uid: int | None = None
    ) -> list[dict[str, Any]]:
        """What a tenant hears, line by line; the kernel's word for who they are is ours here."""
        account = self.world.accounts.find(tenant)
        number = uid if uid is not None else account.uid if account else 4711
        ours, theirs = socket.socketpair()
        raw = said if isinstance(said, bytes) else json.dumps(said).encode() + b"\n"
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        with ours, theirs:
            theirs.sendall(raw)
            theirs.shutdown(socket.SHUT_WR)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(petition_service, "uid_of", lambda _client: number)
                patch.setattr(petition_service, "name_of", lambda _uid: tenant)
                petition_service.serve(ours, self._session, self.folder / "paces")
            ours.close()
            with theirs.makefile("rb") as file:
                return [json.loads(line) for line in file]

    def ask(
        self, said: Mapping[str, Any] | bytes, tenant: str = "alice", uid: int | None = None
    ) -> dict[str, Any]:
        """The last of what they hear."""
        return self.lines(said, tenant, uid)[-1]
