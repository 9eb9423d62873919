"""A host in memory, of all these."""

from collections.abc import Iterable, Mapping

from raptorctl.drivers.host import Host
from raptorctl.host.survey.stranger import strangers
from raptorctl.host.survey.survey import numbers, shares
from raptorctl.host.system.files import shipped_rules
from raptorctl.model.access import RULES
from raptorctl.model.domain import Domain
from raptorctl.model.facts import HostFacts
from raptorctl.model.medium import unreadable
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.tenant import GROUP, Account, TenantRecord, record_path, record_text
from tests.fake_build import FakeBuilder
from tests.fakes.account import FakeAccounts, FakeAuthority
from tests.fakes.console import FakeConsoles
from tests.fakes.dns import FakeZones
from tests.fakes.domain import FakeDomains
from tests.fakes.file import FakeFiles
from tests.fakes.guest import FakeGuests
from tests.fakes.image import FakeImages
from tests.fakes.links import FakeLinks, _said
from tests.fakes.mail import FakeMail
from tests.fakes.sample import topology
from tests.fakes.timer import FakeTimers
from tests.fakes.tripwire import Guarded, Tripwire
from tests.fakes.volume import FakeCopier, FakeVolumes, FakeWiper


class World:
    """A host's whole state, and the drivers onto it."""

    def __init__(self) -> None:
        self.topology = topology()
        self.volumes = FakeVolumes()
        self.files = FakeFiles()
        self.domains = FakeDomains(self.volumes, self.files)
        self.wiper = FakeWiper(self.volumes)
        self.copier = FakeCopier(self.volumes)
        self.zones = FakeZones()
        self.links = FakeLinks()
        self.accounts = FakeAccounts()
        self.authority = FakeAuthority(self.files)
        self.consoles = FakeConsoles()
        self.images = FakeImages(self.volumes, self.files)
        self.guests = FakeGuests()
        self.builder = FakeBuilder()
        self.mail = FakeMail()
        self.timers = FakeTimers()

    def with_tenants(self, *names: str) -> "World":
        """The same host, with tenants of those names on it."""
        for name in names:
            uid = self.accounts.free_uid()
            account = Account(name, uid, uid, shell="/bin/bash", groups=frozenset({GROUP}))
            self.accounts.create(account)
            record = TenantRecord(name, uid, False, "j0", "2026-11-19T08:00:00Z", "carol")
            self.files.write(record_path(name), record_text(record), 0o644)
        return self

    def host(self, wire: Tripwire | None = None) -> Host:
        wire = wire or Tripwire()
        return Host(
            volumes=Guarded(self.volumes, wire),
            wiper=Guarded(self.wiper, wire),
            copier=Guarded(self.copier, wire),
            domains=Guarded(self.domains, wire),
            zones=Guarded(self.zones, wire),
            files=Guarded(self.files, wire),
            links=Guarded(self.links, wire),
            accounts=Guarded(self.accounts, wire),
            authority=Guarded(self.authority, wire),
            consoles=Guarded(self.consoles, wire),
            images=Guarded(self.images, wire),
            image_writer=Guarded(self.images, wire),
            guests=Guarded(self.guests, wire),
            builder=Guarded(self.builder, wire),
            mail=Guarded(self.mail, wire),
            timers=Guarded(self.timers, wire),
        )

    def facts(self, templates: Mapping[str, str], people: Iterable[str] = ()) -> HostFacts:
        return HostFacts(
            topology=self.topology,
            memory=Size(16 * GIB),
            accelerator="qemu",
            tpm=self.domains.has_swtpm,
            hugepages={"1G": Size(8 * GIB), "2M": Size(0)},
            group=self.volumes.group(),
            volumes=self.volumes.list(),
            domains=self.domains.list(),
            bridges=self.links.bridges(),
            networks=self.domains.networks(),
            records=tuple(sorted(self.zones.records)),
            templates=templates,
            files=frozenset(self.files.paths),
            **strangers(self, people, numbers(self.host(), people)),
            account_names=self.accounts.names(),
            shares=shares(self.host()),
            rules=self.files.read(RULES),
            shipped_rules=shipped_rules(),
            declarative=self.accounts.declarative(),
            mail=self.mail.works(),
            timers=self.timers.works(),
            hostname="raptor",
            images=self.images.all,
            unreadable=unreadable(
                {
                    path: self.files.size(path)
                    for d in self.domains.list()
                    for path in d.cdroms
                    if path
                },
                self.images.known(),
            ),
        )

    def _seen(self, domain: Domain) -> tuple[object, ...]:
        """A domain as defined, and what its guest has of it as long as it runs."""
        mark = domain.mark
        expiry = (mark.expires, mark.warned, mark.due) if mark else ()
        defined = (
            domain.name, domain.autostart, domain.uuid, domain.memory, domain.pins.cpus, expiry
        )  # fmt: skip
        uuid, running = domain.uuid, domain.state.active
        plugs = sorted(self.domains.plugs.get(uuid, ()))
        seen = sorted(
            (key.removeprefix(uuid), size)
            for key, size in self.domains.seen.items()
            if key.startswith(uuid) and (key == uuid or key.removeprefix(f"{uuid} ") in plugs)
        )
        live = (seen, str(self.domains.pinned.get(uuid)), plugs)
        return (*defined, domain.state.value, *(live if running else ()))

    def picture(self) -> object:
        """Everything that must be as before, in a form that compares."""
        return (
            sorted(
                (v.name, sorted(v.tags), v.size, v.origin, self.volumes.data.get(v.uuid, ""))
                for v in self.volumes.list()
            ),
            sorted(map(self._seen, self.domains.list())),
            sorted(self.domains.pressed),
            sorted(self.domains.tpms),
            str(self.domains.kept),
            sorted(self.zones.records),
            sorted(self.files.paths),
            sorted((path, _said(path, text)) for path, text in self.files.texts.items()),
            sorted(
                (a.name, a.uid, sorted(a.groups), a.shell, a.expires)
                for a in self.accounts.by_name.values()
            ),
            sorted(self.accounts.strays.items()),
            self.builder.picture(),
            sorted(self.timers.all.items()),
            sorted(self.images.built),
        )
