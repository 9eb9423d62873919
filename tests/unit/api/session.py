"""A session on a host in memory."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from raptorctl.api.session import Session
from raptorctl.engine.journals import Journals
from raptorctl.host.access.petitions import Petitions
from raptorctl.host.system.files import templates
from raptorctl.model.domain import State
from raptorctl.model.facts import HostFacts
from raptorctl.model.probe import Probe
from raptorctl.model.topology import Topology
from raptorctl.model.volume import Volume
from tests.fakes import Tripwire, World, settings


class InMemory(Session):
    """A session on `world`, whose journal and log are below `directory`."""

    on_session_host = False

    def put(self, world: World, directory: Path) -> None:
        """Say where it is."""
        self.world = world
        self.wire = Tripwire()
        self.log_directory = directory / "log"
        self.log_directory.mkdir(exist_ok=True)
        self.lock = directory / "lock"
        self.config = directory / "config"
        self.settings = settings()
        self.journals = Journals(directory / "journal", self.log_directory / "audit.jsonl")
        self.petitions = Petitions(directory / "requests")
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
        with self.wire.one:
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
