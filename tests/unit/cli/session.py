"""The command line on a host in memory."""

import io
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raptorctl.cli.commands import COMMANDS, Commands, imported
from raptorctl.cli.edge import run
from raptorctl.cli.session import Typed
from raptorctl.engine.journals import Journals
from raptorctl.host.files import templates
from raptorctl.model.domain import State
from raptorctl.model.facts import HostFacts
from raptorctl.model.probe import Probe
from raptorctl.model.topology import Topology
from raptorctl.model.volume import Volume
from tests.fakes import Tripwire, World, settings


class FakeSession(Typed):
    """A session on `world`, whose journal and log are below `directory`."""

    is_root = True
    own = False

    def __init__(self, typed: Iterable[str], world: World, directory: Path) -> None:
        super().__init__(typed)
        self.world = world
        self.wire = Tripwire()
        self.log_directory = directory / "log"
        self.log_directory.mkdir(exist_ok=True)
        self.lock = directory / "lock"
        self.settings = settings()
        self.journals = Journals(directory / "journal", self.log_directory / "audit.jsonl")
        self.before_survey: Callable[[], None] = lambda: None

    @property
    def host(self):  # type: ignore[no-untyped-def]
        return self.world.host(self.wire)

    @property
    def images(self):  # type: ignore[no-untyped-def]
        return self.host.images

    def facts(
        self, queries: Iterable[tuple[str, str]] = (), people: Iterable[str] = ()
    ) -> HostFacts:
        self.before_survey()
        facts = self.world.facts(templates(), people)
        asked = set(queries)
        return HostFacts(
            **{
                **vars(facts),
                "records": tuple(r for r in facts.records if (r.name, r.type) in asked),
                "reservations": self.journals.reservations(),
            }
        )

    def inventory(self) -> tuple[tuple[Volume, ...], Mapping[str, State]]:
        return self.world.volumes.list(), self.world.domains.states()

    def topology(self) -> Topology:
        return self.world.topology

    def probe(self) -> Probe:
        facts, queries = self.facts(), self.record_queries()
        for _ in range(2):
            facts = self.facts(queries(self.settings, facts))
        return Probe(
            settings_file="/etc/raptorctl/settings.toml",
            settings=self.settings,
            facts=facts,
            zones={"raptor.example.": None},
            libvirt_version=(11, 3, 0),
            emulator="/usr/bin/qemu-system-x86_64",
            jobs=self.journals.unfinished(),
            left=dict(self.world.accounts.strays),
            owners={a.uid: a.name for a in self.world.accounts.by_name.values()},
            today="2026-11-20",
        )


@dataclass
class Result:
    """How a command line ended."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """Its only line on standard error."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        return lines[0]


class Terminal(io.StringIO):
    """What a person looks at, or types into."""

    encoding = "utf-8"
    name = "<terminal>"

    def isatty(self) -> bool:
        return True


class Pipe(io.StringIO):
    """What another program reads."""

    encoding = "utf-8"
    name = "<pipe>"


@dataclass
class CommandLine:
    """A shell on a host in memory."""

    world: World
    directory: Path
    root: bool = True

    def session(self, *typed: str) -> FakeSession:
        session = FakeSession(typed, self.world, self.directory)
        session.is_root = self.root
        return session

    def __call__(
        self, *typed: str, terminal: bool = False, answer: str = "", session: Typed | None = None
    ) -> Result:
        kind = Terminal if terminal else Pipe
        out, err, before = kind(), kind(), sys.stdin
        sys.stdin = kind(answer)
        try:
            with redirect_stdout(out), redirect_stderr(err):
                code = run(typed, session or self.session(*typed))
        finally:
            sys.stdin = before
        return Result(code, out.getvalue(), err.getvalue())


PROVISION = ("provision", "alice", "dev", "--size", "40G", "--cpus", "4-7")


def below(node: Any) -> dict[str, Any]:
    """The commands of a group by name, with those of the first row imported; a command has none."""
    if isinstance(node, Commands):
        return {name: imported(name) for name in COMMANDS}
    return dict(getattr(node, "commands", {}))
