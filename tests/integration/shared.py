"""A host in memory that many processes share, as they would share a real one.

The host lives in a process of its own, which answers one call at a time; the lock, the journals and
the audit log are real files. Each command line is a process.
"""

import io
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import fields, replace
from multiprocessing import get_context
from multiprocessing.managers import BaseManager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from raptorctl.cli.edge import run
from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.model.domain import State
from raptorctl.model.facts import HostFacts
from raptorctl.model.volume import Volume
from tests.fakes import World, topology
from tests.unit.cli.session import FakeSession, Result

FORK = get_context("fork")
CPUS = 128


def silently(_done: int, _total: int) -> None:
    """A tick that can be sent to another process."""


class Hub:
    """The host, in its own process."""

    def __init__(self) -> None:
        self.world = World().with_tenants("alice", "bob", *(f"t{n}" for n in range(100)))
        self.lock = threading.Lock()

    def call(self, driver: str, method: str, *args: Any, **kwargs: Any) -> Any:
        with self.lock:
            return getattr(getattr(self.world, driver), method)(*args, **kwargs)

    def facts(self, templates: Mapping[str, str], people: Iterable[str]) -> HostFacts:
        with self.lock:
            return replace(self.world.facts(templates, people), topology=topology(CPUS))

    def picture(self) -> Any:
        with self.lock:
            return self.world.picture()


class Manager(BaseManager):
    """Starts the host's process."""


Manager.register("Hub", Hub)


class Remote:
    """One driver of the shared host."""

    def __init__(self, hub: Any, driver: str) -> None:
        self._hub, self._driver = hub, driver

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            sent = [silently if callable(arg) else arg for arg in args]
            return self._hub.call(self._driver, name, *sent, **kwargs)

        return call


class SlowWiper(Remote):
    """Wipes for as long as the file `hold` is there."""

    def __init__(self, hub: Any, folder: Path) -> None:
        super().__init__(hub, "wiper")
        self._folder = folder

    def wipe(self, volume: Volume, tick: Tick) -> Any:
        (self._folder / f"wiping-{os.getpid()}").touch()
        while (self._folder / "hold").exists():
            tick(0, int(volume.size))
            time.sleep(0.01)
        return self._hub.call("wiper", "wipe", volume, silently)


class SharedSession(FakeSession):
    """A session of one process on the shared host."""

    def __init__(self, typed: Iterable[str], hub: Any, directory: Path) -> None:
        super().__init__(typed, World(), directory)
        self.hub, self.directory = hub, directory

    @property
    def host(self):  # type: ignore[no-untyped-def]
        names = (field.name for field in fields(Host) if field.name != "wiper")
        drivers: dict[str, Any] = {name: Remote(self.hub, name) for name in names}
        return Host(wiper=SlowWiper(self.hub, self.directory), **drivers)

    def facts(
        self, queries: Iterable[tuple[str, str]] = (), people: Iterable[str] = ()
    ) -> HostFacts:
        from raptorctl.host.system.files import templates

        facts: HostFacts = self.hub.facts(dict(templates()), list(people))
        asked = set(queries)
        records = tuple(r for r in facts.records if (r.name, r.type) in asked)
        return replace(facts, records=records, reservations=self.journals.reservations())

    def inventory(self) -> tuple[tuple[Volume, ...], Mapping[str, State]]:
        return self.host.volumes.list(), self.host.domains.states()


class Site:
    """A shared host and the processes on it."""

    def __init__(self, hub: Any, folder: Path) -> None:
        self.hub, self.folder = hub, folder

    def session(self, *typed: str) -> SharedSession:
        return SharedSession(typed, self.hub, self.folder)

    def start(self, *typed: str) -> BaseProcess:
        """Begin one command line."""
        process = FORK.Process(target=self._run, args=(typed,))
        process.start()
        return process

    def result(self, process: BaseProcess, timeout: float = 120) -> Result:
        """Wait for a command line; one that waits for ever fails the test."""
        process.join(timeout)
        assert process.exitcode is not None, "it waits"
        told = self.folder / f"result-{process.pid}"
        return Result(**json.loads(told.read_text())) if told.exists() else Result(-9, "", "")

    def __call__(self, *typed: str) -> Result:
        return self.result(self.start(*typed))

    def _run(self, typed: tuple[str, ...]) -> None:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run(typed, self.session(*typed))
        told = {"code": code, "out": out.getvalue(), "err": err.getvalue()}
        (self.folder / f"result-{os.getpid()}").write_text(json.dumps(told))
